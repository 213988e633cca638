"""The second engine in buckets: every bucket's rules, then ranks and every difference over all."""

from pathlib import Path

import polars as pl

from flows.common.progress import report
from flows.common.settings import Order
from flows.run.buckets.numbers import numbers
from flows.run.buckets.places import complete
from flows.run.second_engine import SCORECARD, check, scorecard

STAGE = "buckets rechecked"


def check_in_buckets(order: Order, work: Path, places: list[Path]) -> None:
    """Raise CheckFailed, as for a round at once, unless both engines agree on everything."""
    for done, place in enumerate(places):
        report(STAGE, done, len(places))
        recompute_bucket(order, place)
    report(STAGE, len(places), len(places))
    check(order, work, places)


def recompute_bucket(order: Order, folder: Path) -> None:
    """Let the second engine work out a bucket; its scorecard stays there, by the numbers of everybody."""
    found = pl.from_arrow(scorecard(order, folder))
    assert isinstance(found, pl.DataFrame)
    person = numbers(folder).gather(found["person"])
    complete([found.with_columns(person=person)], folder / f"{SCORECARD}.parquet")
