"""Stable residence, registered or not (合法稳定住所, Trial measures art. 5(2)): a year in an own home
1 point, rented or in a dormitory 0.5.

As in residence.py, but a rented home or a dormitory counts from `filed_from` on without having been
registered, as proof of it was enough.
"""

import polars as pl

from transforms.facts import Facts
from transforms.indicators import residence
from transforms.rounds import Round

EVIDENCE = residence.EVIDENCE
Params = residence.Params
parts = residence.parts


def evidence(facts: Facts, p: Params, made: Round) -> pl.LazyFrame:
    """Homes of every kind, in months."""
    return residence.months_of(facts.feeds["housing"], facts, p, made)
