"""Findings in the ledger (docs/process.md, 6) that are added to every run's `sanctions`.

The ledger names a person by round and application number: who that is follows from a
run of that round or, where there is none yet, from what was delivered.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import polars as pl

from flows.common.failures import NotFound
from flows.common.files import write_table
from flows.common.private_folder import private_folder
from flows.common.settings import Order
from flows.ledger.entries import Entry
from flows.ledger.file import read
from flows.ledger.operations import SANCTION
from flows.ledger.seen_in_database import require_of_ledger, shown_by
from flows.ledger.state import State
from flows.process.applications import id_numbers
from flows.run.known import FINDINGS, findings_path


def findings(state: State) -> list[Entry]:
    """The findings that stand, of all rounds, in ledger order."""
    found = (each for year in state.rounds for each in state.standing(SANCTION, year))
    return sorted(found, key=lambda each: each.seq)


def as_rows(warehouse: Path, entries: list[Entry]) -> pl.DataFrame:
    """Findings as rows of the feed `sanctions`."""
    days = [date.fromisoformat(each.body["found_on"]) for each in entries]
    rows = list(zip(subjects(warehouse, entries), days, strict=True))
    return pl.DataFrame(rows, FINDINGS, orient="row").unique().sort("subject_id", "found_on")


def subjects(
    warehouse: Path, entries: Sequence[Entry], state: State | None = None
) -> Iterator[str]:
    """Whom each finding is about, by ID number or credit code; raises NotFound where nobody knows."""
    numbers: dict[int, list[str]] = {}
    for each in entries:
        if each.body["application_no"] is not None:
            numbers.setdefault(int(each.round or 0), []).append(each.body["application_no"])
    people = {year: id_numbers(warehouse, year, each, state) for year, each in numbers.items()}
    for each in entries:
        number = each.body["application_no"]
        found = people[each.round or 0].get(number) if number else each.body["credit_code"]
        if found is None:
            raise NotFound(
                f"entry {each.seq}: expected a run or a delivery of round {each.round} that knows"
                f" application {number}, found none: restore it from a backup"
            )
        yield str(found)


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
