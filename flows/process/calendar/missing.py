"""What a round lacks at a moment, of all that `data/process.toml` expects: a list each, empty where nothing.

People are named by the numbers of their appeals.  What is missing is late once its phase has begun.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from flows.ledger.entries import Entry
from flows.ledger.official_result import is_published
from flows.ledger.operations import DELIVER, RUN
from flows.ledger.state import State
from flows.process.appeals.standing import pending
from flows.process.deliveries.findings import findings
from flows.process.deliveries.held import delivery_ids
from flows.process.deliveries.held import missing as without_delivery
from flows.process.rules import Expected, Rules
from transforms.phases import Span, Spans

# what makes a run that cannot be published
TRIALS = {
    "allow_missing": (False, "without --allow-missing"),
    "recheck": (True, "without --no-recheck"),
    "anyway": (None, "without --anyway"),
}
ABOUT_NOBODY = {"feeds", "list"}


class Missing(NamedTuple):
    """One thing that is expected, and what of it is missing."""

    expected: Expected
    items: list[str]
    late_since: datetime | None  # none while it is not late

    @property
    def message(self) -> str:
        """For people."""
        return f"{self.expected.title}: {', '.join(self.items)}"

    @property
    def brief(self) -> str:
        """The same where nobody may be named: how many; by name only what is about no person."""
        named = self.expected.name in ABOUT_NOBODY
        return self.message if named else f"{self.expected.title} ({len(self.items):,})"


def missing(state: State, year: int, of_round: Spans, rules: Rules, at: datetime) -> list[Missing]:
    """What a round lacks at a moment, in the order of the rules."""
    begun = {span.code: span for span in of_round if has_begun(span, at)}
    found = []
    for each in rules.expected:
        if each.since is None or each.since in begun:
            items = FINDERS[each.name](state, year)
            late = begun[each.late].begins or at if each.late in begun else None
            if items:
                found.append(Missing(each, items, late))
    return found


def has_begun(span: Span, at: datetime) -> bool:
    """Whether a phase has begun at a moment; one without a beginning always has."""
    return span.begins is None or span.begins <= at


def is_carried(state: State, year: int) -> bool:
    """Whether a round is carried by deliveries."""
    return any(state.standing(DELIVER, year))


def last_run(state: State, year: int, *, current: bool = True) -> Entry | None:
    """The last run on what was known when it was made that became current, or any; none without one."""
    asked = {"as_known_on": None} | ({"current": True} if current else {})
    return next(reversed(list(state.standing(RUN, year, **asked))), None)


def feeds(state: State, year: int) -> list[str]:
    """The feeds without a delivery of all or a part of them."""
    return [] if is_published(state, year) else without_delivery(state, year)


def appeals(state: State, year: int) -> list[str]:
    """The appeals that nobody decided or withdrew."""
    return [each.id for each in pending(state, year)]


def lacking(state: State, year: int) -> list[str]:
    """What the last run lacks of all that is known now, what it holds too much, and how it was made."""
    if is_published(state, year):
        return []
    run = last_run(state, year)
    if run is None:
        return delivery_ids(state, year)
    now = [*delivery_ids(state, year), *(f"finding {each.seq}" for each in findings(state))]
    then = [*run.body["deliveries"], *(f"finding {seq}" for seq in run.body["findings"])]
    return [
        *(each for each in now if each not in then),
        *(f"without {each}" for each in then if each not in now),
        *(words for name, (usual, words) in TRIALS.items() if run.body[name] != usual),
    ]


def unpublished(state: State, year: int) -> list[str]:
    """One line where the list is not published."""
    return [] if is_published(state, year) else ["two people publish it"]


def overridden(state: State, year: int) -> list[str]:
    """The deliveries taken under override after the last run."""
    run = last_run(state, year, current=False)
    return [
        each.body["id"]
        for each in state.standing(DELIVER, year)
        if each.override is not None and (run is None or each.seq > run.seq)
    ]


FINDERS: Mapping[str, Callable[[State, int], list[str]]] = {
    "feeds": feeds,
    "appeals": appeals,
    "run": lacking,
    "list": unpublished,
    "overridden": overridden,
}
