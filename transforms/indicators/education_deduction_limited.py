"""Deduction for the study period, limited (教育背景指标与就业住所指标不累计, Trial measures art. 5(3)).

Employment and residence earned during the study of the credential that earns education points is
taken back at 3.5 points a year, but never more than that level of education adds to the one below.
The amount is rounded half up, then made negative.
"""

from typing import Annotated

import polars as pl
from pydantic import with_config
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from transforms.facts import Facts
from transforms.rounding import half_up
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints, In


@with_config(STRICT)
class AtMostByLevel(TypedDict):
    """Each level of today; a level of tomorrow is `NotRequired`, as earlier policy has none."""

    junior_college: Centipoints
    bachelor: Centipoints
    master: Centipoints
    doctor: Centipoints


@dataclass(frozen=True, config=STRICT)
class Params:
    """What twelve counted months of study cost, and the most a level may cost."""

    centipoints_per_year: Centipoints
    centipoints_at_most: Annotated[AtMostByLevel, In("centipoints")]


def evidence(facts: Facts, p: Params, made: Round) -> pl.LazyFrame:
    """The credential that earns education points, its study period and the counted months in it."""
    return facts.credential.select(
        "person", "level", "graduated_on", "study_from", "months_studied"
    )


def centipoints(p: Params) -> pl.Expr:
    """Minus the yearly amount by month, rounded half up, or minus what the level adds."""
    at_most = pl.col("level").replace_strict(p.centipoints_at_most, return_dtype=pl.Int64)
    return -pl.min_horizontal(
        half_up(pl.col("months_studied") * p.centipoints_per_year, 12), at_most
    )
