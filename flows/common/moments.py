"""Moments as somebody gives them, in Beijing time where no zone is given, and the system's clock."""

from datetime import date, datetime, timedelta

from flows.common.failures import BadUsage
from transforms.phases import BEIJING, in_beijing

TICK = timedelta(microseconds=1)  # the smallest step of time there is here
LONGEST_SHOWN = 40


def now() -> datetime:
    """The system's clock, in Beijing time."""
    return datetime.now(BEIJING)


def moment(text: str, name: str = "--at", *, last: bool = False) -> datetime:
    """A date or a time by ISO 8601; a bare date is its first moment, or its last one.

    Raises BadUsage that names the option.
    """
    try:
        found = in_beijing(datetime.fromisoformat(text))
        if last and is_day(text):
            found += timedelta(days=1) - TICK
    except (ValueError, OverflowError):
        shown = ascii(text[:LONGEST_SHOWN])[1:-1]
        raise BadUsage(
            f"{name}: expected a date or a time by ISO 8601, say 2021-06-04T08:00, found {shown}"
        ) from None
    return found


def is_day(text: str) -> bool:
    """Whether a text is a bare date."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
