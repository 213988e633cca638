"""The folder of letters: it appears whole, in one rename, or not at all.

It is written beside its place, under a name of its own that is locked (flock on the folder) for as long
as its command lives, however that ends; the next command removes what a killed one left.  It replaces
nothing but an empty folder or earlier letters of the same round, which a mark in each page tells.
"""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.common.access import OWN_FILE, OWN_FOLDER
from flows.common.failures import BadUsage, CheckFailed
from flows.common.files import put_in_place, sync
from flows.common.private_folder import folders

NAME = re.compile(r"[A-Za-z0-9_-]{1,32}\.html", re.ASCII)
MARK = '<meta name="luohu-letter" content="{}">'
HEAD = 256  # bytes of a page in which the mark stands
REPLACED = ".replaced"  # what `put_in_place` adds where two names cannot be exchanged at once


def file_of(application_no: str) -> str:
    """The name of a letter; raises CheckFailed for what cannot be one, before any path is made of it."""
    name = f"{application_no}.html"
    if not NAME.fullmatch(name):
        raise CheckFailed("expected an application number of A-Z a-z 0-9 - _, found another")
    return name


def put(folder: Path, application_no: str, page: bytes) -> None:
    """Write one letter into a folder that nobody sees yet."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with open(os.open(folder / file_of(application_no), flags, OWN_FILE), "wb") as file:  # noqa: PTH123
        file.write(page)


@contextmanager
def appearing(target: Path, year: int) -> Iterator[Path]:
    """An empty folder to write letters into, which becomes the target when all went well."""
    require_place(target, year)
    for left in left_beside(target):
        remove_if_free(left)
    handle, aside = opened(target)
    try:
        yield aside
        sync(aside)
        with held(target.parent):  # of two who come at once, one waits
            require_place(target, year)
            put_in_place(aside, target)
    finally:
        for left in (aside, aside.with_name(aside.name + REPLACED)):
            shutil.rmtree(left, ignore_errors=True)
        os.close(handle)


def require_place(target: Path, year: int) -> None:
    """Raise BadUsage where letters of a round may not be put; nothing of what is there is named."""
    if not target.parent.is_dir():
        raise BadUsage(f"--out: expected a folder in a folder there is, found none above {target}")
    if not os.path.lexists(target):
        return
    if target.is_symlink() or not target.is_dir():
        raise BadUsage(f"--out: expected a folder, new or of letters, found another file: {target}")
    if others := sum(not is_letter(each, year) for each in os.scandir(target)):
        raise BadUsage(
            f"--out: expected a new or empty folder, or earlier letters of round {year}, found"
            f" {others:,} entries in {target} that are none"
        )


def holds_letters(target: Path) -> bool:
    """Whether a folder that may be replaced has anything in it."""
    return target.is_dir() and any(target.iterdir())


def is_letter(entry: os.DirEntry[str], year: int) -> bool:
    """Whether an entry of a folder is a letter of a round."""
    if not NAME.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False):
        return False
    with open(entry.path, "rb") as file:  # noqa: PTH123 (a hundred thousand of them)
        return MARK.format(year).encode() in file.read(HEAD)


def opened(target: Path) -> tuple[int, Path]:
    """A new folder beside the target, and the handle that holds its lock."""
    while True:
        aside = target.with_name(f".{target.name}.{secrets.token_hex(8)}.partial")
        aside.mkdir(mode=OWN_FOLDER)
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
    """Remove a folder nobody writes letters into any more."""
    with suppress(OSError), held(left, wait=False):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def held(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a folder; raises BlockingIOError where another holds it and one does not wait."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)
