"""The second engine: conditions, indicators, totals, ranks and public list again, in plain DuckDB SQL.

It is written from the data contract and shares no code with `transforms/`.  A rule is one SQL file
that gives every applicant a line: person and holds below `conditions/`, person and centipoints below
`indicators/`; what several rules ask for stands below `facts/`.  A `$name` in a file is a value of the
rule's policy file, or of the round.  Publication waits for both engines to agree on everything.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
import pyarrow as arrow

from flows.common.by_name import named
from flows.common.database import settings_for, table_in_sql
from flows.common.failures import CheckFailed
from flows.common.settings import Order, of_buckets
from flows.run.second_engine.differences import LINE, Difference, differences
from flows.run.second_engine.engine import rank, recompute, score, sql
from flows.run.second_engine.values import open_book
from schemas.feeds import FEEDS

MOST_SHOWN = 10  # a refusal names so many differing rows
SCORECARD = "recomputed"  # of a bucket: the file, and the SQL that gives its columns
CHECKED = ("scores", "eligibility", "ranking", "segments", "public_list", "rejects")


def check(order: Order, work: Path, buckets: Sequence[Path] = ()) -> None:
    """Raise CheckFailed, naming the first differing rows, unless both engines agree on everything."""
    order.edition()  # a value of the wrong type is no difference: two engines may agree on it
    found = recheck(order, work, buckets)
    if found:
        applications = len({each.application_no for each in found if each.application_no != LINE})
        message = "\n".join(f"  {each}" for each in found[:MOST_SHOWN])
        raise CheckFailed(
            f"the second engine disagrees: {len(found):,} differences on {applications:,}"
            f" applications; nothing was published. The first:\n{message}"
        )


def recheck(order: Order, work: Path, buckets: Sequence[Path] = ()) -> list[Difference]:
    """Recompute a scored and ranked work folder; every difference, empty when both engines agree.

    Where the buckets were recomputed already, ranks and differences are left to do.
    """
    book = open_book(order.data, order.year)
    line = json.loads((work / "line.json").read_text(encoding="utf-8"))
    with ExitStack() as held, connected(work) as connection:
        prepare(connection, work, held, CHECKED)
        if buckets:
            show_scorecards(connection, buckets, held)
            rank(connection, book)
        else:
            recompute(connection, book)
        parts = max(1, len(buckets) // of_buckets()["compared_at_once"])
        return [*differences(connection, line, parts)]


def scorecard(order: Order, bucket: Path) -> arrow.Table:
    """What everybody in a bucket's folder comes to, to be ranked when all buckets are there."""
    with ExitStack() as held, connected(bucket) as connection:
        prepare(connection, bucket, held)
        score(connection, open_book(order.data, order.year))
        return connection.execute(sql(SCORECARD)).to_arrow_table()


def show_scorecards(
    connection: duckdb.DuckDBPyConnection, buckets: Sequence[Path], held: ExitStack
) -> None:
    """Show the scorecards of all buckets as one."""
    tables = [table_in_sql(each / f"{SCORECARD}.parquet", held) for each in buckets]
    rows = " UNION ALL ".join(f"FROM {table}" for table in tables)
    connection.execute(f"CREATE VIEW results.scorecard AS {rows}")


@contextmanager
def connected(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory; what it cannot hold goes into a folder, and with it."""
    spill = folder / "recheck.spill"
    config = settings_for(named(spill), folder) | {"preserve_insertion_order": "false"}
    try:
        with duckdb.connect(config=config) as connection:
            yield connection
    finally:
        shutil.rmtree(spill, ignore_errors=True)


def prepare(
    connection: duckdb.DuckDBPyConnection, work: Path, held: ExitStack, checked: Sequence[str] = ()
) -> None:
    """Show the accepted rows and the tables to check as views, each kind in a schema of its own."""
    for schema in ("feeds", "facts", "conditions", "indicators", "results", "published", "part"):
        connection.execute(f"CREATE SCHEMA {schema}")
    accepted = {f"feeds.{name}": f"accepted/{name}" for name in (*FEEDS, "needs_review")}
    published = {f"published.{name}": name for name in checked}
    views = accepted | published | {"feeds.people": "restricted/people"}
    for view, file in views.items():
        rows = table_in_sql(work / f"{file}.parquet", held)
        connection.execute(f"CREATE VIEW {view} AS FROM {rows}")
