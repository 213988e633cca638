"""What is known of the applicants of one round, as the rules see it.

A row of social insurance recorded after the reference date does not exist, nor does a month before
the first that can count or after December of the year before (data contract 3).  `person` is a
whole number; no rule sees a name or an ID number.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import polars as pl

from transforms.policy import Edition
from transforms.rounds import Round

Feeds: TypeAlias = dict[str, pl.LazyFrame]
Engine: TypeAlias = Literal["streaming", "in-memory"]  # of polars


@dataclass(frozen=True)
class Facts:
    """The accepted feeds by name, and what several rules share.

    insurance: the rows that exist, one a person and month, in no order a rule may rely on.
    counted: person, month, taken (which insurance) of every counted month.
    careers: the evidence of employment, which residence and education look at too.
    credential: the evidence of the edition's education rule, which the deduction rests on.
    """

    feeds: Feeds
    insurance: pl.LazyFrame
    counted: pl.LazyFrame
    careers: pl.LazyFrame
    credential: pl.LazyFrame = field(default_factory=pl.LazyFrame)

    @property
    def applicants(self) -> pl.LazyFrame:
        """One row an accepted application, ascending by person."""
        return self.feeds["applications"]


def existing(insurance: pl.LazyFrame, edition: Edition, this_round: Round) -> pl.LazyFrame:
    """The insurance rows that exist for conditions and indicators."""
    first_month = edition.counted_months.values["first_month"]
    return insurance.filter(
        pl.col("recorded_on") <= this_round.reference_date,
        pl.col("month").is_between(first_month, this_round.reference_date),
    ).drop("recorded_on")
