"""Law-abiding record (守法记录): points off for each administrative detention (Measures art. 5(9)).

Detentions count by the day decided, in a window of calendar years that ends with the reference date.
"""

from datetime import date

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.facts import Facts
from transforms.rounds import Round
from transforms.units import STRICT, Penalty, Years


@dataclass(frozen=True, config=STRICT)
class Params:
    """What a detention costs, and the calendar years before the application year that count."""

    centipoints_per_detention: Penalty
    years: Years


def evidence(facts: Facts, p: Params, made: Round) -> pl.LazyFrame:
    """The detentions in the window, and the last of them."""
    return detentions(facts, made.first_day(p.years), made)


def detentions(facts: Facts, since: date, made: Round) -> pl.LazyFrame:
    """Per person the detentions decided from a day to the reference date, and the last of them."""
    return (
        facts.feeds["detentions"]
        .filter(pl.col("decided_on").is_between(since, made.reference_date))
        .group_by("person")
        .agg(detentions=pl.len().cast(pl.Int64), last_decided_on=pl.col("decided_on").max())
    )


def centipoints(p: Params) -> pl.Expr:
    """Points off for each."""
    return pl.col("detentions") * p.centipoints_per_detention
