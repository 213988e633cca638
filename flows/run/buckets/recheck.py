"""The second engine in buckets: every bucket's rules, then ranks and every difference over all."""

from pathlib import Path

from flows.common.progress import report
from flows.common.settings import Order
from flows.run.buckets.numbers import numbers
from flows.run.second_engine import check, recompute_bucket

STAGE = "buckets rechecked"


def check_in_buckets(order: Order, work: Path, places: list[Path]) -> None:
    """Raise CheckFailed, as for a round at once, unless both engines agree on everything."""
    for done, place in enumerate(places):
        report(STAGE, done, len(places))
        recompute_bucket(order, place, numbers(place))
    report(STAGE, len(places), len(places))
    check(order, work, places)
