"""Score in buckets: every bucket as a round of its own, then the tables as one, by application number."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from flows.common.files import write_parts
from flows.common.settings import Order
from flows.run.buckets.merge import Ascending, Ends, ends, height, pieces
from flows.run.buckets.rank import count_totals
from flows.run.buckets.tasks import of_buckets
from flows.run.score import clauses, publish_table, score

ACCEPTED = ("accepted/*.parquet", "restricted/*.parquet")  # what a bucket is scored by
KEY = "application_no"


def score_in_buckets(order: Order, work: Path, places: list[Path]) -> Path:
    """Write scores, eligibility and both evidence tables; returns the work folder."""
    edition = order.edition()
    of_buckets("buckets scored", "score", score_bucket, places, order, takes=ACCEPTED)
    merge = Merge(places)
    blocks = {
        "scores": 1,
        "eligibility": 1,
        "evidence": len(edition.indicators),
        "condition_evidence": len(edition.conditions),
    }
    for table, times in blocks.items():
        write_parts(merge.rows(table, times), work / f"{table}.parquet")
    publish_table(work, "clauses", clauses(edition, order.year))
    return work


def score_bucket(folder: Path, order: Order) -> None:
    """Score the people of a bucket, and count them by total."""
    score(order, folder)
    count_totals(folder)


class Merge:
    """How the tables of buckets, each ascending by application number, become one that does."""

    def __init__(self, places: list[Path]) -> None:
        self.places = places
        everybody = self.tables("scores")
        self.cut: Ends = ends(everybody)
        numbers = pieces(everybody, self.cut, [KEY])
        self.orders = [rows[KEY].arg_sort() for rows in numbers]

    def tables(self, name: str, block: int = 0) -> list[Ascending]:
        """The table of each bucket, or a block of it that has everybody once."""
        return [
            Ascending(
                place / f"{name}.parquet", KEY, before=block * height(place / "scores.parquet")
            )
            for place in self.places
        ]

    def rows(self, name: str, blocks: int) -> Iterator[pl.DataFrame]:
        """The rows of a table that has everybody so many times, one block after the other."""
        for block in range(blocks):
            found = pieces(self.tables(name, block), self.cut)
            for rows, order in zip(found, self.orders, strict=True):
                yield rows[order]
