"""Where the files of buckets lie below a run's work folder; they go before it is published.

A bucket's folder is laid out as the work folder of a round, so that every stage of a round can be
asked for it.  Beside that lie the rows delivered about its people, and what it passes on.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from flows.common.files import write_json, write_parts
from flows.run.number_people import NAMES_EMPLOYERS
from schemas.feeds import FEEDS

FOLDER = "buckets"
PLAN = "plan.json"
# about no person, or looked at whole for what they say of employers and application numbers
WHOLE = {
    feed
    for feed, delivery in FEEDS.items()
    if feed in NAMES_EMPLOYERS or "person_id" not in delivery.schema().columns
}
OF_BUCKETS = tuple(feed for feed in FEEDS if feed not in WHOLE)  # their rows go to a bucket each


def prepare(work: Path, buckets: int) -> list[Path]:
    """The folders of so many buckets."""
    for folder in (found := [bucket(work, number) for number in range(buckets)]):
        folder.mkdir(mode=0o700, parents=True)
    write_json({"buckets": buckets}, work / FOLDER / PLAN)
    return found


def buckets_of(work: Path) -> list[Path]:
    """The folders of the buckets a run is worked on in; none where it is worked on at once."""
    path = work / FOLDER / PLAN
    if not path.is_file():
        return []
    count = json.loads(path.read_text(encoding="utf-8"))["buckets"]
    return [bucket(work, number) for number in range(count)]


def remove_buckets(work: Path) -> None:
    """Remove what is no part of a run."""
    shutil.rmtree(work / FOLDER)


def bucket(work: Path, number: int) -> Path:
    """The folder of one bucket."""
    return work / FOLDER / f"{number:05}"


def delivered(folder: Path, feed: str, start: int) -> Path:
    """Where the rows of a batch that begins at a position in its feed lie."""
    return folder / "delivered" / feed / f"{start:012}.arrow"


def exchanged(work: Path, feed: str, first: int) -> Path:
    """Where another process leaves what it made of some files of a feed."""
    return work / FOLDER / "exchanged" / feed / f"{first:06}"


def batches(folder: Path, feed: str) -> list[Path]:
    """The rows delivered about the people of a bucket, in the order of the feed."""
    return sorted((folder / "delivered" / feed).glob("*.arrow"))


def conflicting(folder: Path, feed: str) -> Path:
    """Where rows that share a key and differ lie."""
    return folder / "conflicting" / f"{feed}.parquet"


def counts(folder: Path) -> Path:
    """Where what a bucket accepted is counted; it comes last, so with it all of that is there."""
    return folder / "counts.json"


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A place to write a file: it is complete under its name, or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".partial")
    yield aside
    aside.replace(path)


def complete(parts: Iterable[pl.DataFrame], path: Path) -> None:
    """A table."""
    with whole(path) as aside:
        write_parts(parts, aside)


def complete_json(content: Any, path: Path) -> None:
    """JSON."""
    with whole(path) as aside:
        write_json(content, aside)
