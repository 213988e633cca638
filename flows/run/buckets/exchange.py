"""The exchange: the rows of a feed are read and checked once, and go to the buckets of their people.

Good rows keep their position in the feed; rows that fail a check, those without a right person_id
among them, stay here.  One file is open at a time.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import polars as pl

from flows.run.buckets.places import complete, delivered
from flows.run.buckets.whose import Whose
from flows.run.delivery import Part
from flows.run.drop_repeats import Repeats
from flows.run.screening import Checked, checked, require_share, together

NONE_GONE = pl.Series("row", [], pl.UInt32)


def exchange(
    feed: str,
    parts: list[Part],
    received_on: date | None,
    max_rejects: Fraction,
    *,
    replaced: pl.DataFrame,
    folders: list[Path],
    whose: Whose,
) -> list[Checked]:
    """Send a feed's good rows to the buckets; its batches are given back without them.

    Raises FeedRefused where too many rows are bad already, whatever the buckets find.
    """
    keep = to_buckets(feed, folders, whose)
    done = [*checked(feed, parts, received_on, replaced, keep)]
    require_share(together(feed, done, no_repeats(done)), max_rejects)
    return done


def to_buckets(feed: str, folders: list[Path], whose: Whose) -> Callable[[Checked], Checked]:
    """What is done with a batch: every bucket gets a file of it, perhaps one without rows."""

    def keep(batch: Checked) -> Checked:
        rows = batch.good.with_columns(whose.of(batch.good["person_id"]))
        found = rows.partition_by("bucket", include_key=False, as_dict=True)
        empty = batch.good.clear()
        for number, folder in enumerate(folders):
            path = delivered(folder, feed, batch.start)
            complete([found.get((number,), empty)], path)
        return replace(batch, good=empty)

    return keep


def no_repeats(done: list[Checked]) -> Repeats:
    """No row that repeats another: the buckets look for those."""
    return Repeats(NONE_GONE, 0, done[0].good.clear())
