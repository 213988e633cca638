"""Age (年龄): full points up to an age on 1 January of the year before, less for each year above
(Measures art. 5(7)).

A birthday on that day is not yet completed, so that only the year of birth matters.  Never below
zero; whole points, so nothing is rounded.
"""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.evidence import DAY, YEARS, Evidence
from transforms.facts import Facts
from transforms.parts import Part, Parts
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints, Years

EVIDENCE: Evidence = {"birth_date": DAY, "age": YEARS, "on": DAY}


@dataclass(frozen=True, config=STRICT)
class Params:
    """Full points, the oldest age that has them, what each year above costs."""

    centipoints_full: Centipoints
    full_until_age: Years
    centipoints_less_per_year: Centipoints


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """Birth date, and the completed years on 1 January of the year before."""
    return facts.applicants.select(
        "person",
        "birth_date",
        age=(this_round.reference_date.year - 1 - pl.col("birth_date").dt.year()).cast(pl.Int64),
        on=pl.lit(this_round.first_day(1)),
    )


def parts(p: Params, this_round: Round) -> Parts:
    """Full points less the yearly amount for each year above the full age, never below zero."""
    age = pl.col("age")
    above = pl.max_horizontal(age - p.full_until_age, 0)
    shown = {"age": age, "years": above}
    full = Part("full", pl.lit(1), p.centipoints_full)
    less = Part("years_above", above, -p.centipoints_less_per_year, shown=shown)
    return Parts([full, less], at_least=0)
