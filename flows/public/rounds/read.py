"""From the analysts' database to rounds that may be shown, all of one state of it."""

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from flows.common.database import DATABASE, open_read_only, other_tables
from flows.common.points import centipoints
from flows.ledger.entries import GIVEN
from flows.public.rounds.outside import Outside, mean, outside
from flows.public.rounds.required_tables import require_months, require_titles, require_values
from flows.public.rounds.shown_round import NOTHING, Shown, ShownRound
from schemas.results import INDICATORS

PUBLISHED = "published"
LISTED = ("serial", "name", "birth_month", "employer", "total", *INDICATORS)
SHOWN = ("public_list", "segments", "clauses", "manifests")
# a few milliseconds: the rows themselves take many times that
RECORDED = "SELECT round, '{0}', count(*), bit_xor(hash({0})) FROM {0} GROUP BY round"


def read(warehouse: Path, *, preliminary: bool, before: Shown = NOTHING) -> Shown:
    """The rounds that may be shown; what stands in the others is not looked at.

    `before` is what was read of an earlier state: a round that stands in both alike is not read again.
    """
    with open_read_only(warehouse) as database, message_of_other_tables(warehouse / DATABASE):
        every = database.execute("FROM rounds ORDER BY round DESC").pl()
        rows = {
            int(each["round"]): each for each in require_values("rounds", every).rows(named=True)
        }
        may = [year for year in rows if preliminary or rows[year].get("state") == PUBLISHED]
        rehearsal, recorded = is_rehearsal(database), recorded_of(database)
        found = {}
        for year in may:
            now = (tuple(rows[year].values()), rehearsal, recorded.get(year))
            last = before.get(year)
            known = last if last and last.manifest_sha256 and last.recorded == now else None
            found[year] = known or shown(database, rows[year], rehearsal=rehearsal, recorded=now)
    return Shown(found, frozenset(rows) - found.keys())


def recorded_of(database: duckdb.DuckDBPyConnection) -> Mapping[int, Hashable]:
    """What shows by year whether a round is as it was: the digest of its rows in each table that is shown."""
    asked = " UNION ALL ".join(map(RECORDED.format, SHOWN))
    found: dict[int, set[Hashable]] = {}
    for year, *digest in database.execute(asked).fetchall():
        found.setdefault(year, set()).add(tuple(digest))
    return {year: frozenset(digests) for year, digests in found.items()}


@contextmanager
def message_of_other_tables(database: Path) -> Iterator[None]:
    """Tables and columns of another version as what is wrong with the database."""
    try:
        yield
    except (LookupError, TypeError, ValueError, pl.exceptions.PolarsError):
        raise other_tables(database) from None


def shown(
    database: duckdb.DuckDBPyConnection,
    row: dict[str, Any],
    *,
    rehearsal: bool,
    recorded: Hashable,
) -> ShownRound:
    """One round; what is about people who are not on its list goes through `outside` and is let go."""
    year = row["round"]
    people = rows_of(database, "public_list", year).select(LISTED).sort("serial")
    require_months(people["birth_month"])
    listed = people.select(centipoints(name) for name in (*INDICATORS, "total"))
    titles = rows_of(database, "clauses", year).filter(kind="indicator").select("name", "title_zh")
    require_titles(titles["name"], people)
    segments = rows_of(database, "segments", year).select("place", centipoints("total"))
    totals = listed["total"].sort()
    line = None if totals.is_empty() else int(totals[0])
    return ShownRound(
        year=year,
        edition=row["edition"],
        policy_date=row["policy_date"],
        reference_date=row["reference_date"],
        quota=row["quota"],
        run_id=row["run_id"],
        manifest_sha256=manifest_of(database, row),
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
        outside=everybody_else(database, row, totals),
        rehearsal=rehearsal,
        recorded=recorded,
    )


def everybody_else(
    database: duckdb.DuckDBPyConnection, row: dict[str, Any], settled: pl.Series
) -> Outside:
    """What may be said of people who are not on the list; it takes longer than all the rest."""
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
    """The rows of a round in a table, with all the values they must have."""
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
