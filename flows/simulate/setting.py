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
from transforms.phases import Span, spans
from transforms.policy import Edition, Rule, params
from transforms.rounds import Round, load_round

ASSUMED: dict[str, Any] = tomllib.loads((DATA / "simulation.toml").read_text(encoding="utf-8"))
MODULES: Mapping[str, ModuleType] = {**CONDITIONS, **INDICATORS}
MONTHS_BEFORE = 24  # insurance rows are delivered from before the first month that can count
FILING_DAYS = 30  # where it is not known when filing closed
OLDEST = 100


@dataclass(frozen=True)
class Setting:
    """A round seen from the simulator."""

    round: Round
    edition: Edition
    rules: Mapping[str, Rule]  # by column; what the edition has no rule for is as in another
    values: Mapping[str, Mapping[str, Any]]  # by column; what the rule does not say as well
    year: int  # of the application
    ref: int  # the reference date
    insurances: list[str]  # the five, in the order that decides ties
    kinds: list[Kind]  # of homes that count, by precedence: the own one, then those that are filed
    districts_inside: list[str]  # the six,
    districts_outside: list[str]  # the others of Beijing,
    districts: list[str]  # by position: both, and a few elsewhere
    grid_start: int  # month of column 0
    grid_months: int
    first: int  # columns: first month that can count,
    last: int  # December of the year before,
    window: int  # first of the months that must be insured,
    border: int  # first month in which homes count only as filed,
    away_from: int  # first month that counts for job_housing
    months_1: int  # countable months before the border: an employment month counts by default
    months_2: int  # and from the border on: homes count as filed
    away_months_1: int  # months that count for job_housing before the border,
    away_months: int  # and in all
    insured_in: int | None  # column, where the round asks for it
    late: int  # the last day an event of the application year may have
    filing: tuple[int, int]

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
    homes, away = values["residence"], values["job_housing"]
    counted = own.counted_months.values
    start = min(number_of(day["first_month"]) for day in (counted, homes)) - MONTHS_BEFORE
    first, end = MONTHS_BEFORE, number_of(this_round.reference_date) + 1 - start
    border, away_from = (
        min(number_of(day) - start, end) for day in (homes["filed_from"], away["counts_from"])
    )
    late = day_of(min(this_round.policy_date, this_round.received_on or this_round.policy_date))
    inside, places = [str(code) for code in away["six_districts"]], ASSUMED["districts"]
    outside = [code for code in places["beijing"] if code not in inside]
    return Setting(
        round=this_round,
        edition=own,
        rules=rules,
        values=values,
        year=this_round.year,
        ref=day_of(this_round.reference_date),
        insurances=list(counted["insurances"]),
        kinds=list(homes["kinds"]),
        districts_inside=inside,
        districts_outside=outside,
        districts=[*inside, *outside, *places["elsewhere"]],
        grid_start=start,
        grid_months=delivered_until(this_round, late) + 1 - start,
        first=first,
        last=end - 1,
        window=end - values["social_insurance"]["months"],
        border=border,
        away_from=away_from,
        months_1=border - first,
        months_2=end - border,
        away_months_1=max(0, border - away_from),
        away_months=end - away_from,
        insured_in=number_of(this_round.insured_in) - start if this_round.insured_in else None,
        late=max(late, day_of(this_round.reference_date) + 1),
        filing=filing_days(this_round),
    )


def filing_days(this_round: Round) -> tuple[int, int]:
    """First and last day an application may be submitted."""
    known = spans(str(this_round.year), this_round.phases)
    filing = next((each for each in known if each.code == "filing"), Span("filing", None, None))
    opens = filing.begins.date() if filing.begins else this_round.policy_date
    closes = opens + timedelta(days=FILING_DAYS)
    if filing.ends:
        closes = (filing.ends - timedelta(microseconds=1)).date()
    if this_round.received_on:  # whatever the hour, before the day the feeds were received
        closes = min(closes, this_round.received_on - timedelta(days=1))
    return day_of(min(opens, closes)), day_of(closes)


def delivered_until(this_round: Round, late: int) -> int:
    """The last month insurance is delivered for: the month before filing, or `insured_in`."""
    before_filing = number_of(date(1970, 1, 1) + timedelta(days=late)) - 1
    asked = number_of(this_round.insured_in) if this_round.insured_in else before_filing
    return max(before_filing, asked, number_of(this_round.reference_date))
