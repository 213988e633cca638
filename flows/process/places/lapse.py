"""A place that nobody used lapses when registration ends (docs/process.md, 6); `tick` makes the entry."""

from datetime import datetime

from flows.ledger.entries import Body
from flows.process.dates import day_of
from flows.process.places.standing import STEP, lapsing
from flows.process.publication.official import official
from flows.process.turn import Turn
from transforms.phases import Spans

LAST_PHASE = "registration"


def lapse(now: Turn) -> Body | None:
    """What `tick` records at the end of registration, under its lock; nothing where it is not due.

    The entry lapses whatever place is open then: which ones is worked out from the ledger.
    """
    ends = end_of_registration(now.asked.spans)
    year = now.asked.round
    if ends is None or now.at < ends or lapsing(now.state, year):
        return None
    if official(now.state, year) is None:
        return None  # no place was ever given
    return {"step": STEP, "on": f"{day_of(ends)}"}


def end_of_registration(spans: Spans) -> datetime | None:
    """When registration ends; none where that is not known."""
    return next((each.ends for each in spans if each.code == LAST_PHASE), None)
