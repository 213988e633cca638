"""What became of the places of a published list: entitled, registered, cancelled, withdrawn, lapsed.

A place is entitled from the publication on.  Cancelling overrides every other status; a place that was
settled does not lapse.  Line, ranks and serials are the run's, and never change by any of this.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from flows.common.by_name import scan_table
from flows.common.failures import NotFound
from flows.ledger.entries import Entry
from flows.ledger.operations import OBJECTION_DECIDE, OBJECTION_FILE, SANCTION, SETTLE, TICK
from flows.ledger.state import State
from flows.process.dates import day_of
from flows.process.publication.official import Official

ENTITLED, REGISTERED, CANCELLED = "entitled", "registered", "cancelled"
WITHDRAWN, LAPSED = "withdrawn", "lapsed"
SETTLED = (REGISTERED, WITHDRAWN)
UPHELD = "upheld"
STEP = "lapse"  # of a tick: it lapses open places


@dataclass(frozen=True)
class Place:
    """A place of a published list, and what became of it."""

    serial: int
    application_no: str
    status: str
    since: date
    children: int | None = None  # of a registered one


@dataclass(frozen=True)
class Objection:
    """An objection that was not retracted, and the decision on it."""

    filed: Entry
    decision: Entry | None = None

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.filed.body["id"])

    @property
    def serial(self) -> int:
        """The place it is about."""
        return int(self.filed.body["serial"])

    @property
    def is_pending(self) -> bool:
        """Whether nobody has decided on it."""
        return self.decision is None


def objections(state: State, year: int) -> dict[str, Objection]:
    """By id, the objections of a round that count."""
    decided = {each.body["objection"]: each for each in state.standing(OBJECTION_DECIDE, year)}
    return {
        each.body["id"]: Objection(each, decided.get(each.body["id"]))
        for each in state.standing(OBJECTION_FILE, year)
    }


def serials(result: Official, warehouse: Path) -> dict[int, str]:
    """Serial -> application number, of a published list."""
    ranking = result.directory(warehouse) / "ranking.parquet"
    if not ranking.is_file():
        raise NotFound(
            f"round {result.entry.round}: expected run {result.run_id}, which is published, found none:"
            " restore it from a backup"
        )
    rows = (
        scan_table(ranking)
        .filter(pl.col("serial").is_not_null())
        .select("serial", "application_no")
        .sort("serial")
        .collect()
    )
    return dict(rows.iter_rows())


def places(state: State, warehouse: Path, result: Official) -> dict[int, Place]:
    """By serial, every place of a published list."""
    year = result.entry.round
    assert year is not None
    cancelled = cancellations(state, year)
    settled = {each.body["serial"]: each for each in state.standing(SETTLE, year)}
    lapsed = lapsing(state, year)
    published_on = day_of(result.entry.moment)
    found = {}
    for serial, number in serials(result, warehouse).items():
        cause = [each for each in (cancelled.get(serial), cancelled.get(number)) if each]
        status, since, children = ENTITLED, published_on, None
        if cause:
            first = min(day_of(each.moment) for each in cause)
            status, since = CANCELLED, max(first, published_on)
        elif serial in settled:
            body = settled[serial].body
            status, since = body["status"], date.fromisoformat(body["on"])
            children = body["children"]
        elif lapsed:
            status, since = LAPSED, date.fromisoformat(lapsed.body["on"])
        found[serial] = Place(serial, number, status, since, children)
    return found


def cancellations(state: State, year: int) -> dict[int | str, Entry]:
    """By serial or application number, the first entry that cancels that place."""
    found: dict[int | str, Entry] = {}
    for objection in objections(state, year).values():
        if objection.decision and objection.decision.body["result"] == UPHELD:
            found.setdefault(objection.serial, objection.decision)
    for each in state.standing(SANCTION, year):
        if each.body["application_no"] is not None:
            found.setdefault(each.body["application_no"], each)
    return found


def lapsing(state: State, year: int) -> Entry | None:
    """The entry by which the open places of a round lapsed; none before."""
    return next(state.standing(TICK, year, step=STEP), None)


def place_of(found: dict[int, Place], serial: int, year: int) -> Place:
    """The place of a serial; raises NotFound where the published list has none."""
    if serial not in found:
        there = f"{min(found)} to {max(found)}" if found else "none"
        raise NotFound(
            f"expected a serial of the published list of round {year}, {there}, found {serial}"
        )
    return found[serial]
