"""The parts an indicator adds up from, each before and after rounding (data contract 4 and 5).

A part is `numerator / denominator` rounded half up (away from zero for a deduction), then limited;
the indicator is the sum of its parts, or the largest of them, then limited.
"""

from dataclasses import dataclass
from typing import Any

import polars as pl

from flows.explain.receipts.encode import Pieces, an_array, an_object, plain
from transforms.rounding import half_up


@dataclass(frozen=True)
class Part:
    """One part: what it is, the counts shown beside it, and the fraction it is."""

    name: str
    shown: dict[str, pl.Expr]
    numerator: pl.Expr
    denominator: int = 1
    at_most: int | None = None

    def centipoints(self) -> pl.Expr:
        """The part rounded half up, away from zero, and limited."""
        size = half_up(self.numerator.abs(), self.denominator)
        rounded = pl.when(self.numerator < 0).then(-size).otherwise(size)
        return rounded if self.at_most is None else pl.min_horizontal(rounded, self.at_most)

    def json(self) -> Pieces:
        """The part in a receipt."""
        return an_object(
            {
                "part": self.name,
                **self.shown,
                "numerator": plain(self.numerator),
                "denominator": self.denominator,
                **({} if self.at_most is None else {"at_most": self.at_most}),
                "centipoints": plain(self.centipoints()),
            }
        )


@dataclass(frozen=True)
class Parts:
    """The parts of an indicator and how they make it."""

    parts: list[Part]
    largest: bool = False
    at_most: int | None = None
    at_least: pl.Expr | None = None

    def centipoints(self) -> pl.Expr:
        """The sum or the largest, limited."""
        each = [part.centipoints() for part in self.parts]
        made = (
            pl.max_horizontal(each) if self.largest else pl.sum_horizontal(each, ignore_nulls=False)
        )
        if self.at_most is not None:
            made = pl.min_horizontal(made, self.at_most)
        return made if self.at_least is None else pl.max_horizontal(made, self.at_least)

    def json(self) -> dict[str, Any]:
        """The fields of an indicator in a receipt."""
        return {
            "parts": an_array([part.json() for part in self.parts]),
            "combined": "largest" if self.largest else "sum",
            "at_most": self.at_most,
            "at_least": None if self.at_least is None else plain(self.at_least),
        }
