"""Replace tables of the database that no run makes, in a copy of it, by the same single rename.

The tables of runs are copied as they are, byte for byte: however large they are, nothing is read.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl

from flows.common.database import DATABASE, OFFLINE, attach, database_in_sql, quoted
from flows.common.private_folder import private_folder
from flows.run.publish import become_current, build, summary
from schemas.process import PRELIMINARY
from schemas.results import dictionary, empty

ROUNDS = "rounds"


def replace_registers(warehouse: Path, tables: Mapping[str, pl.DataFrame]) -> Path:
    """A database with these tables in place of those of the same names; `rounds` gets their columns.

    For who holds the warehouse's lock (`only_publisher`).  Where there is no database yet, one
    without runs is made.
    """
    database = warehouse / DATABASE
    with private_folder(warehouse) as work:
        aside = work / DATABASE
        if database.exists():
            with duckdb.connect(config=OFFLINE) as connection:
                attach(connection, database, "old")  # one that cannot be read is told here
            shutil.copyfile(database, aside)
        else:
            build(aside, None, 0, database)
        with duckdb.connect(config=OFFLINE) as connection:
            connection.execute(f"ATTACH {database_in_sql(aside)} AS new")
            connection.execute("BEGIN")
            for name, rows in tables.items():
                put(connection, name, with_states(connection, rows) if name == ROUNDS else rows)
            connection.register("dictionary_rows", dictionary().to_arrow())
            connection.execute("CREATE OR REPLACE TABLE new.dictionary AS FROM dictionary_rows")
            connection.execute("COMMIT")
            connection.execute("CHECKPOINT new")
            connection.execute("DETACH new")
        become_current(aside, database)
    return database


def put(connection: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame) -> None:
    """Replace one table, with exactly the columns it has today."""
    shape = empty(name)
    whole = pl.concat([shape, rows.select(shape.columns)], how="vertical_relaxed")
    connection.register("rows_now", whole.to_arrow())
    connection.execute(f"CREATE OR REPLACE TABLE new.{name} AS FROM rows_now")
    connection.execute(f"COMMENT ON TABLE new.{name} IS '{quoted(summary(name))}'")


def with_states(connection: duckdb.DuckDBPyConnection, states: pl.DataFrame) -> pl.DataFrame:
    """The rounds of the database, each with its state; a round without one was never published."""
    there = connection.execute("FROM new.rounds").pl()
    runs = empty(ROUNDS).drop(list(PRELIMINARY))
    known = there.select(runs.columns)
    return known.join(states, on="round", how="left", validate="1:1").with_columns(
        pl.col(name).fill_null(value) for name, value in PRELIMINARY.items() if value is not None
    )
