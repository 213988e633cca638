"""Retirement age (法定退休年龄): not yet reached on the reference date (Measures art. 4(2)).

The day reached is the birth date plus the years of the class plus the delay of the 2025 reform, the
day clipped to the month's last, and to the last day there is (9999-12-31): births up to then are taken.
The class decides, whatever `sex` says.
"""

from datetime import date
from typing import Annotated

import polars as pl
from pydantic import with_config
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from transforms.checks import Check, after
from transforms.evidence import CODE, DAY, MONTHS, Evidence
from transforms.facts import Facts
from transforms.months import month_number, number_of
from transforms.rounds import Round
from transforms.units import STRICT, In, Month, Months, RetirementClass, Several, SomeMonths, Years

EVIDENCE: Evidence = {
    "retirement_class": CODE,
    "birth_date": DAY,
    "delay_months": MONTHS,
    "reached_on": DAY,
    "reference_date": DAY,
}


@with_config(STRICT)
class YearsByClass(TypedDict):
    """Each class of today; a class of tomorrow is `NotRequired`, as earlier policy has none."""

    male_60: Years
    female_55: Years
    female_50: Years


@with_config(STRICT)
class Delay(TypedDict):
    """The delay of one class."""

    retirement_class: RetirementClass
    born_from: Month
    birth_months_per_month: SomeMonths
    months_at_most: Months


@dataclass(frozen=True, config=STRICT)
class Params:
    """Years by class; delays by class: a month for every started group of birth months, at most."""

    years: Annotated[YearsByClass, In("years")]
    delays: Annotated[list[Delay], Several("months", by=("retirement_class",), at_least=0)]


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """Every applicant's class, delay and the day retirement age is reached."""
    years = pl.col("retirement_class").replace_strict(p.years, return_dtype=pl.Int32)
    months = pl.format("{}mo", years * 12 + pl.col("delay_months"))
    return facts.applicants.with_columns(
        delay_months=pl.coalesce(*(delay_months(each) for each in p.delays), 0).cast(pl.Int64)
    ).select(
        "person",
        "retirement_class",
        "birth_date",
        "delay_months",
        reached_on=pl.min_horizontal(pl.col("birth_date").dt.offset_by(months), date.max),
        reference_date=pl.lit(this_round.reference_date),
    )


def delay_months(delay: Delay) -> pl.Expr:
    """The delay of one class in months; null for others and for those born before it starts."""
    since = month_number(pl.col("birth_date")) - number_of(delay["born_from"])
    started = since // delay["birth_months_per_month"] + 1
    return pl.when(pl.col("retirement_class") == delay["retirement_class"], since >= 0).then(
        pl.min_horizontal(started, delay["months_at_most"])
    )


def checks(p: Params, this_round: Round) -> list[Check]:
    """The day reached comes after the reference date."""
    return [after("reached_on", this_round.reference_date)]
