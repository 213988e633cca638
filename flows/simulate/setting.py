"""What a simulation must know of a round: its months, days and policy values.

Every policy number the simulator works with is read here, from the dated policy files, so the
records it builds follow the same edition the scorer applies.  Months are numbered by calendar
(year * 12 + month - 1), days since 1970-01-01.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from flows.simulate.arrays import Ints, day_of, month_of
from schemas.columns import CODES
from schemas.results import INDICATORS
from transforms.conditions import retirement_age
from transforms.editions import edition, editions
from transforms.policy import Edition, rule
from transforms.rounds import Round, load_round

MONTHS_BEFORE = 24  # insurance rows are delivered from before the first month that can count
FILING_DAYS = 30  # where a round has no phases


@dataclass(frozen=True)
class Setting:
    """A round seen from the simulator.  `columns` are positions in a row of months."""

    round: Round
    exact: bool  # the round's own edition has the indicators the simulator can invert
    values: dict[str, dict[str, Any]]  # rule name -> its values
    codes: dict[str, list[Any]]
    insurances: list[str]
    grid_start: int  # month of column 0
    grid_months: int
    first: int  # columns: first month that can count,
    last: int  # December of the year before,
    window: int  # first of the months that must be insured,
    border: int  # first month in which homes count only as filed,
    away_from: int  # first month that counts for job_housing
    insured_in: int | None  # column, where the round asks for it
    ref: int  # days
    permit_day: int
    late: int  # the last day an event of the application year may have
    filing: tuple[int, int]
    districts_inside: list[str] = field(default_factory=list)
    districts_outside: list[str] = field(default_factory=list)

    @property
    def districts(self) -> list[str]:
        """District codes by position: the six, the others of Beijing, a few elsewhere."""
        return [*self.districts_inside, *self.districts_outside, *ELSEWHERE]

    @property
    def year(self) -> int:
        """The application year."""
        return self.round.year

    @property
    def months_1(self) -> int:
        """Countable months before the border: an employment month counts as rented."""
        return self.border - self.first

    @property
    def months_2(self) -> int:
        """Countable months from the border on: homes count as filed."""
        return self.last + 1 - self.border

    @property
    def away_months_1(self) -> int:
        """Months that count for job_housing before the border."""
        return max(0, self.border - self.away_from)

    @property
    def away_months(self) -> int:
        """Months that count for job_housing."""
        return self.last + 1 - self.away_from

    def month(self, column: Ints) -> Ints:
        """The calendar number of months given as columns."""
        return column + self.grid_start

    def first_day(self, years_back: int) -> int:
        """1 January of the application year less `years_back`, as a day."""
        return day_of(self.round.first_day(years_back))


def load_setting(data: Path, year: int) -> Setting:
    """The setting of a round; raises PolicyError when the round or a policy value is absent."""
    made = load_round(data / "rounds", year)
    found, exact = invertible(data / "policy", made.policy_date)
    own = edition(data / "policy", made.policy_date).indicators
    rules = [*found.indicators.values(), *found.conditions.values()]
    counted = found.counted_months
    retirement = rule(retirement_age.Params, data / "policy", "retirement_age", made.policy_date)
    values = {r.name: r.values for r in [*rules, counted, retirement]}
    first = min(
        month_of(counted.values["first_month"]), month_of(values["residence"]["first_month"])
    )
    last = month_of(made.reference_date)
    filing = filing_days(made)
    late = day_of(min(made.policy_date, made.received_on or made.policy_date))
    start = first - MONTHS_BEFORE
    delivered = delivered_until(made, late)
    job = values["job_housing"]
    own_job = own["job_housing"].values if "job_housing" in own else job
    counts_from: date = {**job, **own_job}["counts_from"]
    inside = [str(code) for code in job["six_districts"]]
    return Setting(
        round=made,
        exact=exact,
        values=values,
        codes=CODES,
        insurances=counted.values["insurances"],
        grid_start=start,
        grid_months=delivered + 1 - start,
        first=first - start,
        last=last - start,
        window=last + 1 - values["social_insurance"]["months"] - start,
        border=min(month_of(values["residence"]["filed_from"]), last + 1) - start,
        away_from=min(month_of(counts_from), last + 1) - start,
        insured_in=month_of(made.insured_in) - start if made.insured_in else None,
        ref=day_of(made.reference_date),
        permit_day=day_of(made.permit_date),
        late=max(late, day_of(made.reference_date) + 1),
        filing=filing,
        districts_inside=inside,
        districts_outside=[code for code in BEIJING if code not in inside],
    )


def invertible(folder: Path, on: date) -> tuple[Edition, bool]:
    """The edition in force, or, where it counts by other rules, the next one the simulator knows.

    People of an earlier round are drawn with the later edition's numbers: their records are
    believable under either, only the inverse of published points needs the edition itself.
    """
    dates = [on, *(entry["date"] for entry in editions(folder) if entry["date"] > on)]
    for day in dates:
        found = edition(folder, day)
        if all(
            name in found.indicators and found.indicators[name].name == name for name in INDICATORS
        ):
            return found, day == on
    raise ValueError(
        f"no edition from {on} on has the indicators the simulator can build records for"
    )


def filing_days(made: Round) -> tuple[int, int]:
    """First and last day an application may be submitted."""
    filing = next((phase for phase in made.phases if phase["name"] == "filing"), None)
    opens = filing["from"] if filing else made.policy_date
    closes = filing.get("to") if filing else None
    closes = closes or opens + timedelta(days=FILING_DAYS)
    if made.received_on:  # whatever the hour, before the day the feeds were received
        closes = min(closes, made.received_on - timedelta(days=1))
    return day_of(min(opens, closes)), day_of(closes)


def delivered_until(made: Round, late: int) -> int:
    """The last month insurance is delivered for: the month before filing, or `insured_in`."""
    before_filing = month_of(date(1970, 1, 1) + timedelta(days=late)) - 1
    asked = month_of(made.insured_in) if made.insured_in else before_filing
    return max(before_filing, asked, month_of(made.reference_date))


BEIJING = [
    *("110101", "110102", "110105", "110106", "110107", "110108", "110109", "110111"),
    *("110112", "110113", "110114", "110115", "110116", "110117", "110118", "110119"),
]
ELSEWHERE = ["120114", "130681", "131022", "131024", "310115", "440305"]


def half_up(numerator: Ints, denominator: int) -> Ints:
    """`numerator / denominator`, not negative, rounded half up to a whole number."""
    return np.asarray((2 * numerator + denominator) // (2 * denominator))
