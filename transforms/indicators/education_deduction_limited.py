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

from transforms.evidence import CODE, DAY, MONTH, MONTHS, Evidence
from transforms.facts import Facts
from transforms.indicators.education_deduction import study
from transforms.parts import Parts
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints, In

EVIDENCE: Evidence = {
    "level": CODE,
    "graduated_on": DAY,
    "study_from": MONTH,
    "months_studied": MONTHS,
}


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


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The credential that earns education points, its study period and the counted months in it."""
    return facts.credential.select("person", *EVIDENCE)


def parts(p: Params, this_round: Round) -> Parts:
    """What the counted months of study cost, at most what the level adds."""
    at_most = pl.col("level").replace_strict(p.centipoints_at_most, return_dtype=pl.Int64)
    return Parts([study(p.centipoints_per_year)], at_least=-at_most.fill_null(0))
