"""Publish a run: its directory first, then the analysts' database, each in one rename.

The database is built aside from the Parquet tables of the run and the other rounds of the current
database, then renamed over it: a reader sees the old file or the new one, never half of either.
The current file is never opened for writing.  A run directory alone is enough to build it again.
"""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
import polars as pl

from flows.common.access import (
    OWN_FILE,
    Access,
    access_of,
    give,
    give_report,
    let_through,
    require_group,
)
from flows.common.database import (
    DATABASE,
    OFFLINE,
    WAL,
    attach,
    database_in_sql,
    open_read_only,
    quoted,
    require_nameable,
    table_in_sql,
    unreadable,
)
from flows.common.files import sha256, sync, sync_entry
from flows.common.private_folder import private_folder
from flows.kept.past_run import runs_of
from flows.kept.run_files import REPORT
from flows.kept.tables import FORMER_NAMES, REJECTS
from flows.kept.tables import table as table_of
from flows.run.plausible import Size
from schemas.process import PRELIMINARY, STATES
from schemas.results import PUBLISHED, REGISTERS, TABLES, columns_of, dictionary, empty

STORAGE_VERSION = "v1.5.0"  # readable by DuckDB 1.5 and 2.0
DAMAGED = ("Could not read", "Corrupt", "checksum")  # how DuckDB tells a block it cannot read
EARLIER_DATABASE = re.compile(rf"\.{re.escape(DATABASE)}\.\d+\.partial(\.wal)?")
EARLIER_RUN = re.compile(r"\.[0-9a-f]{16}\.\d+\.old")


def publish(tables: Path, year: int, warehouse: Path) -> Path:
    """Make the tables of a run directory the current ones of their round; returns the database."""
    with only_publisher(warehouse):
        return replace_database(tables, year, warehouse)


@contextmanager
def only_publisher(warehouse: Path) -> Iterator[None]:
    """Hold the warehouse's lock, so that two runs never publish over each other's rounds."""
    handle = os.open(warehouse / ".publishing.lock", os.O_RDWR | os.O_CREAT, OWN_FILE)
    with os.fdopen(handle, "r+b"):
        fcntl.flock(handle, fcntl.LOCK_EX)
        remove_earlier_leftovers(warehouse)
        yield


def replace_database(
    tables: Path,
    year: int,
    warehouse: Path,
    describe: Callable[[], object] = lambda: None,
    place: Callable[[], Path] | None = None,
    *,
    current: bool = True,
    anyway: str | None = None,
) -> Path:
    """A new database with the tables of a run, or, of a run only kept, the digest of its manifest.

    For who holds the warehouse's lock.  `describe` works while the database is built; `place` works
    when it is built and not yet current, and returns the folder where the run lies in the end.
    """
    database = warehouse / DATABASE
    with private_folder(warehouse) as work, ThreadPoolExecutor(1) as beside:
        aside = work / DATABASE
        built = beside.submit(build, aside, tables if current else None, year, database)
        try:
            describe()
        finally:
            wait([built])
        built.result()
        directory = place() if place else tables
        register(aside, year, directory / "manifest.json", anyway)
        if directory.is_relative_to(warehouse):
            admit(directory, access_of(database))
        become_current(aside, database)
    return database


def become_current(aside: Path, database: Path) -> None:
    """Let a new database take the place of the current one, in one rename."""
    give(aside, access_of(database))
    sync(aside)
    # of the file that goes; nobody of ours wrote it
    (database.parent / WAL).unlink(missing_ok=True)
    os.replace(aside, database)
    sync_entry(database.parent)


def admit(run: Path, access: Access) -> None:
    """Let whoever may read the database read the page of a run, and nothing else of it."""
    for folder in (run.parent.parent, run.parent, run):
        let_through(folder, access)
    if (run / REPORT).is_file():
        give_report(run / REPORT, access)


def build(target: Path, run: Path | None, year: int, current: Path) -> None:
    """A new database of a run's tables and, from the current one, every other round."""
    with (
        ExitStack() as held,
        duckdb.connect(config={**OFFLINE, "temp_directory": f"{target}.spill"}) as connection,
    ):
        connection.execute(
            f"ATTACH {database_in_sql(target)} AS new (STORAGE_VERSION '{STORAGE_VERSION}')"
        )
        if current.exists():
            attach(connection, current, "old")
        connection.execute("BEGIN")
        for table in (*PUBLISHED, *REGISTERS):
            connection.register("empty", empty(table).to_arrow())
            connection.execute(f"CREATE TABLE new.{table} AS FROM empty")
            if run and (run / f"{table}.parquet").is_file():
                insert(connection, table, of_run(connection, run, table, held))
            if current.exists() and has_table(connection, table):
                replaced = year if run and table in TABLES else None
                with damage_told(current):
                    insert(
                        connection, table, of_others(connection, table, current.parent), replaced
                    )
        carry_states(connection, current)
        connection.register("dictionary_rows", dictionary().to_arrow())
        connection.execute("CREATE TABLE new.dictionary AS SELECT * FROM dictionary_rows")
        for table in (*TABLES, *REGISTERS):
            connection.execute(f"COMMENT ON TABLE new.{table} IS '{quoted(summary(table))}'")
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT new")
        connection.execute("DETACH new")


