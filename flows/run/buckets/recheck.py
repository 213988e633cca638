"""The second engine in buckets: every bucket's rules; ranks and differences are of all of them."""

from pathlib import Path

import polars as pl

from flows.common.settings import Order
from flows.run.buckets.layout import complete
from flows.run.buckets.numbering import numbers
from flows.run.buckets.tasks import of_buckets
from flows.run.second_engine import SCORECARD, scorecard

# what the second engine works out a bucket from
RECOMPUTED = ("accepted/*.parquet", "restricted/*.parquet", "keys/people.parquet")


def recompute_in_buckets(order: Order, places: list[Path]) -> None:
    """Let the second engine work out every bucket."""
    of_buckets("buckets rechecked", "recheck", recompute_bucket, places, order, takes=RECOMPUTED)


def recompute_bucket(folder: Path, order: Order) -> None:
    """Let the second engine work out a bucket; its scorecard stays there, by the numbers of everybody."""
    found = pl.DataFrame(scorecard(order, folder))
    person = numbers(folder).gather(found["person"])
    complete([found.with_columns(person=person)], folder / f"{SCORECARD}.parquet")
