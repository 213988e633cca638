"""The annual run as a Prefect flow: ingest -> score -> rank -> recheck -> publish.

Five coarse tasks that pass paths and small values, never frames.  Prefect's database is a view of
the run; the record is the run's own manifest.  A foreseen failure is a state with one sentence and
no traceback: of the task, of the flow, and on the console that serves it.
"""

import flows.orchestration.prefect_settings  # noqa: F401  (before Prefect reads its settings)

# isort: split
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial, wraps
from pathlib import Path
from typing import Any, TypeVar

from prefect import Flow, Task, flow, runtime, task
from prefect.client.schemas.objects import FlowRun, State

from flows.common.failures import Failure
from flows.common.messages import message_without_values
from flows.common.settings import DATA, MAX_REJECTS, WAREHOUSE, Order
from flows.ledger.official_result import may_become_current
from flows.ledger.operations import RUN
from flows.orchestration.artifacts import show
from flows.orchestration.console import say
from flows.orchestration.schedule import year_of
from flows.orchestration.states import failed
from flows.orchestration.work_place import work_place
from flows.process.deliveries.findings import with_findings
from flows.process.deliveries.run import NONE_GIVEN, run_on_known
from flows.process.turn import Asked
from flows.run import stages
from flows.run.stages import Outcome
from transforms.policy import PolicyError

Result = TypeVar("Result")

published: list[Outcome] = []  # what this process has published, should Prefect be lost after it


def stage(name: str, function: Callable[..., Result]) -> Task[..., Result | State[Any]]:
    """A stage as a task; a failure is its state, not an exception with its traceback.

    Stages let nothing else out: what Prefect catches it stores, and it may quote somebody's ID.
    """

    @wraps(function)
    def attempt(*arguments: object) -> Result | State[Any]:
        try:
            return function(*arguments)
        except (Failure, PolicyError) as failure:
            return failed(failure)

    return task(name=name, persist_result=False)(attempt)


def done(result: Result | State[Any]) -> Result:
    """What a stage gave; raises the failure it ended with."""
    if isinstance(result, State):
        result.result()  # raises
    return result  # type: ignore[return-value]


def publish_unless_published(order: Order, work: Path) -> Outcome:
    """The last stage; a round's official result stands, once it is published."""
    may_replace = partial(may_become_current, order.warehouse, order.year)
    return stages.publish_stage(order, work, may_replace)


ingest = stage("ingest", stages.ingest_stage)
score = stage("score", stages.score_stage)
rank = stage("rank", stages.rank_stage)
check = stage("recheck", stages.recheck_stage)
publish = stage("publish", publish_unless_published)


def through_tasks(order: Order) -> Outcome:
    """The stages of a run as tasks of the flow that is running."""
    with with_findings(order) as prepared, work_place(prepared) as work:
        scored = done(score(prepared, done(ingest(prepared, work))))
        checked = done(check(prepared, done(rank(prepared, scored))))
        return done(publish(prepared, checked))


def scheduled_year() -> int:
    """The year a run without one is for."""
    return year_of(runtime.flow_run.scheduled_start_time or datetime.now(UTC))


def run_name() -> str:
    """`round-2020`, whoever started it."""
    return f"round-{runtime.flow_run.parameters.get('year') or scheduled_year()}"


def report_end(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001
    """One line on the console of `luohu serve` when a run ends; `luohu run` prints its own."""
    if flow_run.deployment_id is not None:
        how = str(state.type.value).lower()
        say(f"{flow_run.name} {how}" + (f": {state.message}" if state.message else ""))


# of every flow here: what reports its end, and that Prefect keeps no result
HOOKS: dict[str, Any] = {
    "on_completion": [report_end],
    "on_failure": [report_end],
    "on_crashed": [report_end],
    "on_cancellation": [report_end],
    "persist_result": False,
}


@flow(name="annual", flow_run_name=run_name, **HOOKS)
def annual(
    feeds: Path | None = None,
    year: int | None = None,
    warehouse: Path = WAREHOUSE,
    data: Path = DATA,
    max_rejects: str = MAX_REJECTS,
    recheck: bool = True,
    keep: bool = False,
    anyway: str | None = None,
    known: Path | None = None,
) -> Outcome | State[Any]:
    """Score and rank one round of points-based household registration (积分落户).

    Args:
        feeds: a delivery, one folder a feed; "{year}" in it stands for the year.  Left out, what
            departments delivered so far.
        year: the application year (申报年度), which needs a file in data/rounds; left out, the
            year the run is scheduled in, Beijing time.
        warehouse: where runs and luohu.duckdb are kept.
        data: the folder of policy and rounds.
        max_rejects: the largest share of bad rows a feed may have.
        recheck: whether the second engine must agree before anything is published.
        keep: keep the run without making it the current one of its round.
        anyway: why to publish what would be refused; kept and published.
        known: what luohu itself puts beside feeds that were delivered in pieces; left out.

    """
    year = year or scheduled_year()
    if feeds and runtime.deployment.id:  # `luohu run` names the very folder
        feeds = Path(str(feeds).replace("{year}", str(year)))
    order = Order(
        year, feeds or NONE_GIVEN, warehouse, data, max_rejects, recheck, keep, anyway, known
    )
    try:
        with message_without_values("run"):
            order.round()  # an unknown round is reported before anything is made
            if feeds:
                outcome = through_tasks(order)
            else:
                asked = Asked(RUN, year, warehouse=warehouse, data=data)
                outcome = run_on_known(asked, order, through_tasks).outcome
    except (Failure, PolicyError) as failure:
        return failed(failure)
    published.append(outcome)
    show(outcome)
    return outcome


def without_traceback(record: logging.LogRecord) -> bool:
    """Keep what a run logs to one line: Prefect repeats a failed state with an empty traceback."""
    record.exc_info = record.exc_text = None
    return not str(record.msg).startswith("Task run failed with")


for name in ("prefect.flow_runs", "prefect.task_runs"):
    logging.getLogger(name).addFilter(without_traceback)
