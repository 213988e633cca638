"""What is due in each round, as a Prefect flow of its own: it runs every day, and alarms are shown there.

A flow that finds something late emits the event `luohu.late` for each, and ends in a failed state whose
message says what.  Nothing in either is about one person.
"""

import flows.orchestration.prefect_settings  # noqa: F401  (before Prefect reads its settings)

# isort: split
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.states import Completed, Failed

from flows.common.failures import Failure
from flows.common.messages import message_without_values
from flows.common.moments import moment
from flows.common.settings import DATA, WAREHOUSE, Order
from flows.common.shapes import visible
from flows.ledger.file import read
from flows.orchestration.annual import HOOKS, through_tasks
from flows.orchestration.artifacts import show, show_status
from flows.orchestration.console import say
from flows.orchestration.schedule import CALENDAR, day_of
from flows.orchestration.states import failed
from flows.process.calendar.missing import is_carried
from flows.process.calendar.status import status
from flows.process.calendar.tick import Done, Tick, on_known, tick
from flows.run.stages import Outcome
from transforms.policy import PolicyError

LATE = "luohu.late"  # the event


def run_name() -> str:
    """`calendar-2026-07-12`, by the day it was due on; in a rehearsal by the one that is given."""
    due = runtime.flow_run.scheduled_start_time or datetime.now(UTC)
    return f"{CALENDAR}-{runtime.flow_run.parameters.get('at') or day_of(due)}"


@flow(name=CALENDAR, flow_run_name=run_name, **HOOKS)
def calendar(warehouse: Path = WAREHOUSE, data: Path = DATA, at: str | None = None) -> State[Any]:
    """Do what is due in every round that departments deliver to, each step once (积分落户).

    Args:
        warehouse: where runs and luohu.duckdb are kept.
        data: the folder of policy and rounds.
        at: the time, in a rehearsal; left out, now.

    """
    try:
        with message_without_values("tick"):
            now = moment(at) if at is not None else None
            this = Tick(warehouse, data, now, on_known(shown_run), say)
            try:
                tick(this)
            finally:
                late = [each for each in this.done if each.is_late]
                alarm(late)
            show_rounds(warehouse, data, now)
    except (Failure, PolicyError) as failure:
        return failed(failure)
    if late:
        return Failed(
            message=visible("; ".join(f"round {each.round}: {each.message}" for each in late))
        )
    steps = [f"round {each.round}: {each.message}" for each in this.done]
    return Completed(message=visible("; ".join(steps) or "nothing is due"))


def shown_run(order: Order) -> Outcome:
    """A run through its tasks, with its figures, rejects and report on the page."""
    outcome = through_tasks(order)
    show(outcome)
    return outcome


def alarm(late: list[Done]) -> None:
    """Emit an event for each thing that is late."""
    for each in late:
        resource = {
            "prefect.resource.id": f"luohu.round.{each.round}",
            "prefect.resource.name": f"round {each.round}",
        }
        payload = {"round": each.round, "message": each.message}
        emit_event(LATE, resource=resource, payload=payload)


def show_rounds(warehouse: Path, data: Path, at: datetime | None) -> None:
    """Show where each round stands that departments deliver to."""
    state = read(warehouse)
    for year in state.rounds:
        if is_carried(state, year):
            show_status(status(state, year, data, at))
