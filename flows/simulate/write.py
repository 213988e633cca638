"""Writing a delivery: one file a feed and part, complete or absent."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import polars as pl

from flows.common.by_name import named
from flows.common.private_folder import private_folder

Format = Literal["parquet", "csv"]


@contextmanager
def delivery(out: Path) -> Iterator[Path]:
    """A private folder beside `out`, swept after a kill, that takes its name once everything is written."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(
            f"{out} exists and is not an empty folder: a delivery is never overwritten"
        )
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o777 & ~umask()
    with private_folder(out.parent) as made:
        yield made
        for path in (made, *made.rglob("*")):
            path.chmod(mode if path.is_dir() else mode & 0o666)
        if out.exists():
            out.rmdir()
        made.rename(out)


def umask() -> int:
    """The user's umask, which can only be read by setting one."""
    found = os.umask(0o077)
    os.umask(found)
    return found


def write(frame: pl.DataFrame, folder: Path, feed: str, part: int, fmt: Format) -> None:
    """Write one part of a feed."""
    (folder / feed).mkdir(exist_ok=True)
    path = folder / feed / f"part-{part:04d}.{fmt}"
    if fmt == "csv":
        frame.write_csv(named(path), datetime_format="%Y-%m-%dT%H:%M:%S", date_format="%Y-%m-%d")
    else:
        frame.write_parquet(named(path), compression="lz4", row_group_size=500_000)
