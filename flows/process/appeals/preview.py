"""`appeal decide --preview`: what a decision would do, exactly, before it is made; nothing is recorded.

It is measured as `luohu displacement` would measure it, were it made now and a run made on what is known
now.  Where the run that would be compared lacks a delivery, what is known is scored aside, without the
ledger's lock.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from flows.common.messages import message_without_values
from flows.common.private_folder import private_folder
from flows.common.settings import Order
from flows.kept.past_run import published, runs_of
from flows.ledger.clock import time_of_entry
from flows.ledger.entries import Entry, at_text
from flows.ledger.file import read
from flows.ledger.operations import APPEAL_DECIDE, RUN
from flows.ledger.state import State
from flows.process.appeals.deciding import (
    ENTERED,
    FILED,
    Decision,
    decidable,
)
from flows.process.appeals.standing import GRANTED, KIND_OF_ID
from flows.process.deliveries.findings import findings, put_beside
from flows.process.deliveries.held import delivery_ids, missing
from flows.process.deliveries.known import known
from flows.process.displacement.of_round import Measured, measured
from flows.process.displacement.rows import Decided
from flows.process.ids import year_of
from flows.process.read import require_warehouse
from flows.process.turn import Asked
from flows.run.score import publish_table
from flows.run.stages import ingest_stage, rank_stage, score_stage
from flows.run.tables import round_row
from transforms.ranking import Line

ASIDE = "what is known now"  # in place of the id of a run that is not made


def preview(asked: Asked, decision: Decision) -> tuple[State, list[Decided]]:
    """The ledger, and what a decision would do; raises a Failure where it may not be made."""
    asked = replace(asked, round=year_of(decision.appeal, KIND_OF_ID))
    require_warehouse(asked.warehouse)
    state = read(asked.warehouse)
    appeal, named = decidable(state, asked, decision)
    require_allowed(asked, state, appeal.filed, named)
    if decision.result not in GRANTED:
        return state, []
    current = published(asked.warehouse, asked.round).current
    supposed = State((*state.entries, entry_of(decision, state, asked)))
    found = measured(supposed, asked.warehouse, asked.round, asked.spans, current)
    with after(asked, state, found) as (complete, runs):
        rows = complete.decided(runs)
    return state, [each for each in rows if each.row["appeal_id"] == decision.appeal]


def require_allowed(asked: Asked, state: State, filed: Entry, named: Sequence[Entry]) -> None:
    """Raise a Failure where the decision may not be made now, or, if they are given, by these."""
    row = asked.row_at(time_of_entry(state, asked.clock(), asked.at))
    if asked.by is None and asked.and_by is None:
        return
    names = asked.signed(row)
    names.require_others([filed], FILED)
    names.require_others(named, ENTERED)


def entry_of(decision: Decision, state: State, asked: Asked) -> Entry:
    """The entry as it would be; it is only looked at."""
    at = time_of_entry(state, asked.clock(), asked.at)
    unsigned = dict.fromkeys(("clock", "user", "previous", "sha256"), "")
    return Entry(
        seq=state.seq + 1,
        at=at_text(at),
        round=asked.round,
        operation=APPEAL_DECIDE,
        by=None,
        and_by=None,
        override=None,
        body=decision.body,
        **unsigned,
    )


@contextmanager
def after(
    asked: Asked, state: State, found: Measured
) -> Iterator[tuple[Measured, dict[str, Path]]]:
    """What is measured, up to a run that holds every delivery that stands, made aside if need be."""
    runs = runs_of(asked.warehouse / "runs" / f"{asked.round}")
    standing = delivery_ids(state, asked.round)
    holds = any(
        each.body["deliveries"] == standing
        for each in state.standing(RUN, asked.round, id=found.after)
    )
    if holds or missing(state, asked.round):
        yield (found if holds else replace(found, after=None)), runs
        return
    with private_folder(asked.warehouse) as work, message_without_values("preview"):
        folder = work / "run"
        folder.mkdir()
        score_aside(asked, state, work, folder)
        yield replace(found, after=ASIDE), {**runs, ASIDE: folder}


def score_aside(asked: Asked, state: State, work: Path, folder: Path) -> None:
    """Score and rank what is known, for nobody else to see."""
    fed = known(state, asked.warehouse, asked.round, work)
    put_beside(asked.warehouse, findings(state), fed.beside)
    order = Order(asked.round, fed.feeds, asked.warehouse, asked.data, known=fed.beside)
    for stage in (ingest_stage, score_stage, rank_stage):
        stage(order, folder)
    row = round_row(order, folder, ASIDE, Line(0, 0, None, 0))
    publish_table(folder, "rounds", row)
