"""Stable employment (合法稳定就业): points for each counted insurance month (Measures art. 5(1)).

Months add up over a whole career; an unpaid month is skipped and does not reset the count.  A month
is worth a whole number of centipoints, so nothing is rounded.
"""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.facts import Facts
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints


@dataclass(frozen=True, config=STRICT)
class Params:
    """The worth of a counted month."""

    centipoints_per_month: Centipoints


def evidence(facts: Facts, p: Params, made: Round) -> pl.LazyFrame:
    """The counted months, the insurance they are taken from, the first and the last of them."""
    return facts.careers.select(
        "person", "months_counted", "insurance", "first_month", "last_month"
    )


def centipoints(p: Params) -> pl.Expr:
    """Counted months at the monthly rate."""
    return pl.col("months_counted") * p.centipoints_per_month
