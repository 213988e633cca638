"""What a round lacks at a moment, of all that `data/process.toml` expects: a list each, empty where nothing.

People are named by the numbers of their appeals.  What is missing is late once its phase has begun.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from flows.ledger.entries import Entry
from flows.ledger.published import is_published
from flows.ledger.state import State
from flows.process.deliveries.held import DELIVER, delivery_ids
from flows.process.deliveries.held import missing as without_delivery
from flows.process.deliveries.run import RUN
from flows.process.rules import Expected, Rules
from transforms.phases import Span, Spans

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
        """The same where nobody may be named: how many, and by name only what is about nobody."""
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


def last_run(state: State, year: int) -> Entry | None:
    """The last run on what was known when it was made; none where there is none."""
    return next(reversed(list(state.standing(RUN, year, as_known_on=None))), None)


def feeds(state: State, year: int) -> list[str]:
    """The feeds without a delivery of all or a part of them."""
    return [] if is_published(state, year) else without_delivery(state, year)


def appeals(state: State, year: int) -> list[str]:
    """The appeals that nobody decided or withdrew."""
    closed = {
        each.body["appeal"]
        for operation in ("appeal decide", "appeal withdraw")
        for each in state.standing(operation, year)
    }
    filed = (each.body["id"] for each in state.standing("appeal file", year))
    return [each for each in filed if each not in closed]


def lacking(state: State, year: int) -> list[str]:
    """The deliveries that the last run lacks, and those it holds that no longer count."""
    if is_published(state, year):
        return []
    run = last_run(state, year)
    held = list(run.body["deliveries"]) if run else []
    counting = delivery_ids(state, year)
    return [
        *(each for each in counting if each not in held),
        *(f"without {each}" for each in held if each not in counting),
    ]


def unpublished(state: State, year: int) -> list[str]:
    """One line where the list is not published."""
    return [] if is_published(state, year) else ["two people publish it"]


def overridden(state: State, year: int) -> list[str]:
    """The deliveries taken under override after the last run."""
    run = last_run(state, year)
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
