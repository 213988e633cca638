"""The folder a run works in, inside the warehouse, locked for as long as it lives."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.common.access import access_of, let_through
from flows.common.database import DATABASE
from flows.common.failures import FeedRefused, PublicationFailed
from flows.common.files import sha256_of
from flows.common.private_folder import kept_folder, may_work_in, private_folder
from flows.common.settings import Order
from flows.kept.manifest import environment, made_from
from flows.kept.run_id import DIGITS
from flows.run.delivery import Folder, folder_of
from flows.run.publish import require_readable
from schemas.feeds import FEEDS
from transforms.policy import PolicyError


@contextmanager
def lasting_work_folder(order: Order, buckets: int) -> Iterator[tuple[Path, Path]]:
    """A folder to work in, and one that is there again for a run made from the same that did not end."""
    require_workable(order)
    name = f"{order.year}-{digest_of(order, buckets)}"
    with kept_folder(order.warehouse, name, (FeedRefused, PolicyError)) as folders:
        yield folders


def digest_of(order: Order, buckets: int) -> str:
    """What a run is made from, as far as it is known before the delivery is read."""
    feeds = {feed: sizes(folder_of(order.feeds, feed)) for feed in FEEDS}
    versions = environment()["libraries"]
    return sha256_of([made_from(order, {"feeds": feeds}), buckets, versions])[:DIGITS]


def sizes(folder: Folder) -> list[int]:
    """How large the files of a feed are."""
    return [part.path.stat().st_size for part in folder.parts]


@contextmanager
def work_folder(order: Order) -> Iterator[Path]:
    """A folder to work in, inside the warehouse; removed when the run does not complete."""
    require_workable(order)
    with private_folder(order.warehouse) as work:
        yield work


def require_workable(order: Order) -> None:
    """Raise a Failure, before anything is made, where the run could not be published in the end."""
    order.reason()
    require_readable(order.warehouse)
    require_writable(order.warehouse)


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
