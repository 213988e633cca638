"""Law-abiding record since the measures commenced (守法记录, Trial measures art. 5(9)): points off for
each administrative detention.

As in law.py, but detentions count from one day on, not for a number of years.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from transforms.facts import Facts
from transforms.indicators import law
from transforms.parts import Parts
from transforms.rounds import Round

EVIDENCE = law.EVIDENCE


@dataclass(frozen=True)
class Params:
    """What a detention costs, and the first day on which one counts."""

    centipoints_per_detention: int
    counts_from: date


def evidence(facts: Facts, p: Params, made: Round) -> pl.LazyFrame:
    """The detentions from that day to the reference date, and the last of them."""
    return law.detentions(facts, p.counts_from, made)


def parts(p: Params, made: Round) -> Parts:
    """Points off for each."""
    return law.points_off(p.centipoints_per_detention)
