"""The analysts' database by name, opened for reading only, with nothing fetched from anywhere.

Nobody of ours ever opens it for writing.  So a `.wal` beside it is a stranger's: DuckDB would add
what it says to what was published, or refuse a file it does not fit.  It is read past.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from flows.common.failures import (
    DatabaseInUse,
    DatabaseUnreadable,
    Failure,
    NewerWarehouse,
    NotFound,
    NotPermitted,
)
from flows.common.private_folder import private_folder

DATABASE = "luohu.duckdb"
WAL = f"{DATABASE}.wal"
# how DuckDB tells a file of its future, and one that a writer has open
NEWER = ("with version number", "newer version of DuckDB")
IN_USE = ("Could not set lock", "Conflicting lock")
HOLDER = "Conflicting lock is held in "
REBUILD = (
    "move it away, then `luohu current ROUND RUN_ID` builds it again from the runs that"
    " `luohu runs` lists"
)
# nothing is fetched, and the file reads nothing else once it is open
OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}


def quoted(text: object) -> str:
    """A text inside single quotes of SQL."""
    return str(text).replace("'", "''")


@contextmanager
def open_read_only(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The current database for reading; raises NotFound, or a Failure that says why it cannot be read."""
    database = warehouse / DATABASE
    if not database.is_file():
        raise NotFound(
            f"expected {database}, found none: run `luohu run ROUND --feeds DIR` first,"
            " or name the warehouse with --warehouse"
        )
    with (
        readable(database) as path,
        duckdb.connect(path, read_only=True, config=OFFLINE) as connection,
    ):
        yield connection


def attach(connection: duckdb.DuckDBPyConnection, database: Path, name: str) -> None:
    """Attach a database for reading under a name; raises a Failure that says why it cannot be read."""
    with readable(database) as path:
        connection.execute(f"ATTACH '{quoted(path)}' AS {name} (READ_ONLY)")


@contextmanager
def readable(database: Path) -> Iterator[str]:
    """A path by which DuckDB reads a database, past a stranger's `.wal`; its errors as ours."""
    if not os.access(database, os.R_OK):
        found = database.stat()
        raise NotPermitted(
            f"{database}: expected a database this user may read, found one of user {found.st_uid},"
            f" group {found.st_gid}, mode {found.st_mode & 0o777:04o}: ask its owner"
        )
    with told_of(database):
        if not Path(f"{database}.wal").exists():
            yield str(database)
            return
        # by another name the file has no `.wal`; once it is open it needs no name at all
        with private_folder(database.parent) as folder:
            yield str(other_name(database, folder / DATABASE))


@contextmanager
def told_of(database: Path) -> Iterator[None]:
    """Turn what DuckDB says of a database that it reads into what is wrong with it."""
    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException):
        raise DatabaseUnreadable(
            f"{database}: expected the tables of a warehouse, found others: {REBUILD}"
        ) from None
    except duckdb.Error as error:
        raise unreadable(database, str(error)) from None


def other_name(database: Path, name: Path) -> Path:
    """The same file by another name, or, where that cannot be had, a copy nobody writes to meanwhile."""
    try:
        os.link(database, name)
    except OSError:
        with database.open("rb") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                raise unreadable(database, IN_USE[0]) from None
            shutil.copyfile(database, name)
    return name


def unreadable(database: Path, said: str) -> Failure:
    """What is wrong with a database DuckDB could not open, and what to do; by what DuckDB said."""
    if any(words in said for words in IN_USE):
        holder = said.partition(HOLDER)[2].partition(". See")[0]
        by = f" by {holder}" if holder else ""
        return DatabaseInUse(
            f"{database}: expected nobody to write to it, found it open for writing{by}: it is in"
            " use, not damaged; close it there and try again (readers open it read-only)"
        )
    if any(words in said for words in NEWER):
        return NewerWarehouse(
            f"{database}: written by a newer version, which DuckDB {duckdb.__version__} cannot"
            " read: use the newer luohu that wrote it"
        )
    if not database.stat().st_size:
        return DatabaseUnreadable(
            f"{database}: expected a database, found an empty file: {REBUILD}"
        )
    return DatabaseUnreadable(
        f"{database}: expected a database, found a file DuckDB cannot read, damaged or none at all:"
        f" {REBUILD}"
    )
