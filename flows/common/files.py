"""Files that are complete or absent: written aside, synced, renamed; and their SHA-256 digests."""

import ctypes
import fcntl
import hashlib
import json
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from errno import EEXIST
from pathlib import Path
from typing import IO, Any

import polars as pl
from polars.io.plugins import register_io_source

from flows.common.by_name import named
from flows.common.private_folder import is_old, locked

# one writer setting for every table, so that equal rows are equal bytes
COMPRESSION_LEVEL = 1
ROW_GROUP_ROWS = 122_880  # as large as a row group of DuckDB, which reads them side by side

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of Linux


def write_table(rows: pl.DataFrame, path: Path) -> None:
    """A Parquet file; its folder is renamed into place as a whole later."""
    write_parts([rows], path)


def write_parts(parts: Iterable[pl.DataFrame], path: Path) -> int:
    """A Parquet file of frames of one schema, each let go once it is written; returns its rows."""
    coming = iter(parts)
    waiting = [next(coming)]
    schema = waiting[0].schema
    rows = 0

    def source(*_asked: object) -> Iterator[pl.DataFrame]:
        nonlocal rows
        while (part := waiting.pop() if waiting else next(coming, None)) is not None:
            rows += part.height
            yield part

    path.parent.mkdir(parents=True, exist_ok=True)
    register_io_source(source, schema=schema).sink_parquet(
        named(path),
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        row_group_size=ROW_GROUP_ROWS,
        statistics=False,  # nobody skips row groups here, and they cost a third of the writing
        maintain_order=True,
    )
    return rows


def write_json(content: Any, path: Path) -> None:
    """A JSON file for machines and people."""
    path.write_bytes(json_bytes(content))


def json_bytes(content: Any) -> bytes:
    """JSON for machines and people: sorted keys, indented, UTF-8."""
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True)
    return f"{text}\n".encode()


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(content: Any) -> str:
    """The SHA-256 of a JSON value in canonical form: sorted keys, no blanks."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def may_become(target: Path) -> bool:
    """Whether a rename may put a file there: nothing is, or a plain file, no device and no link."""
    return not os.path.lexists(target) or stat.S_ISREG(target.lstat().st_mode)


@contextmanager
def written_aside(target: Path, *, private: bool, new: bool = False) -> Iterator[IO[bytes]]:
    """A file to write and read, which becomes the target in one rename when all went well.

    A `new` one replaces nothing: FileExistsError where something came there meanwhile.

    It has no name until then where the file system can do that, so that a kill leaves nothing.
    Elsewhere it stands beside the target, locked, and the next to write the target removes it.
    One with what is on record about people is for its owner only.
    """
    for left in leftovers(target):
        remove_leftover(left)
    handle, aside = opened_aside(target, 0o600 if private else 0o644)
    named = aside if aside.exists() else None
    try:
        with open(handle, "w+b") as file:  # noqa: PTH123 (a handle, not a path)
            yield file
            file.flush()
            os.fsync(handle)
            if not named:
                named = give_name(handle, aside)
            (put_new if new else os.replace)(aside, target)
    finally:
        if named:
            named.unlink(missing_ok=True)
    sync_entry(target.parent)


def put_new(aside: Path, target: Path) -> None:
    """Give a file its name unless something has it; where a system has no links, as near as can be."""
    try:
        os.link(aside, target)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(target):
            raise FileExistsError(EEXIST, os.strerror(EEXIST), target) from None
        aside.rename(target)


def opened_aside(target: Path, mode: int) -> tuple[int, Path]:
    """A new file in the folder of the target, locked, and the name it has or will have for a moment."""
    while True:
        aside = target.with_name(f".{target.name}.{secrets.token_hex(8)}.partial")
        handle = without_name(target.parent, mode)
        if handle is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
            return handle, aside
        handle = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        with suppress(BlockingIOError):  # a sweeper was quicker: it has the file
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(handle).st_nlink:
                return handle, aside
        os.close(handle)


def without_name(folder: Path, mode: int) -> int | None:
    """The handle of a new file that stands in no folder yet; nothing where that cannot be done."""
    try:
        handle = os.open(folder, os.O_RDWR | os.O_TMPFILE, mode)
    except (OSError, AttributeError):
        return None
    if Path(f"/proc/self/fd/{handle}").exists():
        return handle
    os.close(handle)
    return None


def give_name(handle: int, aside: Path) -> Path:
    """Let a file without a name appear in its folder, complete."""
    folder = os.open(aside.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # a folder's handle makes Python call linkat, which follows this link to the file itself
        os.link(f"/proc/self/fd/{handle}", aside, src_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)
    return aside


def leftovers(target: Path) -> list[Path]:
    """What a killed process left beside a target; earlier versions put a process id in its name."""
    shape = re.compile(rf"\.{re.escape(target.name)}\.([0-9a-f]{{16}}|\d+)\.partial")
    try:
        return [path for path in target.parent.iterdir() if shape.fullmatch(path.name)]
    except OSError:
        return []


def remove_leftover(left: Path) -> None:
    """Remove an aside file nobody writes to any more."""
    with suppress(OSError):
        if left.suffixes[-2].strip(".").isdecimal() and not is_old(left):
            return  # an earlier version locked nothing
        handle = locked(left, create=False)
        if handle is not None:
            left.unlink()
            os.close(handle)


def sync(path: Path) -> None:
    """Force a file, or a folder and every file below it, to the disk."""
    below = [path, *path.rglob("*")] if path.is_dir() else [path]
    for each in below:
        sync_entry(each)


def put_in_place(folder: Path, target: Path) -> None:
    """Rename a complete folder to its final name; what stands there and is not complete makes way.

    It makes way in one step with the new one's coming where the system can exchange two names.
    """
    sync(folder)
    if target.exists() and not exchanged(folder, target):
        target.rename(folder.with_name(f"{folder.name}.replaced"))
    if folder.exists() and not target.exists():
        folder.rename(target)
    sync_entry(target.parent)


def exchanged(one: Path, other: Path) -> bool:
    """Exchange two names at once; false where the system cannot."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    names = os.fsencode(one), os.fsencode(other)
    return bool(renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0)


def sync_entry(path: Path) -> None:
    """Force one file to the disk, or a folder's list of names, so that a rename survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
