"""A folder that appears whole, in one rename, or not at all.

It is written beside its place, under a name of its own that is locked (flock on the folder) for as long
as its command lives, however that ends; the next command removes what a killed one left.
"""

import ctypes
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.common.failures import BadUsage
from flows.common.files import exchanged, sync, sync_entry
from flows.common.private_folder import WORK, folders

OF_WAREHOUSE = ("runs", "deliveries", WORK)
REPLACED = ".replaced"  # what made way where two names cannot be exchanged at once


@contextmanager
def appearing(target: Path, require: Callable[[], None], mode: int) -> Iterator[Path]:
    """An empty folder to write into, which becomes the target when all went well.

    `require` raises where the target may not be replaced; it is asked before the work and after it.
    """
    require()
    for left in left_beside(target):
        remove_if_free(left)
    handle, aside = opened(target, mode)
    try:
        yield aside
        sync_at_once(aside)
        with held(target.parent):  # of two who come at once, one waits
            require()
            change_places(aside, target)
    finally:
        for left in (aside, aside.with_name(aside.name + REPLACED)):
            shutil.rmtree(left, ignore_errors=True)
        os.close(handle)


@contextmanager
def naming_place(what: str, target: Path) -> Iterator[None]:
    """Turn what a disk says into what could not be written, and where."""
    try:
        yield
    except OSError as error:
        raise BadUsage(
            f"cannot write {what} to {target}: {error.strerror}; nothing half was left there"
        ) from None


def is_there(target: Path, kind: str) -> bool:
    """Whether a folder is there already; raises BadUsage where none can be, or something else is."""
    if not target.absolute().parent.is_dir():
        raise BadUsage(f"--out: expected a folder in a folder there is, found none above {target}")
    if not os.path.lexists(target):
        return False
    if target.is_symlink() or not target.is_dir():
        raise BadUsage(f"--out: expected a folder, new or of {kind}, found another file: {target}")
    return True


def require_outside(target: Path, warehouse: Path) -> None:
    """Raise BadUsage for a place among a warehouse's own: a folder there would be taken for a run of it."""
    place = target.parent.resolve() / target.name
    for own in (warehouse / name for name in OF_WAREHOUSE):
        if place.is_relative_to(own.resolve()):
            raise BadUsage(f"--out: expected a folder outside {own}, found {target}")


def change_places(folder: Path, target: Path) -> None:
    """Rename a folder that is on the disk; what stands there makes way, at once where that can be done."""
    if target.exists() and not exchanged(folder, target):
        target.rename(folder.with_name(folder.name + REPLACED))
    if folder.exists() and not target.exists():
        folder.rename(target)
    sync_entry(target.parent)


def sync_at_once(folder: Path) -> None:
    """Force a folder to the disk, however many files it has: a call for its file system, not one a file."""
    try:
        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        sync(folder)
        return
    with opened_folder(folder) as handle:
        if syncfs(handle):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), os.fspath(folder))


def opened(target: Path, mode: int) -> tuple[int, Path]:
    """A new folder beside the target, and the handle that holds its lock."""
    while True:
        aside = target.with_name(f".{target.name}.{secrets.token_hex(8)}.partial")
        aside.mkdir(mode=mode)
        with suppress(FileNotFoundError, BlockingIOError):  # a sweeper was quicker
            handle = os.open(aside, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(handle).st_nlink:
                return handle, aside
            os.close(handle)


def left_beside(target: Path) -> list[Path]:
    """What killed commands left beside a target."""
    name = rf"\.{re.escape(target.name)}\.[0-9a-f]{{16}}\.partial({re.escape(REPLACED)})?"
    return folders(target.parent, re.compile(name))


def remove_if_free(left: Path) -> None:
    """Remove a folder nobody writes into any more."""
    with suppress(OSError), held(left, wait=False):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def held(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a folder; raises BlockingIOError where another holds it and one does not wait."""
    with opened_folder(folder) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


@contextmanager
def opened_folder(folder: Path) -> Iterator[int]:
    """The handle of a folder, for a while."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)
