"""No criminal record (无刑事犯罪记录), of whatever date (Measures art. 4(4))."""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.checks import Check, at_most
from transforms.evidence import COUNT, DAY, Evidence
from transforms.facts import Facts
from transforms.rounds import Round
from transforms.units import STRICT

EVIDENCE: Evidence = {"sentences": COUNT, "last_sentenced_on": DAY}


@dataclass(frozen=True, config=STRICT)
class Params:
    """The rule has no values."""


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The sentences on record and the day of the last."""
    return (
        facts.feeds["criminal_records"]
        .group_by("person")
        .agg(sentences=pl.len().cast(pl.Int64), last_sentenced_on=pl.col("sentenced_on").max())
    )


def checks(p: Params, this_round: Round) -> list[Check]:
    """There is none."""
    return [at_most("sentences", 0)]
