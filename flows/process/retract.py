"""`retract`: a mistaken entry counts from now on as not made; it stays in the ledger (docs/process.md, 2)."""

from flows.common.failures import NotFound, ProcessRefused
from flows.ledger.entries import Entry
from flows.ledger.official_result import is_published
from flows.ledger.operations import APPEAL_DECIDE, OBJECTION_DECIDE, RETRACT
from flows.ledger.state import RETRACTED, State
from flows.process.appeals.standing import PENDING, appeals
from flows.process.places.standing import objections
from flows.process.read import require_warehouse
from flows.process.signatures import free_text
from flows.process.turn import Asked, Turn, turn


def retract(asked: Asked, seq: int, reason: str) -> Turn:
    """Take an entry back; raises a Failure where it is none that may be, or something rests on it."""
    why = free_text(reason, "--reason")
    require_warehouse(asked.warehouse)
    with turn(asked) as now:
        entry = mistaken(now.state, seq)
        require_retractable(now, entry)
        now.judge(round=entry.round)
        require_not_rested_on(now.state, entry)
        require_one_at_a_time(now.state, entry)
        now.record({RETRACTED: seq, "reason": why})
    return now


def mistaken(state: State, seq: int) -> Entry:
    """The entry of a number; raises a Failure where there is none, or it was taken back already."""
    entry = state.entry(seq)
    if entry is None:
        raise NotFound(f"expected the number of an entry, 1 to {state.seq}, found another number")
    if seq in state.retracted:
        raise ProcessRefused(f"entry {seq} was retracted by entry {state.retracted[seq].seq}")
    return entry


def require_retractable(now: Turn, entry: Entry) -> None:
    """Raise ProcessRefused for an entry that is not, or no longer, one to be taken back."""
    until = {row.retract for row in now.asked.rules.of(entry.operation)} - {None}
    if not until or entry.round is None:
        may = ", ".join(
            dict.fromkeys(each.name for each in now.asked.rules.operations if each.retract)
        )
        raise ProcessRefused(
            f"entry {entry.seq}: expected one of {may}, found {entry.operation}, which stays"
        )
    if "publication" in until and is_published(now.state, entry.round):
        raise ProcessRefused(
            f"entry {entry.seq}: {entry.operation} can be retracted until the round is published,"
            f" and round {entry.round} is"
        )


def require_not_rested_on(state: State, entry: Entry) -> None:
    """Raise ProcessRefused where a decision that stands names the entry: it goes first."""
    assert entry.round is not None
    decisions = [
        *state.standing(APPEAL_DECIDE, entry.round),
        *state.standing(OBJECTION_DECIDE, entry.round),
    ]
    for each in decisions:
        if rests_on(each, entry):
            raise ProcessRefused(
                f"entry {entry.seq}: decision {each.seq} names it: retract that one first"
            )


def require_one_at_a_time(state: State, entry: Entry) -> None:
    """Raise ProcessRefused where a matter would be pending again beside another appeal on it."""
    assert entry.round is not None
    before, after = (matters(each, entry.round) for each in (state, without(state, entry)))
    for name, others in after.items():
        if others and not before.get(name):
            raise ProcessRefused(
                f"entry {entry.seq}: {name} would be pending again beside {others[0]} on the same"
                f" matter: retract what made {others[0]} first"
            )


def without(state: State, entry: Entry) -> State:
    """The ledger as it would be, were an entry taken back."""
    taken_back = entry._replace(seq=state.seq + 1, operation=RETRACT, body={RETRACTED: entry.seq})
    return State((*state.entries, taken_back))


def matters(state: State, year: int) -> dict[str, list[str]]:
    """For each that is pending, the others on its matter that it may not stand beside."""
    contested = appeals(state, year).values()
    placed = objections(state, year).values()
    return {
        each.id: [
            other.id
            for other in contested
            if other is not each
            and other.matter == each.matter
            and (other.status == PENDING or (other.kind == each.kind and other.decision))
        ]
        for each in contested
        if each.status == PENDING
    } | {
        each.id: [
            other.id
            for other in placed
            if other is not each and other.is_pending and other.serial == each.serial
        ]
        for each in placed
        if each.is_pending
    }


def rests_on(decision: Entry, entry: Entry) -> bool:
    """Whether a decision names what an entry made: an appeal, an objection or a delivery."""
    made = entry.body.get("id")
    named = [decision.body.get("appeal"), decision.body.get("objection")]
    return made is not None and made in (*named, *decision.body.get("deliveries", []))
