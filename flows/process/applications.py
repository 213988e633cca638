"""Which applications a round has: those of its current run, and those delivered so far."""

from collections.abc import Collection, Sequence
from pathlib import Path

import polars as pl

from flows.common.by_name import read_table
from flows.common.database import DATABASE, open_read_only
from flows.common.failures import BadUsage
from flows.kept.past_run import published, runs_of
from flows.ledger.file import read as ledger
from flows.ledger.operations import DELIVER, RUN
from flows.ledger.state import State
from flows.process.deliveries.held import Held, held
from flows.process.deliveries.subjects import replaced
from flows.run.read_files import read
from schemas.feeds import FEEDS
from schemas.text import is_application_no

FEED = "applications"
COLUMNS = ("application_no", "person_id", "employer_id")


def are_application_nos(texts: Sequence[str]) -> list[bool]:
    """Which texts may be application numbers."""
    texts = [each if each.isascii() else "" for each in texts]  # also what is no UTF-8
    return list(
        pl.DataFrame({"text": texts}, {"text": pl.String})
        .select(is_application_no(pl.col("text")))
        .to_series()
    )


def require_application_no(text: str) -> None:
    """Raise BadUsage for what is no application number; it may be somebody's name or ID number."""
    if not all(are_application_nos([text])):
        raise BadUsage(
            "expected an application number, 1 to 32 of A-Z a-z 0-9 - _ and no ID number, found"
            f" {len(text)} characters that are none"
        )


def known_among(state: State, warehouse: Path, year: int, wanted: Collection[str]) -> set[str]:
    """Which of some application numbers a round knows."""
    found = in_current_run(warehouse, year, wanted)
    if set(wanted) <= found:
        return found
    return found | set(delivered(state, warehouse, year)["application_no"]).intersection(wanted)


def delivered(state: State, warehouse: Path, year: int, run_id: str | None = None) -> pl.DataFrame:
    """The applications a round holds, or those of the deliveries a run was made from.

    Number, ID number and credit code, as delivered: rows of a person that a correction replaced are
    left out, bad ones are not.
    """
    feed = held(state, year, FEED)
    for run in state.standing(RUN, year, id=run_id):
        made_from = set(run.body["deliveries"])
        entries = [each for each in state.made(DELIVER, year) if each.body["id"] in made_from]
        feed = Held(FEED, tuple(each for each in entries if each.body["feed"] == FEED))
    schema = FEEDS[FEED].schema()
    pieces = [
        piece.rows.select(pl.col(COLUMNS).cast(pl.String)).with_columns(number=pl.lit(part.number))
        for part in feed.parts(warehouse)
        for piece in read(part, schema)
    ]
    if not pieces:
        return pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
    gone = replaced(warehouse, feed)
    return (
        pl.concat(pieces)
        .join(gone, left_on="person_id", right_on="subject", how="left", validate="m:1")
        .filter(pl.col("number") >= pl.col("before").fill_null(0))
        .select(COLUMNS)
        .drop_nulls("application_no")
    )


def identities(state: State, warehouse: Path, year: int, number: str) -> set[str]:
    """The ID number and the credit code that deliveries know an application by; for comparing only.

    Those of a run count where the application does not stand in the deliveries (any more).
    """
    rows = delivered(state, warehouse, year).filter(application_no=number)
    found = {each for row in rows.select("person_id", "employer_id").rows() for each in row if each}
    current = published(warehouse, year).current
    run = warehouse / "runs" / f"{year}" / str(current)
    if not found and current and run.is_dir():
        people = read_table(run / "restricted" / "people.parquet")
        found = set(people.filter(application_no=number)["person_id"])
    return found


def id_numbers(
    warehouse: Path, year: int, numbers: Collection[str], state: State | None = None
) -> dict[str, str]:
    """Application number -> ID number, by the runs of a round, the current one first, or by its deliveries.

    The ledger is read for those that no run has, where it is not given.
    """
    found: dict[str, str] = {}
    if not numbers:
        return found
    wanted = pl.col("application_no").is_in(list(numbers))
    columns = ["application_no", "person_id"]
    runs = runs_of(warehouse / "runs" / f"{year}")
    current = published(warehouse, year).current
    for run in sorted(runs.values(), key=lambda each: each.name != current):
        path = run / "restricted" / "people.parquet"
        if not set(numbers) <= found.keys() and path.is_file():
            found = dict(read_table(path, columns=columns).filter(wanted).rows()) | found
    if set(numbers) <= found.keys():
        return found
    rows = delivered(state or ledger(warehouse), warehouse, year)
    return dict(rows.filter(wanted).select(columns).rows()) | found


def in_current_run(warehouse: Path, year: int, wanted: Collection[str]) -> set[str]:
    """Which of some application numbers the current run of a round has."""
    if not (warehouse / DATABASE).exists():
        return set()
    with open_read_only(warehouse) as database:
        known = database.execute("SELECT application_no FROM scores WHERE round = ?", [year]).pl()
    return set(known["application_no"]).intersection(wanted)
