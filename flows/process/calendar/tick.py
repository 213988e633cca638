"""`luohu tick`: what is due in every round, each step once and in order (docs/process.md, 8).

One tick works at a time: a second one waits, and finds nothing left to do.  A step is done by an entry,
and whether it still is due is looked at again under the ledger's lock; that is not held while a run
scores.  Killed at any moment, a tick leaves steps that are due, and the next one does them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from flows.common.failures import Failure
from flows.common.locks import only_one
from flows.common.moments import now as system_time
from flows.common.settings import Order
from flows.ledger.clock import time_of_entry
from flows.ledger.entries import Body
from flows.ledger.file import read
from flows.ledger.operations import RUN, TICK
from flows.ledger.state import State
from flows.process.calendar.due import Step, due
from flows.process.calendar.missing import feeds, last_run, missing
from flows.process.deliveries.run import NONE_GIVEN, RunIt, directly, run_on_known
from flows.process.places.lapse import lapse
from flows.process.read import require_warehouse
from flows.process.turn import Asked, Turn, make_up, turn
from flows.run.work_folder import require_writable
from schemas.identifiers import holds_any_id_number
from transforms.phases import shown
from transforms.policy import PolicyError

LOCK = ".tick.lock"
LONGEST = 1000  # characters of a refusal that are recorded


class Done(NamedTuple):
    """What a tick did in a round, or found late there."""

    round: int
    message: str
    is_late: bool = False


def on_known(run_it: RunIt = directly) -> Callable[[Asked], str]:
    """What makes a run of a round on what is known, and gives its id."""

    def made(asked: Asked) -> str:
        order = Order(asked.round, NONE_GIVEN, asked.warehouse, asked.data)
        return run_on_known(asked, order, run_it).outcome.run_id

    return made


@dataclass
class Tick:
    """A tick: where, at which time, what makes a run, and what it did."""

    warehouse: Path
    data: Path
    at: datetime | None = None
    run: Callable[[Asked], str] = field(default_factory=on_known)
    say: Callable[[str], object] = lambda _: None
    done: list[Done] = field(default_factory=list)

    def asked(self, year: int) -> Asked:
        """A step of a round, as an operation is asked for."""
        given = {"warehouse": self.warehouse, "data": self.data, "say": self.say}
        return Asked(TICK, year, at=self.at, **given)  # type: ignore[arg-type]


def tick(this: Tick) -> list[Done]:
    """Do what is due; a round whose file is not right is reported, and the others go on."""
    require_warehouse(this.warehouse)
    require_writable(this.warehouse)
    with only_one(this.warehouse / LOCK):  # who comes second waits
        state = read(this.warehouse)
        time_of_entry(state, system_time(), this.at)  # a time that cannot be given raises at once
        for year in state.rounds:
            try:
                tick_round(this, year)
            except PolicyError as failure:
                this.done.append(Done(year, str(failure), is_late=True))
        make_up(this.asked(0), read(this.warehouse))  # where nothing was due too
    return this.done


def tick_round(this: Tick, year: int) -> None:
    """Do what is due in a round: steps up to a run in one turn, then the run."""
    asked = this.asked(year)
    while True:
        state = read(this.warehouse)
        steps = open_steps(asked, state, time_of_entry(state, system_time(), this.at))
        if not steps:
            return
        if makes_run(steps[0]):
            run_step(this, asked, steps[0])
        else:
            at_once = {each.key for each in takewhile(lambda each: not makes_run(each), steps)}
            with turn(asked) as now:
                still = [
                    each for each in open_steps(asked, now.state, now.at) if each.key in at_once
                ]
                record(this, now, [(each, *STEPS[each.name](now, each)) for each in still])


def open_steps(asked: Asked, state: State, at: datetime) -> list[Step]:
    """What is to be done now; a run waits until the one that fell due before it is done."""
    steps = due(state, asked.round, asked.spans, asked.rules, at)
    runs = [each for each in steps if makes_run(each)]
    return [each for each in steps if each not in runs[1:] and each.may_be_done(at)]


def makes_run(step: Step) -> bool:
    """Whether a step takes long, and is done before its turn at the ledger."""
    return step.name == "run" and step.is_needed


def run_step(this: Tick, asked: Asked, step: Step) -> None:
    """Make a run; one that is refused is an entry as well, and is tried again the next day."""
    try:
        body: Body = {"run_id": this.run(replace(asked, operation=RUN)), "made": True}
        message = f"run {body['run_id']} is made"
    except Failure as failure:
        body = {"refused": without_people(str(failure))}
        message = (
            f"the run of {step.phase} is refused, and is tried again tomorrow: {body['refused']}"
        )
    with turn(asked) as now:
        if (
            step.key in {each.key for each in open_steps(asked, now.state, now.at)}
            or "made" in body
        ):
            record(this, now, [(step, body, message, "refused" in body)])


def record(this: Tick, now: Turn, steps: list[tuple[Step, Body, str, bool]]) -> None:
    """An entry for each step, all or none, and what is reported of it."""
    if not steps:
        return
    now.judge()
    now.record(*({**named(step), **body} for step, body, _, _ in steps))
    this.done += [Done(now.asked.round, message, late) for _, _, message, late in steps]


def named(step: Step) -> Body:
    """What names a step in its entry."""
    name, phase, day = step.key
    return {"step": name, "phase": phase} | ({"day": day} if day else {})


def without_people(message: str) -> str:
    """A failure's message in one line, as an entry may hold it."""
    found = " ".join(message.split())[:LONGEST]
    return "a message that cannot be recorded" if holds_any_id_number(found) else found