def carry_states(connection: duckdb.DuckDBPyConnection, current: Path) -> None:
    """What a round's publication came to stays, whichever run of it is current."""
    if current.exists() and has_table(connection, "rounds"):
        known = {
            each[0] for each in connection.execute("FROM old.rounds LIMIT 0").description or []
        }
        if set(STATES) <= known:
            stays = ", ".join(f"{name} = known.{name}" for name in STATES)
            connection.execute(
                f"UPDATE new.rounds SET {stays} FROM old.rounds AS known"
                " WHERE known.round = rounds.round"
            )
    for name, value in PRELIMINARY.items():
        connection.execute(f"UPDATE new.rounds SET {name} = coalesce({name}, ?)", [value])


def insert(
    connection: duckdb.DuckDBPyConnection, table: str, source: str, replaced: int | None = None
) -> None:
    """Add the rows of a table of any version, but those of the round that is replaced.

    What a version did not have is null.
    """
    there = {each[0] for each in connection.execute(f"FROM {source} LIMIT 0").description or []}
    columns = ", ".join(
        f'"{name}"' if name in there else f'NULL AS "{name}"' for name in columns_of(table)
    )
    others = "" if replaced is None else f" WHERE round != {replaced}"
    connection.execute(f"INSERT INTO new.{table} BY NAME SELECT {columns} FROM {source}{others}")


def of_run(connection: duckdb.DuckDBPyConnection, run: Path, table: str, held: ExitStack) -> str:
    """Where a table of a run directory is read."""
    if table == REJECTS:
        connection.register("rejects_of_run", table_of(run, REJECTS).collect().to_arrow())
        return "rejects_of_run"
    return table_in_sql(run / f"{table}.parquet", held)


def of_others(connection: duckdb.DuckDBPyConnection, table: str, warehouse: Path) -> str:
    """Where a table of the current database is read; its rejects under the names of today."""
    known = {each[0] for each in connection.execute(f"FROM old.{table} LIMIT 0").description or []}
    if table != REJECTS or set(columns_of(table)) <= known:
        return f"old.{table}"
    rows = [empty(REJECTS)]
    for year, run_id in connection.execute("SELECT round, run_id FROM old.rounds").fetchall():
        run = warehouse / "runs" / str(year) / run_id
        if (run / f"{REJECTS}.parquet").is_file():
            rows.append(table_of(run, REJECTS).collect())
            continue
        shown = connection.execute("FROM old.rejects WHERE round = ?", [year]).pl()
        unknown = pl.col("feed") + "/part-?"  # which part it was, the missing directory knew
        rows.append(shown.rename(FORMER_NAMES).with_columns(file=unknown))
    connection.register("rejects_before", pl.concat(rows).to_arrow())
    return "rejects_before"


def register(target: Path, year: int, manifest: Path, anyway: str | None) -> None:
    """Keep the digest of a run's manifest in the new database: an audit tells an edited one by it.

    The manifest is complete only when the database is built: both are made side by side.  A reason
    once given for a run stays with it.
    """
    run_id = json.loads(manifest.read_text(encoding="utf-8"))["run_id"]
    with duckdb.connect(config=OFFLINE) as connection:
        connection.execute(
            f"ATTACH {database_in_sql(target)} AS new (STORAGE_VERSION '{STORAGE_VERSION}')"
        )
        before = connection.execute(
            "SELECT max(anyway) FROM new.manifests WHERE run_id = ?", [run_id]
        ).fetchall()
        connection.execute("DELETE FROM new.manifests WHERE run_id = ?", [run_id])
        connection.execute(
            "INSERT INTO new.manifests (round, run_id, manifest_sha256, anyway) VALUES (?, ?, ?, ?)",
            [year, run_id, sha256(manifest), anyway or before[0][0]],
        )
        connection.execute(
            "UPDATE new.rounds SET anyway = (SELECT anyway FROM new.manifests AS known"
            " WHERE known.run_id = rounds.run_id)"
        )
        connection.execute("CHECKPOINT new")
        connection.execute("DETACH new")


def require_readable(warehouse: Path) -> None:
    """Raise a Failure where the current database cannot be read or replaced: before the work."""
    require_nameable(warehouse)
    if (warehouse / DATABASE).exists():
        with duckdb.connect(config=OFFLINE) as connection:
            attach(connection, warehouse / DATABASE, "old")
        require_group(warehouse / DATABASE)


def current_size(warehouse: Path, year: int) -> Size | None:
    """The current run of a round, and how large it is; nothing where the round has none."""
    if not (warehouse / DATABASE).exists():
        return None
    with open_read_only(warehouse) as database:
        found = database.execute(
            "SELECT run_id, applications, eligible FROM rounds WHERE round = ?", [year]
        ).fetchall()
    return Size(*found[0]) if found else None


@contextmanager
def damage_told(current: Path) -> Iterator[None]:
    """Tell a current database that is damaged inside from a disk that is full."""
    try:
        yield
    except duckdb.Error as error:
        if any(words in str(error) for words in DAMAGED):
            raise unreadable(current, str(error)) from None
        raise


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


def remove_earlier_leftovers(warehouse: Path) -> None:
    """What publications of earlier versions left when they were killed; they held this same lock.

    A run directory they had put aside comes back where they did not come to put the new one there.
    """
    for path in warehouse.iterdir():
        if EARLIER_DATABASE.fullmatch(path.name):
            path.unlink(missing_ok=True)
    for year in runs_of(warehouse / "runs").values():
        for path in [each for each in year.iterdir() if EARLIER_RUN.fullmatch(each.name)]:
            run = year / path.name.split(".")[1]
            if run.exists():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.rename(run)
