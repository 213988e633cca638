"""The time of an entry (docs/process.md, 2): the system's clock, or, in a rehearsal, the one that is given.

Time never goes back: an entry that would not be after the last one is one microsecond after it.
"""

from datetime import datetime, timedelta

from flows.common.failures import BadUsage, ClockRefused
from flows.common.moments import TICK
from flows.ledger.state import State
from transforms.phases import shown

BEHIND = timedelta(seconds=60)  # as far as a clock may be set back without anybody being told


def time_of_entry(state: State, now: datetime, given: datetime | None) -> datetime:
    """When the next entry is made; raises a Failure where the clock cannot be right."""
    require_past(given, now)
    last = state.last
    if given is None:
        if last and now < last.moment - BEHIND:
            raise ClockRefused(
                f"expected a system clock at {shown(last.moment)} or later, where entry {last.seq}"
                f" was made, found {shown(now)}: set the clock"
            )
    elif last and not state.rehearsal:
        raise BadUsage(
            "--at: expected no given time in a warehouse that is no rehearsal: there it serves"
            " status and reading only"
        )
    elif last and given < earliest(state):
        raise BadUsage(
            f"--at: expected {shown(earliest(state))} or later, the time of entry {last.seq},"
            f" found {shown(given)}: time never goes back"
        )
    at = given or now
    return max(at, last.moment + TICK) if last else at


def earliest(state: State) -> datetime:
    """The earliest time that may be given: that of the last entry, before it was put after others.

    Entries made at one given moment lie a microsecond apart, and it may be given again.
    """
    entries = state.entries
    place = len(entries) - 1
    while place and entries[place].moment == entries[place - 1].moment + TICK:
        place -= 1
    return entries[place].moment


def require_past(given: datetime | None, now: datetime) -> None:
    """Raise BadUsage for a given time that has not come yet."""
    if given is not None and given > now:
        raise BadUsage(f"--at: expected a time up to now, {shown(now)}, found {shown(given)}")
