"""Runs of months alike as spans: person, first (month number), months, and what they are alike in."""

from collections.abc import Sequence

import polars as pl


def joined(rows: pl.DataFrame, alike: Sequence[str], borders: Sequence[int] = ()) -> pl.DataFrame:
    """Spans that follow each other at once and are alike, as one; none reaches over a border.

    Only neighbours are joined, so that rows ascending by person and month come out as few as can be.
    """
    before = (pl.col("first") + pl.col("months")).shift()
    goes_on = pl.all_horizontal(
        pl.col("first") == before,
        *(pl.col(name).eq_missing(pl.col(name).shift()) for name in ("person", *alike)),
    )
    begins = ~goes_on.fill_null(value=False) | pl.col("first").is_in(list(borders))
    at = rows.select(begins).to_series().arg_true()
    until = at.shift(-1, fill_value=rows.height)
    sums = rows["months"].cast(pl.Int64).cum_sum()
    months = sums.gather(until - 1) - sums.gather(at) + rows["months"].gather(at)
    return rows.select("person", "first", *alike)[at].with_columns(months=months.cast(pl.Int32))
