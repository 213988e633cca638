"""The analysts' database by name, opened for reading only, with nothing fetched from anywhere."""

from pathlib import Path

import duckdb

from flows.common.failures import DatabaseUnreadable, NewerWarehouse, NotFound

DATABASE = "luohu.duckdb"
NEWER = ("with version number", "newer version of DuckDB")  # how DuckDB tells a file of its future
# nothing is fetched, and the file reads nothing else once it is open
OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}


def quoted(text: object) -> str:
    """A text inside single quotes of SQL."""
    return str(text).replace("'", "''")


def open_read_only(warehouse: Path) -> duckdb.DuckDBPyConnection:
    """The current database for reading; raises NotFound, or a Failure that says it is unreadable."""
    database = warehouse / DATABASE
    if not database.is_file():
        raise NotFound(
            f"expected {database}, found none: run `luohu run ROUND --feeds DIR` first,"
            " or name the warehouse with --warehouse"
        )
    try:
        return duckdb.connect(str(database), read_only=True, config=OFFLINE)
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
