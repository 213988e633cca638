"""Ranking with same score, same settlement (同分同落, release of 2020-07-16, Q&A 16).

Only eligible applicants are ranked; equal totals share a rank (1, 2, 2, 4).  The line is the total at
the place of the quota, and everyone at or above it settles; with fewer than the quota all settle.
Serials follow the total downwards, then the application number by code point.
"""

from dataclasses import dataclass

import polars as pl

SERIALS_A_YEAR = 100_000  # a serial is the year followed by five digits


@dataclass(frozen=True)
class Line:
    """What a ranking comes to, in centipoints; no line when nobody is eligible or the quota is 0."""

    eligible: int
    settled: int
    cutoff: int | None
    tied_at_cutoff: int


def ranking(totals: pl.DataFrame, quota: int, year: int) -> pl.DataFrame:
    """Rank eligible applicants: application_no, total -> also rank, settled, serial.

    The result ascends by rank, then by application_no.
    """
    ordered = totals.sort("total", "application_no", descending=[True, False])
    line = cutoff(ordered["total"], quota)
    settled = pl.lit(value=False) if line is None else pl.col("total") >= line
    return (
        ordered.with_row_index("place", offset=1)
        .with_columns(settled=settled)
        .select(
            "application_no",
            "total",
            rank=pl.col("total").rank("min", descending=True).cast(pl.Int64),
            settled="settled",
            serial=pl.when("settled").then(pl.col("place").cast(pl.Int64) + year * SERIALS_A_YEAR),
        )
    )


def cutoff(descending_totals: pl.Series, quota: int) -> int | None:
    """The total at the place of the quota, the lowest when there are fewer; null without places."""
    places = min(quota, len(descending_totals))
    return int(descending_totals[places - 1]) if places else None


def line(ranked: pl.DataFrame) -> Line:
    """The line a ranking has drawn."""
    settled = ranked.filter("settled")
    lowest = settled["total"].min() if settled.height else None
    return Line(
        eligible=ranked.height,
        settled=settled.height,
        cutoff=lowest,  # type: ignore[arg-type]
        tied_at_cutoff=settled.filter(pl.col("total") == lowest).height if settled.height else 0,
    )
