"""Days that somebody gives with an operation."""

from datetime import date, datetime

from flows.common.failures import BadUsage
from transforms.phases import in_beijing

FIRST = date(1900, 1, 1)  # a feed takes no date before


def day_of(moment: datetime) -> date:
    """The day of Beijing a moment lies in."""
    return in_beijing(moment).date()


def day(text: str, option: str) -> date:
    """A day as YYYY-MM-DD; raises BadUsage that names the option."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or f"{found}" != text or found < FIRST:  # ISO 8601 has other forms
        raise BadUsage(
            f"{option}: expected a day as 2021-07-20, from {FIRST} on, found {len(text)} characters"
            " that are none"
        )
    return found


def require_not_after(found: date, at: datetime, option: str) -> None:
    """Raise BadUsage for a day that has not come yet."""
    if found > day_of(at):
        raise BadUsage(f"{option}: expected a day up to {day_of(at)}, found {found}")
