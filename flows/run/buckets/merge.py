"""The tables of buckets as one table, in the order it would have had in one bucket, some rows at a time.

Each ascends by a key and no key stands in two of them.  So the rows up to a value of the key are the
next of every table, and only those are in memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import polars as pl

from flows.common.by_name import read_table, scan_table
from flows.common.files import ROW_GROUP_ROWS

PIECE_ROWS = 2_000_000  # about so many rows of all tables at a time
LEAST_ROWS = ROW_GROUP_ROWS  # of one table: a smaller piece costs as much reading

Ends = list[list[int]]  # of each table: where its share of each piece ends, 0 first


@dataclass(frozen=True)
class Ascending:
    """A table of a bucket, or a block of it, by its key; people perhaps as numbers of the bucket."""

    path: Path
    key: str
    numbers: pl.Series | None = None  # number in the bucket -> number among everybody
    by_number: bool = False  # whether that is the key
    before: int = 0  # rows of the file before the block

    def keys(self) -> pl.Series:
        """The key of each row."""
        found = read_table(self.path, columns=[self.key])[self.key]
        return self.numbers.gather(found) if self.numbers is not None and self.by_number else found

    def rows(self, start: int, end: int, columns: Sequence[str] | None = None) -> pl.LazyFrame:
        """The rows from a place to another, with the numbers of everybody."""
        rows = scan_table(self.path).slice(self.before + start, end - start)
        if self.numbers is not None:
            rows = rows.with_columns(pl.lit(self.numbers).gather("person").alias("person"))
        return rows.select(columns or pl.all())


def merged(
    tables: Sequence[Ascending], *, then: Sequence[str] = (), columns: Sequence[str] | None = None
) -> Iterator[pl.DataFrame]:
    """The rows of tables by their key, and by more columns among equal keys, piece by piece."""
    key = tables[0].key
    for rows in pieces(tables, ends(tables)):
        yield rows.sort(key, *then, maintain_order=True).select(columns or pl.all())


def ends(tables: Sequence[Ascending]) -> Ends:
    """Where to cut each table, so that every key stands in one piece."""
    heights = [height(table.path) for table in tables]
    step = max(LEAST_ROWS, PIECE_ROWS // len(tables))
    longest = tables[heights.index(max(heights))].keys()
    cuts = longest.gather_every(step, offset=step).unique(maintain_order=True)
    return [
        [0, *table.keys().search_sorted(cuts, side="left").to_list(), rows]
        for table, rows in zip(tables, heights, strict=True)
    ]


def pieces(
    tables: Sequence[Ascending], cut: Ends, columns: Sequence[str] | None = None
) -> Iterator[pl.DataFrame]:
    """The shares of all tables piece by piece, in a piece one table after the other."""
    for shares in zip(*map(pairwise, cut), strict=True):
        asked = [
            table.rows(start, end, columns)
            for table, (start, end) in zip(tables, shares, strict=True)
        ]
        yield pl.concat(pl.collect_all(asked))


def height(path: Path) -> int:
    """The rows of a table."""
    return int(scan_table(path).select(pl.len()).collect().item())
