"""The rows a run kept, in today's columns whatever version wrote them.

A run is not wrong because code has grown since.  A feed it did not have is empty and a column it did
not have is null; a code list may be longer today.  So a column that is added to a table
may be null.  A column that is never null was always there: a file that lacks it is no run's.

Until manifest format 1 a reject named the real file, in columns called `row`, `column` and `check`,
words of SQL.  Since format 2 a file is `feed/part-N`, its place among the feed's files sorted by name.
"""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from flows.common.by_name import scan_table
from schemas.feeds import FEEDS, accepted
from schemas.models import columns
from schemas.results import TABLES, columns_of, types_of

REJECTS = "rejects"
NEEDS_REVIEW = "needs_review"  # kept beside the feeds: who has a quarantined row
FORMER_NAMES = {"row": "row_number", "column": "column_name", "check": "check_name"}


def feed(directory: Path, name: str) -> pl.LazyFrame:
    """The accepted rows of a feed of a run, or who needs review."""
    types = accepted(name) if name in FEEDS else {"person": pl.UInt32()}
    return as_today(directory / "accepted" / f"{name}.parquet", types)


def table(directory: Path, name: str) -> pl.LazyFrame:
    """A published table of a run, as analysts see it."""
    path = directory / f"{name}.parquet"
    if name == REJECTS and "row" in scan_table(path).collect_schema():
        return former_rejects(directory).select(columns_of(name))
    optional = {column for column, about in columns(TABLES[name]).items() if about.nullable}
    return as_today(path, types_of(name), optional)


def as_today(
    path: Path, types: Mapping[str, Any], optional: Collection[str] | None = None
) -> pl.LazyFrame:
    """A Parquet file with columns of these types: what it lacks and may lack is null.

    Where nothing says what may, everything may, and a file that is not there has no rows.
    """
    if optional is None and not path.is_file():
        return pl.LazyFrame(schema=types)
    rows = scan_table(path)
    there = rows.collect_schema()
    absent = [
        pl.lit(None, kind).alias(name)
        for name, kind in types.items()
        if name not in there and (optional is None or name in optional)
    ]
    other = [
        pl.col(name).cast(kind)
        for name, kind in types.items()
        if name in there and there[name] != kind
    ]
    return rows.with_columns(*absent, *other).select(types.keys())


def former_rejects(directory: Path) -> pl.LazyFrame:
    """Rejects of format 1 under the names of today, without the name of a file."""
    return (
        scan_table(directory / f"{REJECTS}.parquet")
        .rename(FORMER_NAMES)
        .join(
            part_names(directory).lazy(),
            on=["feed", "file"],
            how="left",
            maintain_order="left",
            validate="m:1",
        )
        .with_columns(file="part")
    )


def part_names(directory: Path) -> pl.DataFrame:
    """feed, file (the real name), part (what the file is called)."""
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    return pl.DataFrame(
        [
            (feed, name, f"{feed}/part-{place}")
            for feed, counts in manifest["feeds"].items()
            for place, name in enumerate(sorted(counts["files"]))
        ],
        schema={"feed": pl.String, "file": pl.String, "part": pl.String},
        orient="row",
    )
