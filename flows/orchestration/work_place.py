"""Where a run works and who does its buckets: this process, or the workers that were asked for.

Dask is imported only where it is asked for: that takes a second.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from flows.common.settings import Order
from flows.orchestration.console import say
from flows.run.buckets.how_many import how_many
from flows.run.buckets.store import RECORDS
from flows.run.buckets.tasks import done_by
from flows.run.work_folder import lasting_work_folder, work_folder

LEFT = "what its workers did is kept for a week: the same command goes on from there"


@dataclass(frozen=True)
class Workers:
    """Who is to work on buckets: so many processes here, or those of a scheduler."""

    here: int = 0
    address: str | None = None
    insecure: bool = False
    memory: int | None = None  # bytes each of those here may take


wanted: ContextVar[Workers | None] = ContextVar("wanted", default=None)


@contextmanager
def work_place(order: Order) -> Iterator[Path]:
    """The folder a run works in; its buckets go to workers where there are several and workers wanted."""
    workers, buckets = wanted.get(), how_many(order.feeds) if wanted.get() else 1
    if workers and buckets > 1:
        with on_workers(order, buckets, workers) as work:
            yield work
        return
    if workers:
        say("the round is small enough to be worked on at once, so no worker is asked")
    with work_folder(order) as work:
        yield work


@contextmanager
def on_workers(order: Order, buckets: int, workers: Workers) -> Iterator[Path]:
    """The folder of a run whose buckets go to workers; what they did stays where it does not end well."""
    from flows.orchestration import bucket_tasks, cluster

    stays: Path | None = None
    try:
        with (
            lasting_work_folder(order, buckets) as (work, stays),
            cluster.task_runner(workers, stays, order.feeds, order.data) as runner,
            done_by(bucket_tasks.on_workers(runner, stays)),
        ):
            yield work
    except BaseException:
        if stays and (stays / RECORDS).is_dir():
            say(LEFT)
        raise
