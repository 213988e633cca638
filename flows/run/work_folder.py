"""The folder a run works in, inside the warehouse."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.common.failures import PublicationFailed
from flows.common.settings import Order
from flows.run.publish import require_readable


@contextmanager
def work_folder(order: Order) -> Iterator[Path]:
    """A folder to work in, inside the warehouse; removed when the run does not complete."""
    require_readable(order.warehouse)
    runs = order.warehouse / "runs"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        sweep(runs)
        work = runs / f".work-{order.year}-{os.getpid()}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
    except OSError as error:
        raise PublicationFailed(
            f"expected a warehouse that can be written to, found {order.warehouse}:"
            f" {error.strerror}"
        ) from error
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def sweep(runs: Path) -> None:
    """Remove work folders of runs that were killed."""
    for left in runs.glob(".work-*"):
        process = left.name.rsplit("-", 1)[-1]
        if process.isdigit() and not Path(f"/proc/{process}").exists():
            shutil.rmtree(left, ignore_errors=True)
