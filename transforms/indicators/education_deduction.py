"""Deduction for the study period (教育背景指标与就业住所指标不累计, Measures art. 5(3)).

Employment and residence earned in the window before the graduation that earns education points is
taken back at 3.5 points a year.  The amount is rounded half up, then made negative.
"""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.facts import Facts
from transforms.rounding import half_up
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints


@dataclass(frozen=True, config=STRICT)
class Params:
    """What twelve counted months of study cost."""

    centipoints_per_year: Centipoints


def evidence(facts: Facts, p: Params, made: Round) -> pl.LazyFrame:
    """The window of the credential that earns education points, and the counted months in it."""
    return facts.credential.select(
        "person", "graduated_on", "study_from", "window_months", "months_studied"
    )


def centipoints(p: Params) -> pl.Expr:
    """Minus the yearly amount by month, rounded half up."""
    return -half_up(pl.col("months_studied") * p.centipoints_per_year, 12)
