"""Files that are complete or absent: written aside, synced, renamed; and their SHA-256 digests."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import polars as pl
from polars.io.plugins import register_io_source

from flows.common.by_name import named

# one writer setting for every table, so that equal rows are equal bytes
COMPRESSION_LEVEL = 1
ROW_GROUP_ROWS = 122_880  # as large as a row group of DuckDB, which reads them side by side


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


@contextmanager
def written_aside(target: Path, *, private: bool) -> Iterator[IO[bytes]]:
    """A file to write and read, which becomes the target in one rename when all went well.

    One with what is on record about people is for its owner only.
    """
    mode = 0o600 if private else 0o644
    aside = target.with_name(f".{target.name}.{os.getpid()}.partial")
    aside.unlink(missing_ok=True)
    try:
        handle = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        with open(handle, "w+b") as file:  # noqa: PTH123 (a handle, not a path)
            yield file
            file.flush()
            os.fsync(handle)
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)
    sync_entry(target.parent)


def sync(path: Path) -> None:
    """Force a file, or a folder and every file below it, to the disk."""
    below = [path, *path.rglob("*")] if path.is_dir() else [path]
    for each in below:
        sync_entry(each)


def put_in_place(folder: Path, target: Path) -> None:
    """Rename a complete folder to its final name; an older one of that name makes way."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sync(folder)
    if target.exists():
        old = target.with_name(f".{target.name}.{os.getpid()}.old")
        target.rename(old)
        folder.rename(target)
        shutil.rmtree(old)
    else:
        folder.rename(target)
    sync_entry(target.parent)


def sync_entry(path: Path) -> None:
    """Force one file to the disk, or a folder's list of names, so that a rename survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
