"""What a simulation must know of a round: its months, its days, and the rules in force.

Every policy number comes from the dated policy files, and what records earn is asked of the rules
themselves.  Months are numbered by calendar (year * 12 + month - 1), days since 1970-01-01; a column is
the place of a month among those that insurance is simulated for.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl

from flows.common.settings import DATA
from flows.simulate.arrays import Bools, Ints, day_of, days_of, first_days
from schemas.columns import CODES
from transforms.conditions import CONDITIONS
from transforms.editions import edition, editions
from transforms.facts import Facts
from transforms.indicators import INDICATORS
from transforms.indicators.residence import Kind
from transforms.months import number_of
from transforms.policy import Edition, Rule, params
from transforms.rounds import Round, load_round

ASSUMED: dict[str, Any] = tomllib.loads((DATA / "simulation.toml").read_text(encoding="utf-8"))
MODULES: Mapping[str, ModuleType] = {**CONDITIONS, **INDICATORS}
MONTHS_BEFORE = 24  # insurance rows are delivered from before the first month that can count
FILING_DAYS = 30  # where a round has no phases
OLDEST = 100


@dataclass(frozen=True)
class Setting:
    """A round seen from the simulator."""

    round: Round
    edition: Edition
    rules: Mapping[str, Rule]  # by column; what the edition has no rule for is as in another
    values: Mapping[str, Mapping[str, Any]]  # by column; what the rule does not say as well
    grid_start: int  # month of column 0
    grid_months: int
    first: int  # columns: first month that can count,
    last: int  # December of the year before,
    window: int  # first of the months that must be insured,
    border: int  # first month in which homes count only as filed,
    away_from: int  # first month that counts for job_housing
    insured_in: int | None  # column, where the round asks for it
    late: int  # the last day an event of the application year may have
    filing: tuple[int, int]

    @property
    def year(self) -> int:
        """The application year."""
        return self.round.year

    @property
    def ref(self) -> int:
        """The reference date."""
        return day_of(self.round.reference_date)

    @property
    def insurances(self) -> list[str]:
        """The five insurances in the order that decides ties."""
        return list(self.edition.counted_months.values["insurances"])

    @property
    def kinds(self) -> list[Kind]:
        """The kinds of home that count, by precedence: the own home, then those that are filed."""
        return list(self.values["residence"]["kinds"])

    @property
    def districts_inside(self) -> list[str]:
        """The six districts."""
        return [str(code) for code in self.values["job_housing"]["six_districts"]]

    @property
    def districts_outside(self) -> list[str]:
        """The other districts of Beijing."""
        return [
            code for code in ASSUMED["districts"]["beijing"] if code not in self.districts_inside
        ]

    @property
    def districts(self) -> list[str]:
        """District codes by position: the six, the others of Beijing, a few elsewhere."""
        elsewhere = ASSUMED["districts"]["elsewhere"]
        return [*self.districts_inside, *self.districts_outside, *elsewhere]

    @property
    def months_1(self) -> int:
        """Countable months before the border: an employment month counts by default."""
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

    def counts_from(self, column: str, years: str, day: str) -> int:
        """The first day of events that count: so many years back, or the day the rule names."""
        own = self.rules[column].values
        return day_of(own[day]) if day in own else self.first_day(self.values[column][years])

    def params(self, column: str) -> Any:
        """The `Params` of the rule of a condition or an indicator."""
        rule = self.rules[column]
        return params(MODULES[rule.name].Params, rule)

    def evidence(self, column: str, applicants: pl.DataFrame) -> pl.DataFrame:
        """What a rule that looks at applications alone finds of some applicants, in their order."""
        module, none = MODULES[self.rules[column].name], pl.LazyFrame()
        numbered = applicants.with_columns(person=pl.int_range(pl.len(), dtype=pl.UInt32))
        facts = Facts({"applications": numbered.lazy()}, none, none, none)
        found = module.evidence(facts, self.params(column), self.round)
        return found.collect()  # type: ignore[no-any-return]

    def retired(self, birth: Ints) -> Bools:
        """Whether people born on some days have reached retirement age, a column a class."""
        classes = CODES["retirement_class"]
        found = self.evidence(
            "retirement_age",
            pl.DataFrame(
                {
                    "birth_date": days_of(np.repeat(birth, len(classes))),
                    "retirement_class": np.tile(classes, len(birth)),
                }
            ),
        )
        reached = found["reached_on"].to_physical().to_numpy()
        return np.asarray((reached <= self.ref).reshape(len(birth), len(classes)))

    @cached_property
    def birth_years(self) -> tuple[int, int]:
        """The last year whose people are all retired by some class, the first with nobody retired
        by every class."""
        years = np.arange(self.year - OLDEST, self.year)
        first, last = (self.retired(first_days((years + more) * 12) - more) for more in (0, 1))
        return int(years[last.any(axis=1)].max()), int(years[~first.all(axis=1)].min())


def load_setting(data: Path, year: int) -> Setting:
    """The setting of a round; raises PolicyError when the round or a policy value is absent."""
    this_round = load_round(data / "rounds", year)
    own = edition(data / "policy", this_round.policy_date)
    others = [edition(data / "policy", entry["date"]) for entry in editions(data / "policy")]
    rules: dict[str, Rule] = {}
    values: dict[str, dict[str, Any]] = {}
    for each in (*others, own):
        for column, rule in {**each.conditions, **each.indicators}.items():
            rules[column] = rule
            values[column] = values.get(column, {}) | rule.values
    homes = values["residence"]
    first = min(
        number_of(own.counted_months.values["first_month"]), number_of(homes["first_month"])
    )
    last = number_of(this_round.reference_date)
    late = day_of(min(this_round.policy_date, this_round.received_on or this_round.policy_date))
    start = first - MONTHS_BEFORE
    return Setting(
        round=this_round,
        edition=own,
        rules=rules,
        values=values,
        grid_start=start,
        grid_months=delivered_until(this_round, late) + 1 - start,
        first=first - start,
        last=last - start,
        window=last + 1 - values["social_insurance"]["months"] - start,
        border=min(number_of(homes["filed_from"]), last + 1) - start,
        away_from=min(number_of(values["job_housing"]["counts_from"]), last + 1) - start,
        insured_in=number_of(this_round.insured_in) - start if this_round.insured_in else None,
        late=max(late, day_of(this_round.reference_date) + 1),
        filing=filing_days(this_round),
    )


def filing_days(this_round: Round) -> tuple[int, int]:
    """First and last day an application may be submitted."""
    filing = next((phase for phase in this_round.phases if phase["name"] == "filing"), None)
    opens = filing["from"] if filing else this_round.policy_date
    closes = filing.get("to") if filing else None
    closes = closes or opens + timedelta(days=FILING_DAYS)
    if this_round.received_on:  # whatever the hour, before the day the feeds were received
        closes = min(closes, this_round.received_on - timedelta(days=1))
    return day_of(min(opens, closes)), day_of(closes)


def delivered_until(this_round: Round, late: int) -> int:
    """The last month insurance is delivered for: the month before filing, or `insured_in`."""
    before_filing = number_of(date(1970, 1, 1) + timedelta(days=late)) - 1
    asked = number_of(this_round.insured_in) if this_round.insured_in else before_filing
    return max(before_filing, asked, number_of(this_round.reference_date))
