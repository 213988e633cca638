"""Open a file by its name: no path is a pattern, whatever the folders on the way are called.

polars and DuckDB read `*`, `?` and `[...]` in a path as a pattern and folders named `hive=1` as columns;
polars, DuckDB and pyarrow put the user's home where a path begins with `~`.  So every table is opened
here, and every other path is handed to a library as `named(path)`; a test holds the source to it.
"""

from pathlib import Path

import polars as pl


def named(path: Path) -> str:
    """A path as libraries take it for a name: from the root, so that no `~` begins it."""
    return str(path.absolute())


def read_table(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """A Parquet file, or some of its columns."""
    return pl.read_parquet(named(path), columns=columns, glob=False, hive_partitioning=False)


def read_rows(path: Path) -> pl.DataFrame:
    """A stream of Arrow in a file, whole."""
    with path.open("rb") as file:
        return pl.read_ipc_stream(file)


def scan_table(path: Path) -> pl.LazyFrame:
    """A Parquet file, read when asked for; a column it lacks is an error, as polars has it."""
    return pl.scan_parquet(named(path), glob=False, hive_partitioning=False)


def schema_of(path: Path) -> pl.Schema:
    """The columns of a Parquet file and their types."""
    return scan_table(path).collect_schema()
