"""What a reader gives: rows in the model's types, and the cells that hold text and have no value."""

from dataclasses import dataclass

import polars as pl

PARSE_FAILURES = {
    "index": pl.Int64,
    "column_name": pl.String,
    "check_name": pl.String,
    "value": pl.String,
}


@dataclass(frozen=True)
class Delivered:
    """A piece of a file as read; `index` in parse_failures counts its rows."""

    part: str
    rows: pl.DataFrame
    parse_failures: pl.DataFrame


def failures_of(name: str, check: str, at: pl.Expr, value: pl.Expr) -> list[pl.Expr]:
    """The columns of PARSE_FAILURES for one column of a feed."""
    return [
        at.cast(pl.Int64).alias("index"),
        pl.lit(name).alias("column_name"),
        pl.lit(check).alias("check_name"),
        value.cast(pl.String).alias("value"),
    ]
