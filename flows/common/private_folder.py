"""Temporary files: a private folder with a random name, locked for as long as somebody works in it.

All that a command needs for a while lies below `WAREHOUSE/.work`, for its owner only.  Where a
warehouse cannot be written to, or there is none, it lies in the system's folder for temporary files
as `luohu-RANDOM`.  A folder holds a file `lock` (flock) while its command lives, however that ends;
the next command removes every folder whose lock is free.  No process id, host or clock decides.
A folder with a name of its own (`kept_folder`) stays when its work was not completed, for the command that
takes it up again: until one does, or for a week.

How far it reaches: on a disk of this machine always, whatever container or PID namespace a process
is in.  Over NFS Linux sends such a lock to the server, so that other hosts see it (NFSv4, or NFSv3
with its lock daemon); mounted with `nolock` or `local_lock=flock`, or on a file system without locks
between hosts, each host sees its own only: then one warehouse may be used from one host at a time.
A host cut off from the server for longer than its lease loses its lock, and its run fails.
"""

import fcntl
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import ENOENT
from pathlib import Path

from flows.common.failures import PublicationFailed

WORK = ".work"
LOCK = "lock"
FILES = "files"
STAYS = "stays"
OWNER_ONLY = 0o077  # as a umask
IN_SYSTEM = "luohu-"
RANDOM = "[0-9a-f]{16}"
# what earlier versions left without a lock: nobody can know whether it lives, so it has to be old
EARLIER = re.compile(IN_SYSTEM + "(audit|capsule|diff)-[a-z0-9_]{8}")
EARLIER_RUNS = re.compile(r"\.work-\d+-\d+")
TRIES = 100  # each fails only when another command sweeps in the same moment
SPILL = "POLARS_OOC_SPILL_DIR"
LONG = 24 * 60 * 60  # seconds
KEPT = (
    "[0-9]{1,4}-" + RANDOM + "(-[0-9]{1,2})?"
)  # a round, what the work is made from, its number after the first
KEPT_FOR = 7 * LONG
WORKSPACES = 20  # of the same work at once


@contextmanager
def private_folder(warehouse: Path | None = None) -> Iterator[Path]:
    """An empty folder that is removed in the end; files made meanwhile are for their owner only."""
    sweep(warehouse)
    folder, handle = made(warehouse)
    before = os.umask(OWNER_ONLY)
    try:
        files = folder / FILES
        files.mkdir(mode=0o700)
        with spilling_into(folder / "spill"):
            yield files
    finally:
        os.umask(before)
        remove(folder, handle)


@contextmanager
def kept_folder(
    warehouse: Path, name: str, useless_after: tuple[type[BaseException], ...]
) -> Iterator[tuple[Path, Path]]:
    """An empty folder as above, and one beside it, as the last command that failed at this work left it.

    Both are removed when all went well, with what was left of other work on the same round, and where
    the work failed so that nobody will take it up or left nothing to take up.
    """
    sweep(warehouse)
    folder, handle = taken_up(warehouse, name)
    before = os.umask(OWNER_ONLY)
    files, stays = folder / FILES, folder / STAYS
    try:
        for each in folder.iterdir():
            if each.name not in {LOCK, STAYS}:
                shutil.rmtree(each, ignore_errors=True)
        files.mkdir(mode=0o700)
        stays.mkdir(mode=0o700, exist_ok=True)
        with spilling_into(folder / "spill"):
            yield files, stays
    except useless_after:
        remove(folder, handle)
        raise
    except BaseException:
        shutil.rmtree(folder / FILES, ignore_errors=True)
        if any(stays.iterdir()):
            os.close(handle)
        else:
            remove(folder, handle)
        raise
    else:
        remove(folder, handle)
        for other in folders(warehouse / WORK, re.compile(KEPT)):
            if other.name.partition("-")[0] == name.partition("-")[0]:
                remove_if_free(other)
    finally:
        os.umask(before)


def taken_up(warehouse: Path, name: str) -> tuple[Path, int]:
    """A folder of that name where nobody works, and the handle of its lock: two at once get two."""
    place = warehouse / WORK
    try:
        for number in range(WORKSPACES):
            folder = place / (f"{name}-{number}" if number else name)
            for each in (place, folder):
                each.mkdir(mode=0o700, exist_ok=True)
            with suppress(FileNotFoundError):  # another command has just swept it
                handle = locked(folder / LOCK)
                if handle is not None:
                    os.utime(folder / LOCK)
                    return folder, handle
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT))
    except OSError as error:
        raise no_room(place, error) from None


def no_room(place: Path, error: OSError) -> PublicationFailed:
    """What is reported where no folder can be had."""
    return PublicationFailed(
        f"expected room and locks for temporary files in {place}, found: {error.strerror}"
    )


def forget(folder: Path) -> None:
    """Remove what was kept of work nobody took up for long."""
    with suppress(OSError):
        if (folder / LOCK).stat().st_mtime < time.time() - KEPT_FOR:
            remove_if_free(folder)


