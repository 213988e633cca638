"""Publish a run: its directory first, then the analysts' database, each in one rename.

The database is built aside from the Parquet tables of the run and the other rounds of the current
database, then renamed over it: a reader sees the old file or the new one, never half of either.
The current file is never opened for writing.  A run directory alone is enough to build it again.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb

from flows.common.database import (
    DATABASE,
    OFFLINE,
    database_in_sql,
    quoted,
    require_nameable,
    table_in_sql,
)
from flows.common.failures import PublicationFailed
from flows.common.files import sha256, sync, sync_entry
from schemas.results import REGISTERS, TABLES, columns_of, dictionary

STORAGE_VERSION = "v1.5.0"  # readable by DuckDB 1.5 and 2.0
MANIFESTS = "CREATE TABLE new.manifests (round INTEGER, run_id VARCHAR, manifest_sha256 VARCHAR)"


def nothing() -> None:
    """Nothing to do."""


def publish(
    tables: Path,
    year: int,
    warehouse: Path,
    meanwhile: Callable[[], None] = nothing,
    before: Callable[[], None] = nothing,
) -> Path:
    """Make the tables in a folder the current ones of their round; returns the database.

    `meanwhile` is done while the database is built, `before` when it is built and not yet current.
    """
    database = warehouse / DATABASE
    with only_publisher(warehouse), ThreadPoolExecutor(1) as beside:
        aside = warehouse / f".{DATABASE}.{os.getpid()}.partial"
        aside.unlink(missing_ok=True)
        current = database if database.exists() else None
        built = beside.submit(build, aside, tables, year, current)
        try:
            meanwhile()
            built.result()
            register(aside, year, tables / "manifest.json")
            before()
            sync(aside)
            os.replace(aside, database)
        finally:
            wait([built])
            aside.unlink(missing_ok=True)
            Path(f"{aside}.wal").unlink(missing_ok=True)
        sync_entry(warehouse)
    return database


def build(target: Path, run: Path, year: int, current: Path | None) -> None:
    """A new database of the run's tables and, from the current one, every other round."""
    with ExitStack() as held, duckdb.connect(config=OFFLINE) as connection:
        connection.execute(
            f"ATTACH {database_in_sql(target)} AS new (STORAGE_VERSION '{STORAGE_VERSION}')"
        )
        if current:
            attach_current(connection, current)
        connection.execute("BEGIN")
        for table in TABLES:
            columns = ", ".join(f'"{name}"' for name in columns_of(table))
            rows = table_in_sql(run / f"{table}.parquet", held)
            connection.execute(f"CREATE TABLE new.{table} AS SELECT {columns} FROM {rows}")
            if current and has_table(connection, table):
                connection.execute(
                    f"INSERT INTO new.{table} BY NAME SELECT * FROM old.{table} WHERE round <> ?",
                    [year],
                )
        connection.execute(MANIFESTS)
        if current and has_table(connection, "manifests"):
            connection.execute("INSERT INTO new.manifests BY NAME FROM old.manifests")
        connection.register("dictionary_rows", dictionary().to_arrow())
        connection.execute("CREATE TABLE new.dictionary AS SELECT * FROM dictionary_rows")
        for table in (*TABLES, *REGISTERS):
            connection.execute(f"COMMENT ON TABLE new.{table} IS '{quoted(summary(table))}'")
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT new")
        connection.execute("DETACH new")


def register(target: Path, year: int, manifest: Path) -> None:
    """Keep the digest of a run's manifest in the new database: an audit tells an edited one by it.

    The manifest is complete only when the database is built: both are made side by side.
    """
    run_id = json.loads(manifest.read_text(encoding="utf-8"))["run_id"]
    with duckdb.connect(config=OFFLINE) as connection:
        connection.execute(
            f"ATTACH {database_in_sql(target)} AS new (STORAGE_VERSION '{STORAGE_VERSION}')"
        )
        connection.execute("DELETE FROM new.manifests WHERE run_id = ?", [run_id])
        connection.execute(
            "INSERT INTO new.manifests VALUES (?, ?, ?)", [year, run_id, sha256(manifest)]
        )
        connection.execute("CHECKPOINT new")
        connection.execute("DETACH new")


def require_readable(warehouse: Path) -> None:
    """Raise PublicationFailed where the current database cannot be read, BadUsage where DuckDB cannot
    write one: told before the work."""
    require_nameable(warehouse)
    if (warehouse / DATABASE).exists():
        with duckdb.connect(config=OFFLINE) as connection:
            attach_current(connection, warehouse / DATABASE)


def attach_current(connection: duckdb.DuckDBPyConnection, current: Path) -> None:
    """Attach the current database for reading; raises PublicationFailed when it cannot be read."""
    try:
        connection.execute(f"ATTACH {database_in_sql(current)} AS old (READ_ONLY)")
    except duckdb.Error:
        raise PublicationFailed(
            f"{current}: expected a database this version can read, found one that is damaged or"
            f" newer (DuckDB {duckdb.__version__} is used here); move it away and run again"
        ) from None


def has_table(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether the current database, perhaps of an older version, has a table."""
    found = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'old' AND table_name = ?",
        [table],
    ).fetchall()
    return bool(found[0][0])


def summary(table: str) -> str:
    """The first line of a table's docstring."""
    return ({**TABLES, **REGISTERS}[table].__doc__ or "").strip().splitlines()[0]


@contextmanager
def only_publisher(warehouse: Path) -> Iterator[None]:
    """Hold the warehouse's lock, so that two runs never publish over each other's rounds."""
    warehouse.mkdir(parents=True, exist_ok=True)
    with (warehouse / ".publishing.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
