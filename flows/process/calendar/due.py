"""Which steps are due in a round at a moment: a pure function of the ledger, the phases and the rules.

A step is due from its moment on until an entry says that it was done; a run that was refused is late,
and is due again on the next day.  However long nobody looked, each is due once, and in order.
"""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from flows.ledger.entries import Entry
from flows.ledger.official_result import is_published
from flows.ledger.operations import TICK
from flows.ledger.state import State
from flows.process.calendar.missing import is_carried, lacking, last_run
from flows.process.dates import day_of
from flows.process.rules import DueStep, Rules
from transforms.phases import BEIJING, Span, Spans

GRACE = timedelta(days=1)  # a step is done by the daily tick: whatever waits longer is late
CAN_BE_LATE = {"run", "lapse"}  # what else is late shows in what is missing
ONLY_IF_NEEDED = {"alarm", "lapse"}  # what else is noted, also where there is nothing to do


class Step(NamedTuple):
    """A step that is due."""

    rule: DueStep
    phase: str
    since: datetime | None  # none of a phase that is open backwards
    day: date | None  # of a daily step: the day it is due for
    is_needed: bool  # or only to be noted, as there is nothing to do
    refusal: Entry | None  # the last time that it was refused

    @property
    def name(self) -> str:
        """What there is to do."""
        return self.rule.name

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What names it in the ledger."""
        return self.name, self.phase, self.day.isoformat() if self.day else None

    def may_be_done(self, at: datetime) -> bool:
        """Whether it is to be done now: what was refused today is tried again tomorrow."""
        return self.refusal is None or day_of(self.refusal.moment) < day_of(at)

    def late_since(self, at: datetime) -> datetime | None:
        """Since when it is late; none while it is not."""
        if not self.is_needed or self.name not in CAN_BE_LATE or self.since is None:
            return None
        return self.since if self.refusal or self.since + GRACE <= at else None


def due(state: State, year: int, of_round: Spans, rules: Rules, at: datetime) -> list[Step]:
    """The steps that are due and not done, in order; none in a round without a delivery."""
    if not is_carried(state, year):
        return []
    done, refused = done_and_refused(state, year)
    found = []
    for rule in rules.steps:
        for span in of_round:
            moment = span.ends if rule.at == "end" else span.begins
            has_come = moment <= at if moment else rule.at == "start"
            if span.code in rule.phases and has_come:
                day = day_of(at) if rule.daily else None
                is_needed = needed(state, year, rule, span)
                refusal = refused.get((rule.name, span.code))
                step = Step(rule, span.code, moment, day, is_needed, refusal)
                if step.key not in done and (is_needed or rule.name not in ONLY_IF_NEEDED):
                    found.append(step)
    return sorted(found, key=order)


def order(step: Step) -> datetime:
    """Steps are done in the order in which they fell due, at the same moment as the rules list them."""
    return step.since or datetime.min.replace(tzinfo=BEIJING)


def done_and_refused(
    state: State, year: int
) -> tuple[set[tuple[str, str, str | None]], dict[tuple[str, str], Entry]]:
    """The steps that were done, and the last refusal of those that were refused."""
    done, refused = set(), {}
    for each in state.standing(TICK, year):
        body = each.body
        if "refused" in body:
            refused[body["step"], body["phase"]] = each
        else:
            done.add((body["step"], body["phase"], body.get("day")))
    return done, refused


def needed(state: State, year: int, rule: DueStep, span: Span) -> bool:
    """Whether a step has anything to do."""
    published = is_published(state, year)
    if rule.name in {"phase", "feeds"}:
        return True
    if rule.name == "lapse" or published:
        return published and rule.name == "lapse"
    if rule.name == "alarm":
        return True
    run = last_run(state, year)
    is_old = run is None or (span.begins is not None and run.moment < span.begins)
    return bool(lacking(state, year)) or (rule.anew and is_old)
