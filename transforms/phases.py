"""The phases of a round (申报 to 落户办理): when each holds, and which of them holds at a moment.

A phase holds from its `from` up to, and not at, its `to`.  A bare day stands for its start in `from` and
for the midnight after it in `to`; a time without a zone is Beijing's.  A phase without a `from` begins
where the one before it ends, the first one never; one without a `to` lasts up to the next phase, the
last one for ever.  What is not known is left out, and nothing is guessed in its place.
"""

from datetime import date, datetime, timedelta, timezone
from typing import Any, NamedTuple, NotRequired, TypeAlias

from typing_extensions import TypedDict

from transforms.policy import PolicyError
from transforms.units import Moment, Text

BEIJING = timezone(timedelta(hours=8))

Phase = TypedDict("Phase", {"from": NotRequired[Moment], "to": NotRequired[Moment], "cite": Text})


class Phases(TypedDict, total=False):
    """The phases of a round that are known, in the order in which they stand."""

    filing: Phase
    summary: Phase
    query: Phase
    recheck: Phase
    publication: Phase
    registration: Phase


CODES = tuple(Phases.__annotations__)


class Span(NamedTuple):
    """When a phase holds: half open; none where it is open on that side."""

    code: str
    begins: datetime | None
    ends: datetime | None


Spans: TypeAlias = tuple[Span, ...]


class Standing(NamedTuple):
    """The phase of a moment, or of the gap after it; none before the first and after the last."""

    code: str | None
    in_gap: bool = False


def in_beijing(moment: date | datetime) -> datetime:
    """A moment with Beijing's zone; a bare day is its start."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=BEIJING)
    return moment.astimezone(BEIJING) if moment.tzinfo else moment.replace(tzinfo=BEIJING)


def end_in_beijing(moment: date | datetime) -> datetime:
    """The end a `to` stands for: of a bare day, the midnight after it."""
    is_day = not isinstance(moment, datetime)
    return in_beijing(moment) + timedelta(days=is_day)


def spans(file: str, phases: Phases) -> Spans:
    """When each phase holds; raises PolicyError that names the file and the key."""
    found: list[Span] = []
    for code in CODES:
        if code in phases:
            span = span_after(file, code, phases[code], found[-1] if found else None)  # type: ignore[literal-required]
            if found and found[-1].ends is None:
                found[-1] = found[-1]._replace(ends=span.begins)
            found.append(span)
    return tuple(found)


def span_after(file: str, code: str, phase: Phase, before: Span | None) -> Span:
    """When a phase holds that comes after another."""
    begins = in_beijing(phase["from"]) if "from" in phase else None
    ends = end_in_beijing(phase["to"]) if "to" in phase else None
    where = f"{file}: phases.{code}"
    if before:
        begins = begins or before.ends
        least = before.ends or before.begins
        if begins is None:
            raise PolicyError(f"{where} lacks from, as phases.{before.code} has no to")
        if least and (begins < least or begins == before.begins):
            message = f"not before {shown(least)}, where phases.{before.code} ends"
            if not before.ends:
                message = f"after {shown(least)}, where phases.{before.code} begins"
            raise PolicyError(f"{where}.from: expected a moment {message}, found {shown(begins)}")
    if begins and ends and ends <= begins:
        raise PolicyError(f"{where}.to: expected an end after {shown(begins)}, found {shown(ends)}")
    return Span(code, begins, ends)


def standing(of_round: Spans, at: datetime) -> Standing:
    """The phase that holds at a moment; in a gap the one before it."""
    begun = [each for each in of_round if each.begins is None or each.begins <= at]
    if not begun:
        return Standing(None)
    last = begun[-1]
    if last.ends is None or at < last.ends:
        return Standing(last.code)
    return Standing(None) if last == of_round[-1] else Standing(last.code, in_gap=True)


def as_text(phases: Phases) -> dict[str, dict[str, Any]]:
    """The phases as JSON has them, each moment as the round file writes it."""
    text = {}
    for code in CODES:
        if code in phases:
            phase: dict[str, Any] = phases[code]  # type: ignore[literal-required]
            text[code] = {
                name: value.isoformat() if isinstance(value, date) else value
                for name, value in phase.items()
            }
    return text


def shown(moment: datetime) -> str:
    """A moment of Beijing for people: seconds only where there are any."""
    precision = "minutes" if moment == moment.replace(second=0, microsecond=0) else "auto"
    return moment.astimezone(BEIJING).replace(tzinfo=None).isoformat(" ", precision)


def when(span: Span) -> str:
    """The dates of a phase for people."""
    begins = f"from {shown(span.begins)}" if span.begins else ""
    ends = f"until {shown(span.ends)}" if span.ends else ""
    return " ".join(filter(None, (begins, ends))) or "at any time"
