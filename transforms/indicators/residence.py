"""Stable residence (合法稳定住所): a year in an own home 1 point, rented or in a dormitory 0.5
(Measures art. 5(2)).

Never more months than employment has, own home first.  Before `filed_from` every employment month
without an own home counts as rented, with nothing filed; from it on a rented home or dormitory
counts as registered.  Each part is rounded half up on its own, then they are added.
"""

from datetime import date

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.evidence import MONTHS, Evidence
from transforms.facts import Facts
from transforms.months import covered_spells, months_covered
from transforms.parts import Parts, count, monthly
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints, Month

EVIDENCE: Evidence = dict.fromkeys(
    (
        "months_employed",
        "months_employed_early",
        "months_own_early",
        "months_own_late",
        "months_dormitory_late",
        "months_rented_late",
        "counted_own_early",
        "counted_own_late",
        "counted_default_early",
        "counted_dormitory_late",
        "counted_rented_late",
    ),
    MONTHS,
)


@dataclass(frozen=True, config=STRICT)
class Params:
    """Rates by kind of home, the border between the two periods, the first month there is."""

    first_month: Month
    filed_from: Month
    centipoints_per_year_own: Centipoints
    centipoints_per_year_other: Centipoints


def evidence(facts: Facts, p: Params, made: Round) -> pl.LazyFrame:
    """Own homes, and rented homes and dormitories registered by the reference date, in months."""
    homes = facts.feeds["housing"].filter(
        (pl.col("kind") == "own") | (pl.col("registered_on") <= made.reference_date)
    )
    return months_of(homes, facts, p, made)


def months_of(homes: pl.LazyFrame, facts: Facts, p: Params, made: Round) -> pl.LazyFrame:
    """Months held, and months counted under the cap, by kind and period (early: before filed_from)."""
    not_rented = homes.filter(pl.col("kind") != "rent")
    own = homes.filter(pl.col("kind") == "own")
    early = (p.first_month, min(last_before(p.filed_from), made.reference_date))
    late = (p.filed_from, made.reference_date)
    held = [
        months_covered(covered_spells(own, *early), "months_own_early"),
        months_covered(covered_spells(own, *late), "months_own_late"),
        months_covered(covered_spells(not_rented, *late), "months_not_rented_late"),
        months_covered(covered_spells(homes, *late), "months_any_late"),
    ]
    employed_late = (
        facts.counted.filter(pl.col("month") >= p.filed_from)
        .group_by("person")
        .agg(months_employed_late=pl.len().cast(pl.Int64))
    )
    months = facts.careers.select("person", months_employed="months_counted")
    for each in (employed_late, *held):
        months = months.join(each, on="person", how="left", validate="1:1")
    return capped(
        months.with_columns(pl.col("^months_.*$").fill_null(0)).select(
            "person",
            "months_employed",
            (pl.col("months_employed") - pl.col("months_employed_late")).alias(
                "months_employed_early"
            ),
            "months_own_early",
            "months_own_late",
            months_dormitory_late=pl.col("months_not_rented_late") - pl.col("months_own_late"),
            months_rented_late=pl.col("months_any_late") - pl.col("months_not_rented_late"),
        )
    )


def capped(months: pl.LazyFrame) -> pl.LazyFrame:
    """Counted months by kind: own first, then rented by default, dormitory, rented as filed."""
    col = pl.col
    over = pl.max_horizontal(
        col("months_own_early") + col("months_own_late") - col("months_employed"), 0
    )
    free = pl.min_horizontal(
        col("months_employed_early")
        - pl.min_horizontal("counted_own_early", "months_employed_early"),
        "left",
    )
    return (
        months.with_columns(
            counted_own_early=pl.max_horizontal(col("months_own_early") - over, 0),
            counted_own_late=col("months_own_late")
            - pl.max_horizontal(over - col("months_own_early"), 0),
        )
        .with_columns(
            left=col("months_employed") - col("counted_own_early") - col("counted_own_late")
        )
        .with_columns(counted_default_early=free)
        .with_columns(left=col("left") - col("counted_default_early"))
        .with_columns(counted_dormitory_late=pl.min_horizontal("months_dormitory_late", "left"))
        .with_columns(left=col("left") - col("counted_dormitory_late"))
        .with_columns(counted_rented_late=pl.min_horizontal("months_rented_late", "left"))
        .drop("left")
    )


def last_before(month: date) -> date:
    """The last day before a month begins."""
    return date.fromordinal(month.toordinal() - 1)


def parts(p: Params, made: Round) -> Parts:
    """Months under the cap by kind and period, each at its yearly rate."""
    own, other = p.centipoints_per_year_own, p.centipoints_per_year_other
    rates = {
        "own_early": own,
        "own_late": own,
        "default_early": other,
        "dormitory_late": other,
        "rented_late": other,
    }
    return Parts([monthly(name, count(f"counted_{name}"), rate) for name, rate in rates.items()])
