"""The exchange: the rows of a feed are read and checked once, and go to the buckets of their people.

Good rows keep their position in the feed: a batch is named by where it begins, and its rows count from
there.  Rows that fail a check, those without a right person_id among them, stay here.  One file is open
at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import polars as pl

from flows.common.settings import of_buckets
from flows.run.buckets.layout import delivered
from flows.run.buckets.sent_rows import send
from flows.run.buckets.whose import Whose
from flows.run.delivery import Part
from flows.run.drop_repeats import Repeats
from flows.run.screening import Checked, checked, require_share, together

PIECE_ROWS: int = of_buckets()["piece_rows"]
NONE_GONE = pl.Series("row", [], pl.UInt32)


def exchange(
    feed: str,
    parts: list[Part],
    received_on: date | None,
    *,
    replaced: pl.DataFrame,
    folders: list[Path],
    whose: Whose,
    as_texts: bool = False,
) -> list[Checked]:
    """Send a feed's good rows to the buckets; its batches are given back without them.

    Where another process accepts them, ID numbers go as texts.
    """
    keep = to_buckets(feed, folders, whose, as_texts=as_texts)
    return [*checked(feed, parts, received_on, replaced, keep, piece_rows=PIECE_ROWS)]


def require_few(feed: str, done: Sequence[Checked], max_rejects: Fraction) -> None:
    """Raise FeedRefused where too many rows are bad already, whatever the buckets find."""
    require_share(together(feed, [*done], no_repeats(done)), max_rejects)


def to_buckets(
    feed: str, folders: list[Path], whose: Whose, *, as_texts: bool
) -> Callable[[Checked], Checked]:
    """What is done with a batch: every bucket gets a file of it, perhaps one without rows."""

    def keep(batch: Checked) -> Checked:
        good = batch.good.with_columns(pl.col("row") - batch.start)
        bucket = whose.of(good["person_id"])
        for number, folder in enumerate(folders):
            # rows of a person come together: a filter copies them as such, a partition row by row
            theirs = good.filter(bucket == number)
            send(theirs, delivered(folder, feed, batch.start), as_texts=as_texts)
        return replace(batch, good=good.clear())

    return keep


def no_repeats(done: Sequence[Checked]) -> Repeats:
    """No row that repeats another: the buckets look for those."""
    return Repeats(NONE_GONE, 0, done[0].good.clear())
