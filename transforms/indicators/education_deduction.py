"""Deduction for the study period (教育背景指标与就业住所指标不累计, Measures art. 5(3)).

Employment and residence earned in the window before the graduation that earns education points is
taken back at 3.5 points a year.  The amount is rounded half up, then made negative.
"""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.evidence import DAY, MONTH, MONTHS, Evidence
from transforms.facts import Facts
from transforms.parts import Part, Parts, count, monthly
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints

EVIDENCE: Evidence = {
    "graduated_on": DAY,
    "study_from": MONTH,
    "window_months": MONTHS,
    "months_studied": MONTHS,
}


@dataclass(frozen=True, config=STRICT)
class Params:
    """What twelve counted months of study cost."""

    centipoints_per_year: Centipoints


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The window of the credential that earns education points, and the counted months in it."""
    return facts.credential.select("person", *EVIDENCE)


def study(centipoints_per_year: int) -> Part:
    """Minus the yearly amount by month."""
    return monthly("study", count("months_studied"), -centipoints_per_year)


def parts(p: Params, this_round: Round) -> Parts:
    """What the counted months of study cost."""
    return Parts([study(p.centipoints_per_year)])
