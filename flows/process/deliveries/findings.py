"""Findings in the ledger (docs/process.md, 6) that are added to every run's `sanctions`.

The ledger names a person by round and application number: who that is, a run of that round says, or
where there is none yet what was delivered.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import polars as pl

from flows.common.by_name import read_table
from flows.common.database import DATABASE, open_read_only
from flows.common.failures import NotFound
from flows.common.files import write_table
from flows.common.private_folder import private_folder
from flows.common.settings import Order
from flows.ledger.entries import Entry
from flows.ledger.file import read
from flows.ledger.operations import SANCTION
from flows.ledger.shown import require_of_ledger, shown_by
from flows.ledger.state import State
from flows.process.applications import delivered
from flows.run.known import FINDINGS, findings_path
from flows.run.stages import bars

PERSON = "applicant"
PEOPLE = Path("restricted") / "people.parquet"


def findings(state: State) -> list[Entry]:
    """The findings that stand, of all rounds, in ledger order."""
    found = (each for year in state.rounds for each in state.standing(SANCTION, year))
    return sorted(found, key=lambda each: each.seq)


def as_rows(warehouse: Path, entries: list[Entry]) -> pl.DataFrame:
    """Findings as rows of the feed `sanctions`."""
    rows = [
        (subject(warehouse, each), date.fromisoformat(each.body["found_on"])) for each in entries
    ]
    return pl.DataFrame(rows, FINDINGS, orient="row").unique().sort("subject_id", "found_on")


def subject(warehouse: Path, entry: Entry) -> str:
    """Whom a finding is about, by ID number or credit code."""
    if entry.body["subject_kind"] != PERSON:
        return str(entry.body["credit_code"])
    number = entry.body["application_no"]
    for run in runs_of(warehouse, entry):
        found = read_table(run / PEOPLE, columns=["application_no", "person_id"]).filter(
            pl.col("application_no") == number
        )
        if found.height:
            return str(found["person_id"][0])
    of_round = delivered(read(warehouse), warehouse, int(entry.round or 0))
    for (person,) in of_round.filter(application_no=number).select("person_id").iter_rows():
        return str(person)
    raise NotFound(
        f"entry {entry.seq}: expected a run or a delivery of round {entry.round} that knows"
        f" application {number}, found none: restore it from a backup"
    )


def runs_of(warehouse: Path, entry: Entry) -> Iterator[Path]:
    """The runs of a round that may know an application: the one the entry names, the current, the rest."""
    folder = warehouse / "runs" / str(entry.round)
    named = [entry.body.get("run_id")]
    if (warehouse / DATABASE).exists():
        with open_read_only(warehouse) as database:
            query = "SELECT run_id FROM rounds WHERE round = ?"
            named += [each[0] for each in database.execute(query, [entry.round]).fetchall()]
    if folder.is_dir():
        named += sorted(each.name for each in folder.iterdir() if each.is_dir())
    for name in dict.fromkeys(filter(None, named)):
        if (folder / name / PEOPLE).is_file():
            yield folder / name


def lacking(warehouse: Path, order: Order, run: Path, entries: list[Entry]) -> list[int]:
    """The findings, by seq, that would be added to a run if it were made now, and are not in it."""
    people = read_table(run / PEOPLE, columns=["person", "person_id"])
    of_employers = read_table(run / "accepted" / "employers.parquet")
    applying = read_table(run / "accepted" / "applications.parquet")["employer"]
    numbers = {
        "person": dict(people.select("person_id", "person").iter_rows()),
        "employer": dict(
            of_employers.filter(pl.col("employer").is_in(applying.implode()))
            .select("employer_id", "employer")
            .iter_rows()
        ),
    }
    sanctions = read_table(run / "accepted" / "sanctions.parquet")
    there = {
        name: set(sanctions.select(name, "found_on").drop_nulls().iter_rows()) for name in numbers
    }
    barring = bars(order.edition(), order.round())
    found = []
    for entry in entries:
        ((who, on),) = as_rows(warehouse, [entry]).iter_rows()
        kept = pl.DataFrame({"found_on": [on]}).select(barring).item()
        of = [(name, each[who]) for name, each in numbers.items() if who in each]
        if kept and of and not any((number, on) in there[name] for name, number in of):
            found.append(entry.seq)
    return found


def put_beside(warehouse: Path, entries: list[Entry], beside: Path) -> None:
    """Let findings lie beside a folder of feeds, where a run looks for them."""
    if entries:
        write_table(as_rows(warehouse, entries), findings_path(beside))


@contextmanager
def with_findings(order: Order, at: datetime | None = None) -> Iterator[Order]:
    """An order for a delivery as it is given (`--feeds`), with the findings that are known.

    One that was prepared already, or is for a warehouse without a ledger, is as it was.
    """
    is_prepared = order.known is not None or not order.warehouse.is_dir()
    state = State() if is_prepared else read(order.warehouse)
    if not is_prepared and not order.keep:  # findings that were lost bar nobody
        require_of_ledger(shown_by(order.warehouse), state)
    if not state.entries:
        yield order
        return
    with private_folder(order.warehouse) as beside:
        put_beside(order.warehouse, findings(state.known_at(at) if at else state), beside)
        yield replace(order, known=beside)
