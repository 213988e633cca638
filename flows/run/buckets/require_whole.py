"""Nothing is published of a round in buckets unless every bucket and every row of it is there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flows.common.by_name import read_table
from flows.common.failures import CheckFailed
from flows.run.buckets.accept import accepted_in
from flows.run.buckets.merge import height
from flows.run.buckets.rank import totals

BECAME = ("accepted", "quarantined", "duplicates", "strangers")  # what a row that was read may be
OF_EVERYBODY = ("scores", "eligibility")


def require_whole(work: Path, places: list[Path], delivery: dict[str, Any]) -> None:
    """Raise CheckFailed, naming what is missing or too much, before anything is published."""
    trouble = [
        *missing_buckets(places),
        *lost_rows(work, delivery["feeds"]),
        *lost_people(work, places, delivery["feeds"]["applications"]["accepted"]),
    ]
    if trouble:
        raise CheckFailed("; ".join(trouble) + "; nothing was published")


def missing_buckets(places: list[Path]) -> Iterator[str]:
    """Buckets that did not do their part."""
    for number, place in enumerate(places, start=1):
        there = accepted_in(place) and totals(place).is_file()
        if not there:
            yield f"bucket {number} of {len(places)}: expected what it came to, found it incomplete"


def lost_rows(work: Path, feeds: dict[str, Any]) -> Iterator[str]:
    """Feeds of which a row that was read is nowhere, or twice."""
    for feed, counts in feeds.items():
        became = sum(counts[name] for name in BECAME)
        if became != counts["rows"]:
            yield f"{feed}: expected {counts['rows']:,} rows as read, found {became:,}"
        if (kept := height(work / "accepted" / f"{feed}.parquet")) != counts["accepted"]:
            yield f"{feed}: expected {counts['accepted']:,} accepted rows, found {kept:,}"


def lost_people(work: Path, places: list[Path], applications: int) -> Iterator[str]:
    """Tables that do not have everybody once."""
    for table in OF_EVERYBODY:
        if (found := height(work / f"{table}.parquet")) != applications:
            yield f"{table}: expected {applications:,} applications, found {found:,}"
    held = read_table(work / "eligibility.parquet", columns=["eligible"])["eligible"].sum()
    counts = [read_table(totals(place)) for place in places if totals(place).is_file()]
    counted = sum(int(each["people"].sum()) for each in counts)
    for what, found in (("totals", counted), ("ranking", height(work / "ranking.parquet"))):
        if found != held:
            yield f"{what}: expected {held:,} eligible applicants, found {found:,}"
