"""The analysts' database by name, opened for reading only, with nothing fetched from anywhere.

What DuckDB's SQL says of files is put together here: a path is a name, never a pattern.
"""

import os
from contextlib import ExitStack
from pathlib import Path

import duckdb

from flows.common.by_name import named
from flows.common.failures import BadUsage, DatabaseUnreadable, NewerWarehouse, NotFound

DATABASE = "luohu.duckdb"
NEWER = ("with version number", "newer version of DuckDB")  # how DuckDB tells a file of its future
PATTERN = frozenset("*?[")
# below what no database can be written: `?` begins DuckDB's options, its 2.0 parts folders at `\` too
UNWRITABLE = "?" if duckdb.__version__.startswith("1.") else "?\\"
# nothing is fetched, and the file reads nothing else once it is open
OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}


def quoted(text: object) -> str:
    """A text inside single quotes of SQL."""
    return str(text).replace("'", "''")


def table_in_sql(path: Path, held: ExitStack) -> str:
    """A Parquet file as DuckDB's SQL has it, while `held` is open.

    DuckDB cannot be told that a path is no pattern, and its 2.0 does not find `[*]` below the root:
    where a path looks like one, the file is opened here and named by its handle.
    """
    name = named(path)
    if PATTERN & set(name):
        handle = os.open(path, os.O_RDONLY)
        held.callback(os.close, handle)
        name = f"/dev/fd/{handle}"
    # a folder called `round=1` is no column
    return f"read_parquet('{quoted(name)}', hive_partitioning = false)"


def database_in_sql(path: Path) -> str:
    """A database file as ATTACH has it."""
    return f"'{quoted(named(path))}'"


def require_nameable(warehouse: Path) -> None:
    """Raise BadUsage for a warehouse whose path DuckDB cannot write: told before any work."""
    name = named(warehouse)
    if odd := [each for each in UNWRITABLE if each in name]:
        raise BadUsage(
            f"expected a warehouse whose path has no {odd[0]}, which DuckDB cannot write, found {name}"
        )
    try:
        name.encode()
    except UnicodeEncodeError:
        raise BadUsage(
            f"expected a warehouse whose path is UTF-8, found {ascii(name)[1:-1]}"
        ) from None


def open_read_only(warehouse: Path) -> duckdb.DuckDBPyConnection:
    """The current database for reading; raises NotFound, or a Failure that says it is unreadable."""
    require_nameable(warehouse)
    database = warehouse / DATABASE
    if not database.is_file():
        raise NotFound(
            f"expected {database}, found none: run `luohu run ROUND --feeds DIR` first,"
            " or name the warehouse with --warehouse"
        )
    try:
        return duckdb.connect(named(database), read_only=True, config=OFFLINE)
    except duckdb.Error as error:
        if any(words in str(error) for words in NEWER):
            raise NewerWarehouse(
                f"{database}: written by a newer version, which DuckDB {duckdb.__version__} cannot"
                " read: use the newer luohu that wrote it"
            ) from None
        raise DatabaseUnreadable(
            f"{database}: expected a database, found a file DuckDB cannot read"
            f" ({type(error).__name__})"
        ) from None
