"""A lock that lives no longer than its holder: of two processes that come at once, one waits."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.common.access import OWN_FILE


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold the lock of a file, which is made where there is none."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, OWN_FILE)
    with os.fdopen(handle, "r+b"):
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
