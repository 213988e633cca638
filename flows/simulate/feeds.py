"""The seventeen feeds as delivered: columns, types and keys as their models say, codes as text."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from flows.simulate.arrays import Ints
from schemas import feeds

Feeds: TypeAlias = dict[str, pl.DataFrame]

SCHEMAS = {name: delivered.schema().columns for name, delivered in feeds.FEEDS.items()}
FEEDS: Mapping[str, Mapping[str, pl.DataType]] = {
    feed: {
        name: pl.String() if isinstance(column.dtype.type, pl.Categorical) else column.dtype.type
        for name, column in columns.items()
    }
    for feed, columns in SCHEMAS.items()
}
KEYS: Mapping[str, list[str]] = {
    name: [column for key in delivered.keys for column in key]
    for name, delivered in feeds.FEEDS.items()
    if delivered.keys
}


def frame(feed: str, columns: Mapping[str, Any]) -> pl.DataFrame:
    """A feed's frame from its columns, the same value for all or one a row.

    A day is a whole number, since 1970-01-01; a negative one is null where the column may be.
    """
    rows = next(len(column) for column in columns.values() if is_one_a_row(column))
    made = []
    for name, dtype in FEEDS[feed].items():
        value = columns[name]
        column = pl.Series(name, value if is_one_a_row(value) else np.full(rows, value))
        if dtype == pl.Date() and column.dtype.is_integer():
            column = column.cast(pl.Int32)
            if SCHEMAS[feed][name].nullable:
                column = column.set(column < 0, None)
        made.append(column.cast(dtype))
    return pl.DataFrame(made)


def is_one_a_row(value: Any) -> bool:
    """Whether there is a value for each row; numpy would copy a series to find out."""
    return isinstance(value, pl.Series) or np.ndim(value) > 0


def rows(feed: str, ids: pl.Series, *pieces: tuple[Ints, Mapping[str, Any]]) -> pl.DataFrame:
    """Several pieces of a feed, each the people (as places in `ids`) and the columns, in one order."""
    key = next(iter(FEEDS[feed]))
    made = (frame(feed, {key: ids.gather(who), **columns}) for who, columns in pieces)
    return pl.concat(made).sort(pl.all())
