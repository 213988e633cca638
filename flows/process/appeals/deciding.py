"""`appeal decide`: two people decide once, on what departments delivered since (docs/process.md, 4).

Nobody decides on what they filed or entered themselves, and no time that passes decides anything.  What
a decision rests on is frozen with it: a delivery it names is not retracted before the decision is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flows.common.failures import BadUsage, ProcessRefused
from flows.ledger.entries import Body, Entry
from flows.ledger.operations import DELIVER
from flows.ledger.state import State
from flows.process.appeals.standing import (
    GRANTED,
    KIND_OF_ID,
    RESULTS,
    Appeal,
    appeal_of,
    require_pending,
)
from flows.process.applications import identities
from flows.process.deliveries.subjects import subjects_of
from flows.process.ids import year_of
from flows.process.read import require_warehouse
from flows.process.signatures import free_text
from flows.process.turn import Asked, Turn, turn

FILED, ENTERED = "filed an appeal", "entered a delivery that a decision names"


@dataclass(frozen=True)
class Decision:
    """What two people decide on an appeal, and the deliveries it rests on."""

    appeal: str
    result: str
    reason: str
    deliveries: tuple[str, ...] = ()

    @property
    def body(self) -> Body:
        """What the entry says."""
        return {
            "appeal": self.appeal,
            "result": self.result,
            "reason": self.reason,
            "deliveries": list(self.deliveries),
        }


def decision_of(appeal: str, result: str, reason: str, deliveries: Sequence[str]) -> Decision:
    """A decision as it is recorded; raises BadUsage for what is none."""
    year_of(appeal, KIND_OF_ID)
    if result not in RESULTS:
        raise BadUsage(f"expected one of {', '.join(RESULTS)}, found another result")
    named = tuple(dict.fromkeys(deliveries))
    if result in GRANTED and not named:
        raise BadUsage(f"--delivery: {result} names at least one delivery, found none")
    if result not in GRANTED and named:
        raise BadUsage(f"--delivery: {result} names no delivery, found {len(named)}")
    return Decision(appeal, result, free_text(reason, "--reason"), named)


def decide(asked: Asked, decision: Decision) -> Turn:
    """Record a decision; raises a Failure where it may not be made."""
    asked = replace(asked, round=year_of(decision.appeal, KIND_OF_ID))
    require_warehouse(asked.warehouse)
    with turn(asked) as now:
        appeal, named = decidable(now.state, asked, decision)
        now.judge()
        now.require_others([appeal.filed], FILED)
        now.require_others(named, ENTERED)
        now.record(decision.body)
    return now


def decidable(state: State, asked: Asked, decision: Decision) -> tuple[Appeal, list[Entry]]:
    """The appeal and the deliveries a decision names; raises a Failure where one does not fit."""
    appeal = appeal_of(state, decision.appeal)
    require_pending(appeal)
    named = [named_delivery(state, asked.round, name) for name in decision.deliveries]
    feeds = asked.rules.subject(appeal.subject).feeds
    for each in named:
        name, feed = each.body["id"], each.body["feed"]
        if feed not in feeds:
            raise ProcessRefused(
                f"{name}: expected a delivery of what {appeal.subject} rests on, {', '.join(feeds)},"
                f" found one of {feed}"
            )
        if each.seq < appeal.filed.seq:
            raise ProcessRefused(
                f"{name}: expected a delivery entered after {appeal.id}, by entry"
                f" {appeal.filed.seq + 1} or later, found it in entry {each.seq}"
            )
    if named:
        require_covered(state, asked, appeal, named)
    return appeal, named


def named_delivery(state: State, year: int, name: str) -> Entry:
    """The delivery of an id; raises BadUsage where none of the round stands."""
    for each in state.standing(DELIVER, year, id=name):
        return each
    retracted = any(each.body["id"] == name for each in state.made(DELIVER, year))
    found = f"{name}, which was retracted" if retracted else "none of that id"
    raise BadUsage(f"--delivery: expected a delivery of round {year} that stands, found {found}")


def require_covered(state: State, asked: Asked, appeal: Appeal, named: Sequence[Entry]) -> None:
    """Raise ProcessRefused for a delivery that is about neither the applicant nor their employer."""
    who = identities(state, asked.warehouse, asked.round, appeal.application_no)
    for each in named:
        if not who & set(subjects_of(asked.warehouse, each)):
            raise ProcessRefused(
                f"{each.body['id']}: expected a delivery about the applicant of {appeal.id}, or the"
                " employer of the application, found it about others"
            )
