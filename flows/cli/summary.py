"""What a run prints when it is done: the result, the segments, the rejects, where to look next."""

from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from flows.common.by_name import read_table
from flows.common.database import DATABASE, OFFLINE
from flows.common.vocabulary import FIGURES, figure
from flows.kept.past_run import SHORTEST
from flows.run.stages import Outcome

QUERIES = (
    "SELECT rank, application_no, total FROM ranking WHERE round = {round} ORDER BY rank LIMIT 10",
    "SELECT indicator, avg(points) FROM evidence WHERE round = {round} GROUP BY indicator",
    "SELECT feed, check_name, count(*) FROM rejects WHERE round = {round} GROUP BY ALL ORDER BY 3 DESC",
)

SHOWN = ("rounds", "segments", "rejects", "ranking", "scores")
# a row about them was quarantined: somebody this near the line might not have settled with it
NEAR_THE_LINE = 2  # points
REVIEW = (
    "SELECT count(*), count(*) FILTER (ranking.total <= rounds.cutoff + ?)"
    " FROM ranking JOIN scores USING (round, application_no) JOIN rounds USING (round)"
    " WHERE round = ? AND ranking.settled AND needs_review"
)


def summary(warehouse: Path, outcome: Outcome) -> None:
    """Print the outcome of a run from what it published."""
    console = Console(highlight=False, markup=False, width=110, soft_wrap=True)
    found = read_table(Path(outcome.directory) / "rounds.parquet").row(0, named=True)
    with tables_of(Path(outcome.directory)) as database:
        segments = database.execute(
            "SELECT place, total FROM segments WHERE round = ? ORDER BY place", [outcome.round]
        ).fetchall()
        review = database.execute(REVIEW, [NEAR_THE_LINE, outcome.round]).fetchall()[0]
        rejects = database.execute(
            "SELECT feed, column_name, check_name, count(*) FROM rejects WHERE round = ?"
            " GROUP BY ALL ORDER BY ALL",
            [outcome.round],
        ).fetchall()
    edition = found["edition"]
    console.print(f"Round {outcome.round}, edition {edition}, run {outcome.run_id}", style="bold")
    facts = Table.grid(padding=(0, 3))
    for name, title in FIGURES.items():
        if name != "edition":
            facts.add_row(title, figure(found[name]))
    console.print(facts)
    if segments:
        console.print(
            "score at place (各区段分值): "
            + "   ".join(f"{place:,}: {total}" for place, total in segments)
        )
    if review[0]:
        console.print(
            f"to be reviewed (需复核): {people(review[0])} needs_review, {review[1]:,} of"
            f" them within {NEAR_THE_LINE} points of the line"
        )
    console.print(rejects_table(rejects))
    if outcome.litter:
        console.print(f"passed over: {outcome.litter:,} files that are never part of a delivery")
    console.print(f"warehouse: {warehouse / DATABASE}")
    console.print(f"report:    {outcome.directory}/report.html")
    if not outcome.current:
        makes = f"luohu current {outcome.round} {outcome.run_id[:SHORTEST]}"
        console.print(f"kept, not current; to make it current: {makes}")
        return
    console.print("try:")
    for query in QUERIES:
        console.print("  " + query.format(round=outcome.round))


def people(settled: int) -> str:
    """So many settled people, with their verb."""
    return "1 settled person has" if settled == 1 else f"{settled:,} settled people have"


def tables_of(run: Path) -> duckdb.DuckDBPyConnection:
    """The tables a run wrote, whether it became current or not."""
    connection = duckdb.connect(config=OFFLINE)
    for name in SHOWN:
        connection.register(name, read_table(run / f"{name}.parquet").to_arrow())
    return connection


def rejects_table(rejects: list[tuple[str, str, str, int]]) -> Table | str:
    """Failed checks by feed, column and check."""
    if not rejects:
        return "rejects: none"
    table = Table("feed", "column", "expected", "rows", title="rejects", title_justify="left")
    table.columns[3].justify = "right"
    for feed, column, check, rows in rejects:
        table.add_row(feed, column, check, f"{rows:,}")
    return table
