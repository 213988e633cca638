"""`luohu status`: where a round stands at a moment: phase, what is due, late and missing, what is next."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from flows.common.moments import TICK, now
from flows.ledger.clock import require_past
from flows.ledger.entries import at_text
from flows.ledger.state import State
from flows.process.calendar.due import Step, due
from flows.process.calendar.missing import Missing, missing
from flows.process.rules import Rules, rules
from transforms.phases import Span, Spans, Standing, shown, spans, standing, when
from transforms.rounds import load_round

LONGEST = 5  # at most so many are named in a line for people


class Late(NamedTuple):
    """What is late, and since when."""

    name: str
    message: str
    since: datetime
    brief: str  # the same without naming anybody


@dataclass(frozen=True)
class Status:
    """A round at a moment."""

    round: int
    at: datetime
    standing: Standing
    span: Span | None
    due: list[Step]
    late: list[Late]
    missing: list[Missing]
    next: tuple[datetime, str] | None
    rules: Rules


def status(state: State, year: int, data: Path, at: datetime | None = None) -> Status:
    """Where a round stands, as it was known at a moment; raises a Failure for one that has not come."""
    require_past(at, now())
    moment = at or max([now(), *([state.last.moment] if state.last else [])])
    known, its_rules = known_with(state, moment), rules(data)
    this_round = load_round(data / "rounds", year)
    of_round = spans(f"rounds/{year}.toml", this_round.phases)
    return standing_of(known, year, of_round, its_rules, moment)


def known_with(state: State, at: datetime) -> State:
    """What stood at a moment, with all that was done at it: a rehearsal puts one after the other."""
    known = state.known_at(at)
    last = at
    for each in state.entries[known.seq :]:
        if each.moment - last > TICK:
            break
        known, last = State(state.entries[: each.seq]), each.moment
    return known


def standing_of(state: State, year: int, of_round: Spans, its_rules: Rules, at: datetime) -> Status:
    """Where a round stands at a moment."""
    phase = standing(of_round, at)
    steps = due(state, year, of_round, its_rules, at)
    lacks = missing(state, year, of_round, its_rules, at) if of_round else []
    late = [
        Late(each.expected.name, each.message, each.late_since, each.brief)
        for each in lacks
        if each.late_since
    ]
    late += [
        Late(each.name, in_words(each), since, in_words(each))
        for each in steps
        if (since := each.late_since(at))
    ]
    return Status(
        year,
        at,
        phase,
        next((span for span in of_round if span.code == phase.code), None),
        [each for each in steps if each.is_needed],
        late,
        lacks,
        next_of(of_round, its_rules, at),
        its_rules,
    )


def in_words(step: Step) -> str:
    """A step for people, with why it was refused."""
    refused = f", refused: {step.refusal.body['refused']}" if step.refusal else ""
    return f"{step.rule.title} ({step.phase}){refused}"


def next_of(of_round: Spans, its_rules: Rules, at: datetime) -> tuple[datetime, str] | None:
    """The next phase that begins, or the end of the last one."""
    coming = [
        (span.begins, f"{its_rules.titled(span.code)} begins")
        for span in of_round
        if span.begins and span.begins > at
    ]
    last = of_round[-1].ends if of_round else None
    if last and last > at:
        coming.append((last, f"{its_rules.titled(of_round[-1].code)} ends"))
    return min(coming, default=None)


def as_json(found: Status) -> dict[str, Any]:
    """A status for machines."""
    return {
        "round": found.round,
        "at": at_text(found.at),
        "phase": found.standing.code,
        "in_gap": found.standing.in_gap,
        "due": [
            {
                "step": each.name,
                "phase": each.phase,
                "since": at_text(each.since) if each.since else None,
                "title": each.rule.title,
                "refused": each.refusal.body["refused"] if each.refusal else None,
            }
            for each in found.due
        ],
        "late": [
            {"what": each.name, "message": each.message, "since": at_text(each.since)}
            for each in found.late
        ],
        "missing": {each.expected.name: each.items for each in found.missing},
        "next": {"at": at_text(found.next[0]), "what": found.next[1]} if found.next else None,
    }


def lines(found: Status) -> list[str]:
    """A status for people: a line for each thing."""
    return [
        f"round {found.round} at {shown(found.at.replace(microsecond=0))}, Beijing time",
        f"phase    {phase_of(found)}",
        *(f"due      {in_words(each)}, {since_of(each.since)}" for each in found.due),
        *(f"late     {each.message}, since {shown(each.since)}" for each in found.late),
        *(f"missing  {short(each)}" for each in found.missing if not each.late_since),
        *([f"next     {shown(found.next[0])}: {found.next[1]}"] if found.next else []),
        *([] if found.due or found.late or found.missing else ["nothing is due, late or missing"]),
    ]


def phase_of(found: Status) -> str:
    """The phase with its dates."""
    if found.span is None:
        return f"none: rounds/{found.round}.toml has no phase that holds now"
    after = "after " if found.standing.in_gap else ""
    return f"{after}{found.rules.titled(found.span.code)} ({when(found.span)})"


def since_of(moment: datetime | None) -> str:
    """Since when, for people."""
    return f"since {shown(moment)}" if moment else "since the beginning"


def short(each: Missing) -> str:
    """What is missing, and at most so many of it by name."""
    more = len(each.items) - LONGEST
    named = ", ".join(each.items[:LONGEST]) + (f" and {more} more" if more > 0 else "")
    return f"{each.expected.title}: {named}"
