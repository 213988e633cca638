"""The rejects of a run directory, in today's columns whatever version wrote them.

Until manifest format 1 a row named the real file, in columns called `row`, `column` and `check`, words
of SQL.  Since format 2 a file is `feed/part-N`, its place among the feed's files sorted by name.
"""

import json
from pathlib import Path

import polars as pl

from flows.common.by_name import scan_table
from schemas.results import columns_of

FILE = "rejects.parquet"
FORMER_NAMES = {"row": "row_number", "column": "column_name", "check": "check_name"}


def rejects_of(directory: Path) -> pl.LazyFrame:
    """The table `rejects` of a run: today's columns in order, no real file name."""
    rows = scan_table(directory / FILE)
    if "row" not in rows.collect_schema():
        return rows
    return (
        rows.rename(FORMER_NAMES)
        .join(
            part_names(directory).lazy(),
            on=["feed", "file"],
            how="left",
            maintain_order="left",
            validate="m:1",
        )
        .with_columns(file="part")
        .select(columns_of("rejects"))
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
