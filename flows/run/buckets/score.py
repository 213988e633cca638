"""Score in buckets: every bucket as a round of its own, then the tables as one, by application number."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from flows.common.files import write_parts
from flows.common.progress import report
from flows.common.settings import Order
from flows.run.buckets.merge import Ascending, Ends, ends, height, pieces
from flows.run.score import clauses, publish_table, score

STAGE = "buckets scored"
KEY = "application_no"


def score_in_buckets(order: Order, work: Path, places: list[Path]) -> Path:
    """Write scores, eligibility and both evidence tables; returns the work folder."""
    edition = order.edition()
    for done, place in enumerate(places):
        report(STAGE, done, len(places))
        score(order, place)
    report(STAGE, len(places), len(places))
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