@contextmanager
def spilling_into(folder: Path) -> Iterator[None]:
    """Let polars put rows that memory cannot hold there, and not into /var/tmp for all to read.

    It takes the folder once a process, with the first such row; a user may name another.
    """
    if SPILL in os.environ:
        yield
        return
    os.environ[SPILL] = str(folder)
    read_again(SPILL)
    try:
        yield
    finally:
        del os.environ[SPILL]
        read_again(SPILL)


def read_again(name: str) -> None:
    """Let polars know that a setting was changed; before its import it reads them all."""
    if "polars" in sys.modules:
        with suppress(ImportError, AttributeError):
            from polars._plr import config_reload_env_var

            config_reload_env_var(name)


def sweep(warehouse: Path | None = None) -> None:
    """Remove what killed commands left in a warehouse and in the system's temporary folder."""
    if warehouse is not None and may_write(warehouse):
        for folder in folders(warehouse / WORK, re.compile(RANDOM)):
            remove_if_free(folder)
        for folder in folders(warehouse / WORK, re.compile(KEPT)):
            forget(folder)
        with suppress(OSError):
            (warehouse / WORK).rmdir()
        remove_if_old(folders(warehouse / "runs", EARLIER_RUNS))
    system = system_folder()
    for folder in folders(system, re.compile(IN_SYSTEM + RANDOM)):
        remove_if_free(folder)
    remove_if_old(folders(system, EARLIER))


def system_folder() -> Path:
    """The system's folder for temporary files, also where no disk takes one: what needs it fails then."""
    try:
        return Path(tempfile.gettempdir())
    except OSError:
        return Path("/tmp")  # noqa: S108 (to be looked at; nothing can be put there)


def may_write(folder: Path) -> bool:
    """Whether a folder is there and may be written to; root may without a write bit, and should not."""
    try:
        any_may = folder.is_dir() and folder.stat().st_mode & 0o222
        return bool(any_may) and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False


def folders(place: Path, called: re.Pattern[str]) -> list[Path]:
    """The folders of a name in a place that are this user's own; none where it cannot be read."""
    try:
        with os.scandir(place) as entries:
            return [
                Path(each)
                for each in entries
                if called.fullmatch(each.name) and is_own_folder(each)
            ]
    except OSError:
        return []


def is_own_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, no link to one, of this user's."""
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # another has just swept it
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def is_old(folder: Path) -> bool:
    """Whether nothing in a folder was changed for a day."""
    since = time.time() - LONG
    try:
        return all(each.lstat().st_mtime < since for each in (folder, *folder.rglob("*")))
    except OSError:
        return False


def remove_if_old(left: list[Path]) -> None:
    """Remove what earlier versions left, once it is old."""
    for folder in left:
        if is_old(folder):
            shutil.rmtree(folder, ignore_errors=True)


def may_work_in(warehouse: Path) -> bool:
    """Whether this user may have temporary files in a warehouse."""
    work = warehouse / WORK
    return may_write(warehouse) and (may_write(work) or not work.exists())


def made(warehouse: Path | None) -> tuple[Path, int]:
    """A new folder and the handle that holds its lock; raises PublicationFailed where none can be had."""
    if warehouse is not None and may_work_in(warehouse):
        place, prefix = warehouse / WORK, ""
    else:
        place, prefix = system_folder(), IN_SYSTEM
    try:
        for _ in range(TRIES):
            if not prefix:
                place.mkdir(mode=0o700, exist_ok=True)
            folder = place / f"{prefix}{secrets.token_hex(8)}"
            with suppress(FileNotFoundError):  # another command has just swept the empty place
                folder.mkdir(mode=0o700)
                handle = locked(folder / LOCK)
                if handle is not None:
                    return folder, handle
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT))
    except OSError as error:
        raise no_room(place, error) from None


def locked(path: Path, *, create: bool = True) -> int | None:
    """The handle that holds a file's lock; nothing where another holds it or the file is gone.

    A maker and a sweeper may both come to a folder that has no lock yet: the one that gets it has the folder.
    """
    flags = os.O_RDWR | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
    try:
        handle = os.open(path, flags, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_nlink:  # asked after locking, which makes NFS ask its server
            return handle
    except BlockingIOError:
        pass
    except OSError:
        os.close(handle)
        raise
    os.close(handle)
    return None


def remove_if_free(folder: Path) -> None:
    """Remove a folder nobody works in any more; where locks cannot be had nothing is removed."""
    with suppress(OSError):
        handle = locked(folder / LOCK)
        if handle is not None:
            remove(folder, handle)


def remove(folder: Path, handle: int) -> None:
    """Remove a folder whose lock is held, the lock last; what cannot be removed waits for the next."""
    with suppress(OSError):
        for each in folder.iterdir():
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each, ignore_errors=True)
            elif each.name != LOCK:
                each.unlink()
        (folder / LOCK).unlink()
    os.close(handle)  # before the folder goes: NFS keeps the name of an open file
    with suppress(OSError):
        folder.rmdir()
    if folder.parent.name == WORK:
        with suppress(OSError):
            folder.parent.rmdir()
