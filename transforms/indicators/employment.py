"""Stable employment (合法稳定就业): points for each counted insurance month (Measures art. 5(1)).

Months add up over a whole career; an unpaid month is skipped and does not reset the count.  A month
is worth a whole number of centipoints, so nothing is rounded.
"""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.evidence import CODE, MONTH, MONTHS, Evidence
from transforms.facts import Facts
from transforms.parts import Part, Parts, count
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints

EVIDENCE: Evidence = {
    "months_counted": MONTHS,
    "insurance": CODE,
    "first_month": MONTH,
    "last_month": MONTH,
}


@dataclass(frozen=True, config=STRICT)
class Params:
    """The worth of a counted month."""

    centipoints_per_month: Centipoints


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The counted months, the insurance they are taken from, the first and the last of them."""
    return facts.careers.select("person", *EVIDENCE)


def parts(p: Params, this_round: Round) -> Parts:
    """Counted months at the monthly rate."""
    months = count("months_counted")
    shown = {"months_counted": months}
    return Parts([Part("counted_months", months, p.centipoints_per_month, shown=shown)])
