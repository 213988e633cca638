"""One bucket's rows as they are accepted: repeats of a key dropped, people and employers numbered.

Takes the bucket's folder and leaves accepted rows there, those that contradict each other, and counts.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypedDict, TypeVar

import polars as pl

from flows.common.by_name import read_table
from flows.run.buckets.layout import (
    OF_BUCKETS,
    batches,
    complete,
    complete_json,
    conflicting,
    counts,
)
from flows.run.buckets.numbering import keys as people_of
from flows.run.buckets.sent_rows import received
from flows.run.drop_repeats import Repeats, repeated, together
from flows.run.ingest import accept_feed
from flows.run.number_people import LARGEST, Keys
from flows.run.read_parquet import PIECE_ROWS
from flows.run.screening import Screened

Result = TypeVar("Result")


class Accepted(TypedDict):
    """What became of a feed's good rows in one bucket."""

    accepted: int
    strangers: int
    duplicates: int


def accept_bucket(folder: Path) -> dict[str, Accepted]:
    """Accept the rows of one bucket; feed -> its counts."""
    keys = Keys(
        people=read_table(people_of(folder)),
        employers=read_table(folder / "keys" / "employers.parquet"),
    )
    found = of_each(lambda feed: accept_one_feed(folder, feed, keys))
    complete_json(found, counts(folder))
    return found


def of_each(function: Callable[[str], Result]) -> dict[str, Result]:
    """What a function makes of each feed, the largest beside the others: cores are kept busy."""
    with ThreadPoolExecutor(2) as pool:
        waiting = {LARGEST: pool.submit(function, LARGEST)}
        waiting |= {feed: pool.submit(function, feed) for feed in OF_BUCKETS if feed != LARGEST}
        return {feed: waiting[feed].result() for feed in OF_BUCKETS}


def accept_one_feed(folder: Path, feed: str, keys: Keys) -> Accepted:
    """Accept the rows of one feed; those that were delivered in no order keep their position."""
    parts = delivered_parts(folder, feed)
    found = repeated(feed, parts)
    complete([found.conflicting], conflicting(folder, feed))
    rows = good_rows(feed, parts, found)
    accepted = accept_feed(rows, keys, folder, placed=feed == LARGEST)
    for path in batches(folder, feed):
        path.unlink()
    return Accepted(
        accepted=accepted.accepted,
        strangers=accepted.strangers,
        duplicates=found.dropped,
    )


def repeats_in(feed: str, places: list[Path]) -> Repeats:
    """What `accept_bucket` would find of repeats: how many, and the rows that contradict each other."""
    return together([repeated(feed, delivered_parts(place, feed)) for place in places])


def delivered_parts(folder: Path, feed: str) -> list[pl.DataFrame]:
    """The rows delivered about the people of a bucket, by their positions in the feed."""
    with ThreadPoolExecutor(2) as pool:  # one file takes one core
        return larger([*pool.map(partial(in_feed, feed), batches(folder, feed))])


def in_feed(feed: str, path: Path) -> pl.DataFrame:
    """The rows of a batch by their position in the feed: the batch is named by where it begins."""
    return received(path, feed).with_columns(pl.col("row") + int(path.stem))


def larger(parts: list[pl.DataFrame]) -> list[pl.DataFrame]:
    """The same rows in fewer parts: each costs time, however few rows it has."""
    found: list[list[pl.DataFrame]] = [[]]
    for part in parts:
        if sum(each.height for each in found[-1]) >= PIECE_ROWS:
            found.append([])
        found[-1].append(part)
    return [pl.concat(each) for each in found]


def good_rows(feed: str, parts: list[pl.DataFrame], found: Repeats) -> Screened:
    """Rows that passed every check at the exchange, which keeps the rejects and counts the files."""
    return Screened(
        feed=feed,
        parts=parts,
        repeated=found.gone,
        rejects=pl.DataFrame(),
        file_rows={},
        quarantined=found.conflicting.height,
        duplicates=found.dropped,
        left_out={},
    )


def accepted_in(folder: Path) -> dict[str, Accepted] | None:
    """The counts a bucket left; nothing where it did not come so far."""
    path = counts(folder)
    if not path.is_file():
        return None
    found: dict[str, Accepted] = json.loads(path.read_text(encoding="utf-8"))
    return found
