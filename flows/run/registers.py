"""Replace tables of the database that no run makes, in a copy of it, by the same single rename.

The tables of runs are copied as they are, byte for byte: however large they are, nothing is read.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl

from flows.common.access import access_of
from flows.common.database import DATABASE, OFFLINE, attach, database_in_sql
from flows.common.private_folder import private_folder
from flows.common.settings import DATA
from flows.run.build_database import OfRun, build, is_of_today
from flows.run.describe import describe
from flows.run.publish import admit, become_current, register
from schemas.process import PRELIMINARY
from schemas.results import empty

ROUNDS = "rounds"


NO_RUNS: Mapping[int, Path] = {}


def replace_registers(
    warehouse: Path, tables: Mapping[str, pl.DataFrame], runs: Mapping[int, Path] = NO_RUNS
) -> Path:
    """A database with these tables in place of those of the same names; `rounds` gets their columns.

    Only while the warehouse's lock is held (`only_publisher`).  Where there is no database yet, one
    without runs is made; one of an earlier version is built anew.  `runs` become the current ones of
    their rounds, in the same rename.
    """
    database = warehouse / DATABASE
    with private_folder(warehouse) as work:
        aside, as_it_is = work / DATABASE, False
        if database.exists():
            with duckdb.connect(config=OFFLINE) as connection:
                attach(connection, database, "old")  # one that cannot be read is reported here
                as_it_is = is_of_today(connection)
        if as_it_is:
            shutil.copyfile(database, aside)
        else:
            build(aside, None, database)
        for year, run in runs.items():
            with_run(aside, OfRun(year, run), warehouse)
        with duckdb.connect(config=OFFLINE) as connection:
            connection.execute(f"ATTACH {database_in_sql(aside)} AS new")
            connection.execute("BEGIN")
            for name, rows in tables.items():
                put(connection, name, with_states(connection, rows) if name == ROUNDS else rows)
            connection.execute("USE new")
            describe(connection, DATA)
            connection.execute("USE memory")
            connection.execute("COMMIT")
            connection.execute("CHECKPOINT new")
            connection.execute("DETACH new")
        become_current(aside, database)
    return database


def with_run(aside: Path, run: OfRun, warehouse: Path) -> None:
    """Let a run be the current one of its round in a database that is not in use yet."""
    built = aside.with_name(f"{run.year}-{aside.name}")
    build(built, run, aside)
    register(built, run.year, run.directory / "manifest.json", None)
    admit(run.directory, access_of(warehouse / DATABASE))
    os.replace(built, aside)


def put(connection: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame) -> None:
    """Replace one table, with exactly the columns it has today."""
    shape = empty(name)
    whole = pl.concat([shape, rows.select(shape.columns)], how="vertical_relaxed")
    connection.register("rows_now", whole.to_arrow())
    connection.execute(f"CREATE OR REPLACE TABLE new.{name} AS FROM rows_now")


def with_states(connection: duckdb.DuckDBPyConnection, states: pl.DataFrame) -> pl.DataFrame:
    """The rounds of the database, each with its state; a round without one was never published."""
    there = connection.execute("FROM new.rounds").pl()
    runs = empty(ROUNDS).drop(list(PRELIMINARY))
    known = there.select(runs.columns)
    return known.join(states, on="round", how="left", validate="1:1").with_columns(
        pl.col(name).fill_null(value) for name, value in PRELIMINARY.items() if value is not None
    )
