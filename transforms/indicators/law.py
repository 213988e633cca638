"""Law-abiding record (守法记录): points off for each administrative detention (Measures art. 5(9)).

Detentions count by the day decided, in a window of calendar years that ends with the reference date.
"""

from datetime import date

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.evidence import COUNT, DAY, Evidence
from transforms.facts import Facts
from transforms.parts import Part, Parts, count
from transforms.rounds import Round
from transforms.units import STRICT, Penalty, Years

EVIDENCE: Evidence = {"detentions": COUNT, "last_decided_on": DAY}


@dataclass(frozen=True, config=STRICT)
class Params:
    """What a detention costs, and the calendar years before the application year that count."""

    centipoints_per_detention: Penalty
    years: Years


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The detentions in the window, and the last of them."""
    return detentions(facts, this_round.first_day(p.years), this_round)


def detentions(facts: Facts, since: date, this_round: Round) -> pl.LazyFrame:
    """Per person the detentions decided from a day to the reference date, and the last of them."""
    return (
        facts.feeds["detentions"]
        .filter(pl.col("decided_on").is_between(since, this_round.reference_date))
        .group_by("person")
        .agg(detentions=pl.len().cast(pl.Int64), last_decided_on=pl.col("decided_on").max())
    )


def parts(p: Params, this_round: Round) -> Parts:
    """Points off for each."""
    return points_off(p.centipoints_per_detention)


def points_off(centipoints_per_detention: int) -> Parts:
    """What detentions cost."""
    each = count("detentions")
    return Parts([Part("detentions", each, centipoints_per_detention, shown={"detentions": each})])
