"""`objection file` and `objection decide`: somebody contests a published place (docs/process.md, 6).

An objection that is upheld cancels the place.  One at a time on a place, and each is decided once.
"""

from dataclasses import replace

from flows.common.failures import BadUsage, ProcessRefused
from flows.ledger.operations import OBJECTION_FILE
from flows.ledger.state import State
from flows.process.ids import new_ids, no_such, year_of
from flows.process.places.standing import (
    UPHELD,
    Objection,
    objections,
    place_of,
    places,
)
from flows.process.publication.official import require_published
from flows.process.read import require_warehouse
from flows.process.signatures import free_text
from flows.process.turn import Asked, Turn, turn

KIND_OF_ID = "objection"
RESULTS = (UPHELD, "refused")


def file_objection(asked: Asked, serial: int, ref: str) -> Turn:
    """Enter an objection to a place of the published list; raises a Failure where there is none."""
    paper = free_text(ref, "--ref")
    require_warehouse(asked.warehouse)
    with turn(asked) as now:
        now.judge()
        result = require_published(now.state, asked.round, asked.operation)
        place_of(places(now.state, asked.warehouse, result), serial, asked.round)
        for each in objections(now.state, asked.round).values():
            if each.serial == serial and each.is_pending:
                raise ProcessRefused(
                    f"expected no pending objection to place {serial}, found {each.id} of"
                    f" {each.filed.at[:10]}"
                )
        name = next(new_ids(now.state, OBJECTION_FILE, asked.round, KIND_OF_ID))
        now.record({"id": name, "serial": serial, "ref": paper})
    return now


def decide_objection(asked: Asked, name: str, result: str, reason: str) -> Turn:
    """Record a decision on a pending objection; raises a Failure where it may not be made."""
    asked = replace(asked, round=year_of(name, KIND_OF_ID))
    if result not in RESULTS:
        raise BadUsage(f"expected {' or '.join(RESULTS)}, found another result")
    why = free_text(reason, "--reason")
    require_warehouse(asked.warehouse)
    with turn(asked) as now:
        objection = objection_of(now.state, asked.round, name)
        now.judge()
        if objection.decision:
            raise ProcessRefused(
                f"{name}: expected a pending objection, found one that is"
                f" {objection.decision.body['result']}, by entry {objection.decision.seq}"
            )
        now.require_others([objection.filed], "filed an objection")
        now.record({"objection": name, "result": result, "reason": why})
    return now


def objection_of(state: State, year: int, name: str) -> Objection:
    """The objection of an id; raises a Failure where there is none, or it was retracted."""
    found = objections(state, year).get(name)
    if found is None:
        raise no_such(state, OBJECTION_FILE, name, KIND_OF_ID)
    return found
