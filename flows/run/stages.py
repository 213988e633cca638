"""The stages of a run as plain functions: ingest, score, rank, recheck, publish.

Each takes the order and the path of the work folder and leaves files there; the last one names the
run by its digest, moves the folder into the warehouse and makes its tables current, or only keeps it.
The Prefect flow in `flows/orchestration/annual.py` calls these same functions, so both ways give the
same bytes.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from flows.common.files import write_json
from flows.common.messages import message_without_values
from flows.common.progress import report
from flows.common.settings import Order
from flows.kept.manifest import made_from, manifest, pin
from flows.kept.run_id import run_id_of
from flows.run.buckets.how_many import how_many
from flows.run.buckets.ingest import ingest_in_buckets
from flows.run.buckets.layout import buckets_of, remove_buckets
from flows.run.buckets.rank import rank_in_buckets
from flows.run.buckets.recheck import recompute_in_buckets
from flows.run.buckets.require_whole import require_whole
from flows.run.buckets.score import score_in_buckets
from flows.run.ingest import ingest
from flows.run.place import keep_beside, place, there_already
from flows.run.plausible import less_than_current, of_another_year, require_plausible
from flows.run.publish import current_size, only_publisher, replace_database
from flows.run.report import write_report
from flows.run.score import publish_table, rank, score
from flows.run.second_engine import check
from flows.run.tables import feed_counts, round_row
from flows.run.work_folder import work_folder
from schemas.feeds import FEEDS
from transforms.conditions import CONDITIONS
from transforms.policy import Edition
from transforms.ranking import Line
from transforms.rounds import Round

NOT_BARRED = "not_barred"
STEPS = len(FEEDS) + 4  # the feeds, then score, rank, recheck and publish


@dataclass(frozen=True)
class Outcome:
    """What a run came to: small values only; points in centipoints."""

    round: int
    run_id: str
    directory: str
    database: str
    applications: int
    litter: int  # files of the delivery passed over
    line: Line
    current: bool = True  # or only kept


def always() -> bool:
    """Nothing stands in the way."""
    return True


def run(order: Order, may_replace: Callable[[], bool] = always) -> Outcome:
    """The whole run without Prefect; `may_replace` as the last stage has it."""
    with work_folder(order) as work:
        ingest_stage(order, work)
        score_stage(order, work)
        rank_stage(order, work)
        recheck_stage(order, work)
        return publish_stage(order, work, may_replace)


def ingest_stage(order: Order, work: Path) -> Path:
    """Accepted rows, rejects and the delivery's record in the work folder."""
    with message_without_values("ingest"):
        this_round, share = order.round(), order.share()
        edition = order.edition()  # what is wrong with it is reported before the data is read
        buckets = how_many(order.feeds)
        ingest_ = partial(ingest_in_buckets, buckets=buckets) if buckets > 1 else ingest
        ingest_(
            *(order.feeds, this_round, work),
            max_rejects=share,
            known=order.known,
            bars=bars(edition, this_round),
        )
        require_plausible(order, of_another_year(order, work))
    return work


def bars(edition: Edition, this_round: Round) -> pl.Expr:
    """Whether a finding bars the round, as its edition has it."""
    rule = edition.conditions[NOT_BARRED]
    condition = CONDITIONS[rule.name]
    in_force: pl.Expr = condition.in_force(condition.Params(**rule.values), this_round)
    return in_force


def score_stage(order: Order, work: Path) -> Path:
    """Scores, eligibility and evidence."""
    report("score", len(FEEDS), STEPS)
    with message_without_values("score"):
        if buckets := buckets_of(work):
            return score_in_buckets(order, work, buckets)
        return score(order, work)


def rank_stage(order: Order, work: Path) -> Path:
    """Ranking, segments and public list; the line in `line.json`."""
    report("rank", len(FEEDS) + 1, STEPS)
    with message_without_values("rank"):
        buckets = buckets_of(work)
        line = rank_in_buckets(order, work, buckets) if buckets else rank(order, work)
        write_json(asdict(line), work / "line.json")
    return work


def recheck_stage(order: Order, work: Path) -> Path:
    """Work everything out again with the second engine; one difference and nothing is published."""
    report("recheck", len(FEEDS) + 2, STEPS)
    if order.recheck:
        with message_without_values("recheck"):
            if buckets := buckets_of(work):
                recompute_in_buckets(order, buckets)
            check(order, work, buckets)
    return work


def publish_stage(order: Order, work: Path, may_replace: Callable[[], bool] = always) -> Outcome:
    """Name the run, write its manifest and report, and make it the current run of its round.

    Where a current run stands for good (`may_replace` is asked under the lock), it is only kept.
    """
    report("publish", len(FEEDS) + 3, STEPS)
    with message_without_values("publish"):
        delivery = json.loads((work / "delivery.json").read_text(encoding="utf-8"))
        line = Line(**json.loads((work / "line.json").read_text(encoding="utf-8")))
        if buckets := buckets_of(work):
            require_whole(work, buckets, delivery)
            remove_buckets(work)
        source = made_from(order, delivery)
        run_id = run_id_of(source)
        publish_table(work, "feeds", feed_counts(order.year, delivery))
        publish_table(work, "rounds", round_row(order, work, run_id, line))
        directory = order.warehouse / "runs" / str(order.year) / run_id

        def describe() -> None:
            pin(order, work)
            for intermediate in ("delivery.json", "line.json"):
                (work / intermediate).unlink()  # both stand in the manifest and the tables
            write_report(work)
            how = {"buckets": len(buckets)} if buckets else {}
            write_json({**manifest(run_id, source, work), **how}, work / "manifest.json")

        with only_publisher(order.warehouse):
            if not may_replace():
                order = replace(order, keep=True)
            before = current_size(order.warehouse, order.year)
            less = less_than_current(order, work, before)
            reason = require_plausible(order, of_another_year(order, work), less)
            there = there_already(directory, order.warehouse, order.year)
            database = replace_database(
                directory if there else work,
                order.year,
                order.warehouse,
                describe,
                lambda: (keep_beside if there else place)(work, directory),
                current=not order.keep,
                anyway=reason,
                data=order.data,
            )
    report("done", STEPS, STEPS)
    return Outcome(
        round=order.year,
        run_id=run_id,
        directory=str(directory),
        database=str(database),
        applications=delivery["feeds"]["applications"]["accepted"],
        litter=delivery["litter"],
        line=line,
        current=not order.keep or (before is not None and before.run_id == run_id),
    )
