"""Build an analysts' database: the tables of a run, and every other round of the current database.

It is a new file, never the current one changed, so that nothing that was taken out is left in it.  The
views, what no run keeps, and a word on everything come with it (`schemas/database.toml`, `describe.py`).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
import polars as pl

from flows.common.database import attach, database_in_sql, settings_for, table_in_sql, unreadable
from flows.common.settings import DATA
from flows.kept.tables import FORMER_NAMES, REJECTS
from flows.kept.tables import table as table_of
from flows.run.beside_runs import filings, official
from flows.run.describe import describe
from schemas.database import in_order, is_json, is_personal, queries, views
from schemas.process import PRELIMINARY, STATES
from schemas.results import PUBLISHED, REGISTERS, TABLES, columns_of, empty

STORAGE_VERSION = "v1.5.0"  # readable by DuckDB 1.5 and 2.0
DAMAGED = ("Could not read", "Corrupt", "checksum")  # what DuckDB says of a block it cannot read
FILINGS, OFFICIAL = "filings", "official"
OF_A_RUN = (*TABLES, FILINGS)  # a run replaces their rows of its round


class OfRun(NamedTuple):
    """The run whose tables come in, and its round."""

    year: int
    directory: Path


def build(
    target: Path,
    run: OfRun | None,
    current: Path,
    *,
    data: Path = DATA,
    without_names: bool = False,
) -> None:
    """A new database of a run's tables and, from the current one, every other round."""
    config = settings_for(f"{target}.spill", current, *([run.directory] if run else []))
    with ExitStack() as held, duckdb.connect(config=config) as connection:
        connection.execute(
            f"ATTACH {database_in_sql(target)} AS new (STORAGE_VERSION '{STORAGE_VERSION}')"
        )
        if current.exists():
            attach(connection, current, "old")
        connection.execute("BEGIN")
        for table in (*PUBLISHED, *REGISTERS):
            create(connection, table)
            if table == OFFICIAL:
                connection.register("official_rows", official(data).to_arrow())
                insert(connection, table, "official_rows")
                continue
            if run and (source := of_run(connection, run.directory, table, held)):
                insert(connection, table, source)
            if current.exists():
                replaced = run.year if run and table in OF_A_RUN else None
                with message_of_damage(current):
                    if source := of_others(connection, table, current.parent):
                        insert(connection, table, source, replaced, without_names=without_names)
        carry_states(connection, current)
        # a view names tables of its own database, whatever that is called where it is opened
        connection.execute("USE new")
        for view, sql in views():
            connection.execute(f"CREATE VIEW {view} AS {sql}")
        connection.register("query_rows", pl.DataFrame(queries()).to_arrow())
        connection.execute("CREATE TABLE queries AS FROM query_rows")
        describe(connection, data)
        connection.execute("USE memory")
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


def create(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """A table without rows, its columns typed and ordered as analysts see them."""
    rows = empty(table)
    columns = ", ".join(
        f'CAST("{name}" AS JSON) AS "{name}"' if is_json(table, name) else f'"{name}"'
        for name in in_order(table, rows.columns)
    )
    connection.register("empty", rows.to_arrow())
    connection.execute(f"CREATE TABLE new.{table} AS SELECT {columns} FROM empty")


def insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    source: str,
    replaced: int | None = None,
    *,
    without_names: bool = False,
) -> None:
    """Add the rows of a table of any version, but those of the round that is replaced.

    What a version did not have is null, and so is what a copy without names leaves out.
    """
    there = {each[0] for each in connection.execute(f"FROM {source} LIMIT 0").description or []}
    if without_names:
        there = {name for name in there if not is_personal(table, name)}
    columns = ", ".join(
        f'"{name}"' if name in there else f'NULL AS "{name}"' for name in empty(table).columns
    )
    others = "" if replaced is None else f" WHERE round != {replaced}"
    connection.execute(f"INSERT INTO new.{table} BY NAME SELECT {columns} FROM {source}{others}")


def of_run(
    connection: duckdb.DuckDBPyConnection, run: Path, table: str, held: ExitStack
) -> str | None:
    """Where a table of a run directory is read; nothing where it has none."""
    if table == FILINGS:
        connection.register("filings_of_run", filings(run).to_arrow())
        return "filings_of_run"
    if not (run / f"{table}.parquet").is_file():
        return None
    if table == REJECTS:
        connection.register("rejects_of_run", table_of(run, REJECTS).collect().to_arrow())
        return "rejects_of_run"
    return table_in_sql(run / f"{table}.parquet", held)


def of_others(connection: duckdb.DuckDBPyConnection, table: str, warehouse: Path) -> str | None:
    """Where a table of the current database, perhaps of an older version, is read.

    Its rejects come under the names of today, and what it had no table for from the runs it shows.
    """
    if not has_table(connection, table):
        return filings_before(connection, warehouse) if table == FILINGS else None
    known = {each[0] for each in connection.execute(f"FROM old.{table} LIMIT 0").description or []}
    if table != REJECTS or set(columns_of(table)) <= known:
        return f"old.{table}"
    rows = [empty(REJECTS)]
    for year, run in runs_shown(connection, warehouse):
        if (run / f"{REJECTS}.parquet").is_file():
            rows.append(table_of(run, REJECTS).collect())
            continue
        shown = connection.execute("FROM old.rejects WHERE round = ?", [year]).pl()
        unknown = pl.col("feed") + "/part-?"  # only the missing directory said which part it was
        rows.append(shown.rename(FORMER_NAMES).with_columns(file=unknown))
    connection.register("rejects_before", pl.concat(rows).to_arrow())
    return "rejects_before"


def filings_before(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> str:
    """Filings of the runs shown by a database that had none; a missing run directory gives none."""
    rows = [filings(run) for _, run in runs_shown(connection, warehouse) if run.is_dir()]
    connection.register("filings_before", pl.concat([empty(FILINGS), *rows]).to_arrow())
    return "filings_before"


def runs_shown(
    connection: duckdb.DuckDBPyConnection, warehouse: Path
) -> Iterator[tuple[int, Path]]:
    """The rounds of the current database and where the run of each lies."""
    shown = connection.execute("SELECT round, run_id FROM old.rounds").fetchall()
    yield from ((year, warehouse / "runs" / str(year) / run_id) for year, run_id in shown)


def is_of_today(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the current database has every table and view that one of today has, and no other."""
    found = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'old' UNION ALL"
        " SELECT view_name FROM duckdb_views() WHERE database_name = 'old' AND NOT internal"
    ).fetchall()
    today = {*PUBLISHED, *REGISTERS, *(name for name, _ in views()), "dictionary", "queries"}
    return {name for (name,) in found} == today


def has_table(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether the current database has a table."""
    found = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'old' AND table_name = ?",
        [table],
    ).fetchall()
    return bool(found[0][0])


@contextmanager
def message_of_damage(current: Path) -> Iterator[None]:
    """Distinguish a current database that is damaged inside from a disk that is full."""
    try:
        yield
    except duckdb.Error as error:
        if any(words in str(error) for words in DAMAGED):
            raise unreadable(current, str(error)) from None
        raise
