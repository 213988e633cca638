"""Points from evidence: the parts of an indicator, each rounded on its own, and how they make it.

A rule declares its parts once; the published points and what a receipt shows both come from them.
The published list of 2020 proves that each part is rounded half up and then added: rounding once
after adding misses 1,226 of its 6,032 residence scores, half-even 471.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

MONTHS_A_YEAR = 12


def half_up(numerator: pl.Expr, denominator: int) -> pl.Expr:
    """`numerator / denominator` rounded half up, in integers; below zero, away from zero."""
    size = (2 * numerator.abs() + denominator) // (2 * denominator)
    return pl.when(numerator < 0).then(-size).otherwise(size)


def count(name: str) -> pl.Expr:
    """A count of the evidence; nothing on record is 0."""
    return pl.col(name).fill_null(0)


def flag(name: str) -> pl.Expr:
    """A truth value of the evidence; nothing on record is false."""
    return pl.col(name).fill_null(value=False)


@dataclass(frozen=True)
class Part:
    """What is counted, at its rate, divided and rounded half up, then limited.

    shown: what a reader is shown beside it, by name: the counts, and gates that let them count.
    """

    name: str
    counted: pl.Expr
    rate: int = 1
    divisor: int = 1
    at_most: int | pl.Expr | None = None
    shown: Mapping[str, pl.Expr] = field(default_factory=dict)

    @property
    def numerator(self) -> pl.Expr:
        """What is divided, in centipoints."""
        return self.counted.cast(pl.Int64) * self.rate

    @property
    def centipoints(self) -> pl.Expr:
        """The part rounded and limited."""
        whole = self.divisor == 1
        rounded = self.numerator if whole else half_up(self.numerator, self.divisor)
        return rounded if self.at_most is None else pl.min_horizontal(rounded, self.at_most)


def monthly(name: str, months: pl.Expr, rate: int) -> Part:
    """Months at a yearly rate, rounded half up."""
    return Part(name, months, rate, MONTHS_A_YEAR, shown={"months": months})


def full_years(
    name: str,
    months: pl.Expr,
    rate: int,
    gates: Mapping[str, pl.Expr],
    at_most: int | None = None,
) -> Part:
    """Whole years at a yearly rate; the months left over earn nothing."""
    years = months // MONTHS_A_YEAR
    shown = {**gates, "months": months, "full_years": years}
    return Part(name, years, rate, at_most=at_most, shown=shown)


@dataclass(frozen=True)
class Parts:
    """An indicator: the sum of its parts or the largest of them, limited."""

    parts: Sequence[Part]
    combined: Literal["sum", "largest"] = "sum"
    at_most: int | pl.Expr | None = None
    at_least: int | pl.Expr | None = None

    @property
    def centipoints(self) -> pl.Expr:
        """The points of the indicator."""
        each = [part.centipoints for part in self.parts]
        largest = self.combined == "largest"
        points = pl.max_horizontal(each) if largest else pl.sum_horizontal(each, ignore_nulls=False)
        if self.at_most is not None:
            points = pl.min_horizontal(points, self.at_most)
        if self.at_least is not None:
            points = pl.max_horizontal(points, self.at_least)
        return points.cast(pl.Int64)

    def expressions(self) -> Iterator[pl.Expr]:
        """Everything worked out from the evidence."""
        yield self.centipoints
        for part in self.parts:
            yield from part.shown.values()
