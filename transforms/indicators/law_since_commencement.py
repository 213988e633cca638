"""Law-abiding record since the measures commenced (守法记录, Trial measures art. 5(9)): points off for
each administrative detention.

As in law.py, but detentions count from one day on, not for a number of years.
"""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.facts import Facts
from transforms.indicators import law
from transforms.parts import Parts
from transforms.rounds import Round
from transforms.units import STRICT, Day, Penalty

EVIDENCE = law.EVIDENCE


@dataclass(frozen=True, config=STRICT)
class Params:
    """What a detention costs, and the first day on which one counts."""

    centipoints_per_detention: Penalty
    counts_from: Day


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The detentions from that day to the reference date, and the last of them."""
    return law.detentions(facts, p.counts_from, this_round)


def parts(p: Params, this_round: Round) -> Parts:
    """Points off for each."""
    return law.points_off(p.centipoints_per_detention)
