"""The folder a run works in, inside the warehouse, locked for as long as it lives."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.common.access import access_of, let_through
from flows.common.database import DATABASE
from flows.common.failures import PublicationFailed
from flows.common.private_folder import may_work_in, private_folder
from flows.common.settings import Order
from flows.run.publish import require_readable


@contextmanager
def work_folder(order: Order) -> Iterator[Path]:
    """A folder to work in, inside the warehouse; removed when the run does not complete."""
    order.reason()
    require_readable(order.warehouse)
    require_writable(order.warehouse)
    with private_folder(order.warehouse) as work:
        yield work


def require_writable(warehouse: Path) -> None:
    """Raise PublicationFailed where a warehouse cannot be made or written to."""
    try:
        if not warehouse.is_dir():
            warehouse.mkdir(parents=True)
            let_through(warehouse, access_of(warehouse / DATABASE))
        if not may_work_in(warehouse):
            raise PermissionError(13, os.strerror(13))
    except OSError as error:
        raise PublicationFailed(
            f"expected a warehouse that can be written to, found {warehouse}: {error.strerror}"
        ) from error
