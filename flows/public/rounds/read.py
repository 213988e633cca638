"""From the analysts' database to rounds that may be shown, all of one state of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from flows.common.database import DATABASE, open_read_only, other_tables
from flows.common.points import centipoints
from flows.ledger.entries import GIVEN
from flows.public.rounds.complete import require_months, require_titles, require_values
from flows.public.rounds.outside import Outside, mean, outside
from flows.public.rounds.shown import NOTHING, Shown, ShownRound
from schemas.results import INDICATORS

PUBLISHED = "published"
LISTED = ("serial", "name", "birth_month", "employer", "total", *INDICATORS)


def read(warehouse: Path, *, preliminary: bool, before: Shown = NOTHING) -> Shown:
    """The rounds that may be shown; what stands in the others is not looked at.

    `before` is what was read of an earlier state: a run that is in both is not counted again.
    """
    with open_read_only(warehouse) as database, told_of_others(warehouse / DATABASE):
        every = database.execute("FROM rounds ORDER BY round DESC").pl()
        rows = require_values("rounds", every).rows(named=True)
        may = [each for each in rows if preliminary or each.get("state") == PUBLISHED]
        rehearsal = is_rehearsal(database)
        found = {
            int(each["round"]): replace(
                shown(database, each, before.get(each["round"])), rehearsal=rehearsal
            )
            for each in may
        }
    return Shown(found, frozenset(int(each["round"]) for each in rows) - found.keys())


@contextmanager
def told_of_others(database: Path) -> Iterator[None]:
    """Tables and columns of another version as what is wrong with the database."""
    try:
        yield
    except (LookupError, TypeError, ValueError, pl.exceptions.PolarsError):
        raise other_tables(database) from None


def shown(
    database: duckdb.DuckDBPyConnection, row: dict[str, Any], before: ShownRound | None
) -> ShownRound:
    """One round; what is about people who are not on its list goes through `outside` and is let go."""
    year = row["round"]
    people = rows_of(database, "public_list", year).select(LISTED).sort("serial")
    require_months(people["birth_month"])
    listed = people.select(centipoints(name) for name in (*INDICATORS, "total"))
    titles = rows_of(database, "clauses", year).filter(kind="indicator").select("name", "title_zh")
    require_titles(titles["name"], people)
    segments = rows_of(database, "segments", year).select("place", centipoints("total"))
    manifest = manifest_of(database, row)
    known = before if before and is_same(before, row["run_id"], manifest, people) else None
    totals = listed["total"].sort()
    line = None if totals.is_empty() else int(totals[0])
    return ShownRound(
        year=year,
        edition=row["edition"],
        policy_date=row["policy_date"],
        reference_date=row["reference_date"],
        quota=row["quota"],
        run_id=row["run_id"],
        manifest_sha256=manifest,
        preliminary=row.get("state") != PUBLISHED,
        published_at=row.get("published_at"),
        settled=people.height,
        line=line,
        tied=0 if line is None else totals.filter(totals == line).len(),
        highest=None if line is None else int(totals[-1]),
        segments=tuple(
            each for each in segments.sort("place").iter_rows() if each[0] <= people.height
        ),
        titles=dict(titles.iter_rows()),
        people=people,
        totals=tuple(totals),
        means={} if line is None else {name: mean(listed[name]) for name in listed.columns},
        outside=known.outside if known else everybody_else(database, row, totals),
    )


def is_same(before: ShownRound, run_id: str, manifest: str | None, people: pl.DataFrame) -> bool:
    """Whether a round is of the run it was of before."""
    run = (before.run_id, before.manifest_sha256)
    return manifest is not None and run == (run_id, manifest) and before.people.equals(people)


def everybody_else(
    database: duckdb.DuckDBPyConnection, row: dict[str, Any], settled: pl.Series
) -> Outside:
    """What may be said of who is not on the list; it takes longer than all the rest."""
    below = database.execute(
        "SELECT s.* FROM scores s JOIN ranking r USING (round, application_no)"
        " WHERE r.round = ? AND NOT r.settled",
        [row["round"]],
    ).pl()
    return outside(
        below.select(centipoints(name) for name in (*INDICATORS, "total")),
        quota=row["quota"],
        applications=row["applications"],
        settled=settled,
    )


def rows_of(database: duckdb.DuckDBPyConnection, table: str, year: int) -> pl.DataFrame:
    """The rows of a round in a table of ours, with all that they must have."""
    found = database.execute(f"FROM {table} WHERE round = ?", [year]).pl()
    return require_values(table, found)


def is_rehearsal(database: duckdb.DuckDBPyConnection) -> bool:
    """Whether the first time in the ledger was given: then all are (演练)."""
    first = database.execute("SELECT clock FROM ledger ORDER BY seq LIMIT 1").fetchone()
    return first == (GIVEN,)


def manifest_of(database: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> str | None:
    """The digest of a run's manifest, where the database has it."""
    found = rows_of(database, "manifests", row["round"]).filter(run_id=row["run_id"])
    return None if found.is_empty() else str(found["manifest_sha256"][0])
