"""`run` on what is known: the deliveries of the ledger, now or as they were on a day (docs/process.md, 3).

The lock is not held while it scores.  The run is on the disk first, then its entry: a command killed in
between leaves a run that nobody was told of, and the next one makes the same run again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from flows.common.failures import BadUsage
from flows.common.private_folder import private_folder
from flows.common.settings import Order
from flows.ledger.entries import Entry, at_text
from flows.ledger.file import read
from flows.ledger.official_result import may_become_current
from flows.ledger.state import State
from flows.process.deliveries.findings import findings, put_beside, with_findings
from flows.process.deliveries.known import Known, known, missing_in
from flows.process.tables import rebuilt
from flows.process.turn import Asked, turn
from flows.run import stages
from flows.run.stages import Outcome
from transforms.phases import shown

NONE_GIVEN = Path("deliveries")  # no folder of feeds: it is made for the run
RunIt = Callable[[Order], Outcome]


@dataclass(frozen=True)
class Made:
    """A run on what is known, and its entry."""

    outcome: Outcome
    state: State
    recorded: tuple[Entry, ...]
    missing: list[str]


def directly(order: Order) -> Outcome:
    """A run without Prefect; of a round that is published it is only kept."""
    with with_findings(order) as prepared:
        return stages.run(prepared, partial(may_become_current, order.warehouse, order.year))


def run_on_known(
    asked: Asked,
    order: Order,
    run_it: RunIt = directly,
    *,
    as_known_on: datetime | None = None,
    allow_missing: bool = False,
) -> Made:
    """Run a round on its deliveries and record it; raises a Failure where a feed is missing."""
    missing_in(
        read(asked.warehouse), asked.round, allow_missing=allow_missing
    )  # nothing is made yet
    with turn(asked) as before:
        before.judge()
    state, moment = before.state, before.at
    if as_known_on is not None:
        if as_known_on.date() > moment.date():
            raise BadUsage(
                f"--as-known-on: expected a time up to now, {shown(moment)}, found {shown(as_known_on)}"
            )
        state = state.known_at(as_known_on)
        order = replace(order, keep=True)
    entries = findings(state)
    with private_folder(order.warehouse) as work:
        found = known(state, order.warehouse, order.year, work, allow_missing=allow_missing)
        put_beside(order.warehouse, entries, found.beside)
        outcome = run_it(replace(order, feeds=found.feeds, known=found.beside))
    body = body_of(order, outcome, found, entries) | {
        "known_at": at_text(moment),
        "as_known_on": at_text(as_known_on) if as_known_on else None,
    }
    with turn(not_before(asked)) as now:
        now.judge()
        recorded = now.record(body)
    return Made(outcome, now.state, recorded, found.missing)


def not_before(asked: Asked) -> Asked:
    """The same, at a time that what was recorded while it scored does not make too early."""
    last = read(asked.warehouse).last
    if asked.at is None or last is None:
        return asked
    return replace(asked, at=max(asked.at, last.moment))


def body_of(order: Order, outcome: Outcome, found: Known, entries: list[Entry]) -> dict[str, Any]:
    """The entry of a run: what it was made from, and whether it became current."""
    return {
        "id": outcome.run_id,
        "deliveries": found.deliveries,
        "findings": [each.seq for each in entries],
        "feeds_given": False,
        "allow_missing": bool(found.missing),
        "missing": found.missing,
        "max_rejects": order.max_rejects,
        "recheck": order.recheck,
        "anyway": order.reason(),
        "current": outcome.current,
    }


def run_on_feeds(order: Order, run_it: RunIt = directly, at: datetime | None = None) -> Outcome:
    """Run a round on a folder of feeds: no deliveries are read and no entry is made."""
    with with_findings(order, at) as prepared:
        outcome = run_it(prepared)
    if read(order.warehouse).entries:
        rebuilt(order.warehouse, order.data, anew=True)  # what shows the current run
    return outcome
