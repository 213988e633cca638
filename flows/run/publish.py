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
from contextlib import contextmanager
from pathlib import Path

import duckdb

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
    require_nameable,
)
from flows.common.files import sha256, sync, sync_entry
from flows.common.private_folder import private_folder
from flows.common.settings import DATA
from flows.kept.past_run import runs_of
from flows.kept.run_files import REPORT
from flows.run.build_database import STORAGE_VERSION, OfRun, build
from flows.run.plausible import Size

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
    data: Path = DATA,
) -> Path:
    """A new database with the tables of a run, or, of a run only kept, the digest of its manifest.

    Only while the warehouse's lock is held.  `describe` works while the database is built; `place` works
    when it is built and not yet current, and returns the folder where the run lies in the end.
    """
    database = warehouse / DATABASE
    with private_folder(warehouse) as work, ThreadPoolExecutor(1) as beside:
        aside = work / DATABASE
        of_run = OfRun(year, tables) if current else None
        built = beside.submit(build, aside, of_run, database, data=data)
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
    # it belongs to the file that goes; luohu did not write it
    (database.parent / WAL).unlink(missing_ok=True)
    os.replace(aside, database)
    sync_entry(database.parent)


def admit(run: Path, access: Access) -> None:
    """Let whoever may read the database read the page of a run, and nothing else of it."""
    for folder in (run.parent.parent, run.parent, run):
        let_through(folder, access)
    if (run / REPORT).is_file():
        give_report(run / REPORT, access)


def register(target: Path, year: int, manifest: Path, anyway: str | None) -> None:
    """Keep the digest of a run's manifest in the new database: an audit knows an edited one by it.

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
