"""The analysts' database by name, opened for reading only, with nothing fetched from anywhere.

luohu never opens it for writing.  So a `.wal` beside it is another program's: DuckDB would add what it
holds to what was published, or refuse a database it does not fit.  It is not read.

The parts of DuckDB's SQL that name files are put together here: a path is a name, never a pattern.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import accumulate, chain
from pathlib import Path

import duckdb

from flows.common.by_name import named
from flows.common.failures import (
    BadUsage,
    DatabaseInUse,
    DatabaseUnreadable,
    Failure,
    NewerWarehouse,
    NotFound,
    NotPermitted,
)
from flows.common.private_folder import private_folder
from flows.common.settings import of_buckets

DATABASE = "luohu.duckdb"
WAL = f"{DATABASE}.wal"
# what DuckDB says of a file of a later version, and of one that a writer has open
NEWER = ("with version number", "newer version of DuckDB")
IN_USE = ("Could not set lock", "Conflicting lock")
HOLDER = "Conflicting lock is held in "
REBUILD = (
    "move it away, then `luohu current ROUND RUN_ID` builds it again from the runs that"
    " `luohu runs` lists"
)
PATTERN = frozenset("*?[")
# DuckDB writes nothing below a path with these: `?` begins its options, its 2.0 also ends a folder at `\`
UNWRITABLE = "?" if duckdb.__version__.startswith("1.") else "?\\"
# nothing is fetched, and the file reads nothing else once it is open
OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}
SMALL = 2_000_000  # bytes in files


def settings_for(spill: str, *read: Path) -> dict[str, str | bool | int | float | list[str]]:
    """How tables of a round are worked on: what memory may not hold is put into a folder.

    Below some thousand people, whose files are small, more threads than one only wait for each other.
    """
    files = (each for path in read for each in chain((path,), path.rglob("*")) if each.is_file())
    sizes = accumulate(each.stat().st_size for each in files)
    one = {} if any(size > SMALL for size in sizes) else {"threads": 1}
    return {"memory_limit": of_buckets()["duckdb"], **one, **OFFLINE, "temp_directory": spill}


def quoted(text: object) -> str:
    """A text inside single quotes of SQL."""
    return str(text).replace("'", "''")


def table_in_sql(path: Path, held: ExitStack) -> str:
    """A Parquet file as DuckDB's SQL has it, while `held` is open.

    DuckDB has no way to say that a path is no pattern, and its 2.0 does not find `[*]` below the root:
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
    """Raise BadUsage for a warehouse whose path DuckDB cannot write: reported before any work."""
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


@contextmanager
def open_read_only(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The current database for reading; raises NotFound, or a Failure that says why it cannot be read."""
    require_nameable(warehouse)
    database = warehouse / DATABASE
    if not database.is_file():
        raise NotFound(
            f"expected {database}, found none: run `luohu run ROUND --feeds DIR` first,"
            " or name the warehouse with --warehouse"
        )
    with (
        readable(database) as path,
        duckdb.connect(named(path), read_only=True, config=OFFLINE) as connection,
    ):
        yield connection


def attach(connection: duckdb.DuckDBPyConnection, database: Path, name: str) -> None:
    """Attach a database for reading under a name; raises a Failure that says why it cannot be read."""
    with readable(database) as path:
        connection.execute(f"ATTACH {database_in_sql(path)} AS {name} (READ_ONLY)")


@contextmanager
def readable(database: Path) -> Iterator[Path]:
    """A path by which DuckDB reads a database past another program's `.wal`; its errors become Failures."""
    if not os.access(database, os.R_OK):
        found = database.stat()
        raise NotPermitted(
            f"{database}: expected a database this user may read, found one of user {found.st_uid},"
            f" group {found.st_gid}, mode {found.st_mode & 0o777:04o}: ask its owner"
        )
    with message_of_database(database):
        if not Path(f"{database}.wal").exists():
            yield database
            return
        # by another name the file has no `.wal`; once it is open it needs no name at all
        with private_folder(database.parent) as folder:
            yield other_name(database, folder / DATABASE)


@contextmanager
def message_of_database(database: Path) -> Iterator[None]:
    """Turn an error of DuckDB on a database that it reads into a Failure that says what is wrong."""
    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException):
        raise other_tables(database) from None
    except duckdb.Error as error:
        raise unreadable(database, str(error)) from None


def other_tables(database: Path) -> Failure:
    """A database whose tables or columns are not those of this version."""
    return DatabaseUnreadable(
        f"{database}: expected the tables of a warehouse, found others: {REBUILD}"
    )


def other_name(database: Path, name: Path) -> Path:
    """The same file by another name, or, where there can be none, a copy made while nobody writes to it."""
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
    """What is wrong with a database DuckDB could not open, and what to do, judged by DuckDB's message."""
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
