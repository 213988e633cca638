"""Honours (荣誉表彰): points for one or more titles held, not cumulative (Measures art. 5(8)).

A title counts when awarded by the reference date and not revoked by it.
"""

from typing import Annotated

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.evidence import CODE, COUNT, DAY, Evidence
from transforms.facts import Facts
from transforms.parts import Part, Parts, count
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints, Several, Text

EVIDENCE: Evidence = {"titles": COUNT, "title": CODE, "awarded_on": DAY}


@dataclass(frozen=True, config=STRICT)
class Params:
    """The points, and the titles that count."""

    centipoints: Centipoints
    titles: Annotated[list[Text], Several("titles")]


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The titles that count, and the first of them."""
    return (
        facts.feeds["honours"]
        .filter(
            pl.col("title").is_in(p.titles),
            pl.col("awarded_on") <= this_round.reference_date,
            pl.col("revoked_on").is_null() | (pl.col("revoked_on") > this_round.reference_date),
        )
        .sort("person", "awarded_on", "title")
        .group_by("person", maintain_order=True)
        .agg(
            titles=pl.len().cast(pl.Int64),
            title=pl.col("title").first(),
            awarded_on=pl.col("awarded_on").first(),
        )
    )


def parts(p: Params, this_round: Round) -> Parts:
    """The points once, however many titles."""
    titles = count("titles")
    return Parts([Part("titles", titles > 0, p.centipoints, shown={"titles": titles})])