def begun(now: Turn, step: Step) -> tuple[Body, str, bool]:
    """Note that a phase has begun."""
    return {}, f"{now.asked.rules.titled(step.phase)} has begun", False


def name_feeds(now: Turn, step: Step) -> tuple[Body, str, bool]:  # noqa: ARG001 (as all steps)
    """Name the feeds without a delivery."""
    found = feeds(now.state, now.asked.round)
    message = f"feeds without a delivery: {', '.join(found)}" if found else "no feed is missing"
    return {"feeds": found}, message, bool(found)


def no_run(now: Turn, step: Step) -> tuple[Body, str, bool]:
    """Note that no run is needed."""
    last = last_run(now.state, now.asked.round)
    run_id = last.body["id"] if last else None
    return (
        {"run_id": run_id, "made": False},
        f"no run is needed at the {step.rule.at} of {step.phase}",
        False,
    )


def alarm(now: Turn, step: Step) -> tuple[Body, str, bool]:
    """Say that the list is not published, and what stands in its way."""
    asked = now.asked
    open_now = [
        each
        for each in missing(now.state, asked.round, asked.spans, asked.rules, now.at)
        if each.expected.name != "list"
    ]
    began = f"{asked.rules.titled(step.phase)} began on {shown(step.since or now.at)}"
    open_ones = f"; first: {'; '.join(each.brief for each in open_now)}" if open_now else ""
    message = (
        f"the list is not published, and {began}: two people publish it,"
        f" luohu publish {asked.round} --by A --and-by B{open_ones}"
    )
    return {"open": {each.expected.name: len(each.items) for each in open_now}}, message, True


def let_lapse(now: Turn, step: Step) -> tuple[Body, str, bool]:  # noqa: ARG001 (as all steps)
    """Let the places lapse that nobody used: which ones follows from the ledger."""
    body = lapse(now) or {}
    return body, "the places that nobody used lapsed", False


STEPS: Mapping[str, Callable[[Turn, Step], tuple[Body, str, bool]]] = {
    "phase": begun,
    "feeds": name_feeds,
    "run": no_run,
    "alarm": alarm,
    "lapse": let_lapse,
}
