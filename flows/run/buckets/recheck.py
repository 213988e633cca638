"""The second engine in buckets: every bucket's rules; ranks and differences are of all of them."""

from pathlib import Path

import polars as pl

from flows.common.progress import report
from flows.common.settings import Order
from flows.run.buckets.numbers import numbers
from flows.run.buckets.places import complete
from flows.run.second_engine import SCORECARD, scorecard

STAGE = "buckets rechecked"


def recompute_in_buckets(order: Order, places: list[Path]) -> None:
    """Let the second engine work out every bucket."""
    for done, place in enumerate(places):
        report(STAGE, done, len(places))
        recompute_bucket(order, place)
    report(STAGE, len(places), len(places))


def recompute_bucket(order: Order, folder: Path) -> None:
    """Let the second engine work out a bucket; its scorecard stays there, by the numbers of everybody."""
    found = pl.DataFrame(scorecard(order, folder))
    person = numbers(folder).gather(found["person"])
    complete([found.with_columns(person=person)], folder / f"{SCORECARD}.parquet")
