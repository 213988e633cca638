"""`settle`: a place was used, or given up (docs/process.md, 6); one, or a list of them, all or none."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from flows.common.failures import BadUsage, ProcessRefused
from flows.process.dates import day, day_of, require_not_after
from flows.process.lists_from_csv import message_with_row, read_list
from flows.process.places.standing import ENTITLED, REGISTERED, SETTLED, place_of, places
from flows.process.publication.official import require_published
from flows.process.read import require_warehouse
from flows.process.turn import Asked, Turn, turn

if TYPE_CHECKING:
    from flows.ledger.entries import Body

COLUMNS, OPTIONAL = ("serial", "status", "on"), ("children",)
SERIAL_DIGITS = 9  # the year and five more
MOST_CHILDREN = 99  # more is a slip of the hand
MOST_DIGITS = 9  # Python reads no number of thousands


class Settling(NamedTuple):
    """What became of a place: registered, with children, or withdrawn."""

    serial: int
    status: str
    on: date
    children: int | None


def settling(serial: str, status: str, on: str, children: str = "") -> Settling:
    """What somebody says of a place; raises BadUsage for what cannot be."""
    place = serial_of(serial)
    if status not in SETTLED:
        raise BadUsage(f"expected {' or '.join(SETTLED)}, found another status")
    if children and status != REGISTERED:
        raise BadUsage("--children: goes with registered")
    if children and not (children.isascii() and children.isdigit()):
        raise BadUsage("--children: expected a whole number from 0, found something else")
    count = int(children or 0) if len(children) <= MOST_DIGITS else MOST_CHILDREN + 1
    if count > MOST_CHILDREN:
        raise BadUsage(f"--children: expected 0 to {MOST_CHILDREN}, found a number beyond")
    return Settling(place, status, day(on, "--on"), count if status == REGISTERED else None)


def serial_of(text: str) -> int:
    """A public serial; raises BadUsage for what is none, which may be somebody's name or ID number."""
    if not (text.isascii() and text.isdigit() and len(text) == SERIAL_DIGITS):
        raise BadUsage(
            f"expected a serial of {SERIAL_DIGITS} digits, say 202100001, found {len(text)} other"
            " characters"
        )
    return int(text)


def settlings_in(path: Path) -> list[Settling]:
    """The settlements of a CSV file; raises BadUsage that names the row."""
    found = []
    for number, row in enumerate(read_list(path, COLUMNS, OPTIONAL), 1):
        with message_with_row(path, number):
            found.append(settling(row["serial"], row["status"], row["on"], row["children"]))
    return found


def settle(asked: Asked, given: Sequence[Settling], source: Path | None = None) -> Turn:
    """Record what became of places; raises a Failure, with the row of the list, and records none."""
    require_warehouse(asked.warehouse)
    with turn(asked) as now:
        now.judge()
        result = require_published(now.state, asked.round, asked.operation)
        found = places(now.state, asked.warehouse, result)
        published_on = day_of(result.entry.moment)
        rows: dict[int, int] = {}
        bodies: list[Body] = []
        for row, each in enumerate(given, 1):
            with message_with_row(source, row):
                require_not_after(each.on, now.at, "--on")
                if each.on < published_on:
                    raise BadUsage(
                        f"--on: expected a day from the publication on, {published_on}, found"
                        f" {each.on}"
                    )
                if each.serial in rows:
                    raise BadUsage(f"expected a place once, found that of row {rows[each.serial]}")
                place = place_of(found, each.serial, asked.round)
                if place.status != ENTITLED:
                    raise ProcessRefused(
                        f"place {each.serial}: expected one that is {ENTITLED}, found it"
                        f" {place.status} since {place.since}"
                    )
            rows[each.serial] = row
            bodies.append({**each._asdict(), "on": f"{each.on}"})
        now.record(*bodies)
    return now
