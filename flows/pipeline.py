"""The five stages of a run as plain functions: ingest, score, rank, recheck, publish.

Each takes the order and the path of the work folder and leaves files there; the last one names the
run by its digest, moves the folder into the warehouse and makes its tables current.  The Prefect
flow in `flows/annual.py` calls these same functions, so both ways give the same bytes.
"""

import json
import os
import shutil
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from errno import EACCES, EDQUOT, EIO, ENOSPC, EROFS
from pathlib import Path
from typing import Any

import polars as pl

from flows.failures import Failure, PublicationFailed, StageFailed
from flows.ingest import ingest
from flows.progress import report
from flows.publish import publish, require_readable
from flows.recheck import check
from flows.report import write_report
from flows.runs.manifest import made_from, manifest, pin
from flows.score import in_points, publish_table, rank, score
from flows.settings import Order
from flows.storage import put_in_place, sha256_of, write_json
from schemas.feeds import FEEDS
from transforms.policy import PolicyError
from transforms.ranking import Line
from transforms.scorecard import require_rules

DISK_TROUBLE = [os.strerror(each) for each in (ENOSPC, EROFS, EACCES, EDQUOT, EIO)]
STEPS = len(FEEDS) + 4  # the feeds, then score, rank, recheck and publish


@dataclass(frozen=True)
class Outcome:
    """What a run came to: small values only; points in centipoints."""

    round: int
    run_id: str
    directory: str
    database: str
    applications: int
    line: Line


def run(order: Order) -> Outcome:
    """The whole run without Prefect."""
    with work_folder(order) as work:
        ingest_stage(order, work)
        score_stage(order, work)
        rank_stage(order, work)
        recheck_stage(order, work)
        return publish_stage(order, work)


def ingest_stage(order: Order, work: Path) -> Path:
    """Accepted rows, rejects and the delivery's record in the work folder."""
    with told_without_values("ingest"):
        made, share = order.round(), order.share()
        require_rules(order.edition())  # an incomplete policy is told before the data is read
        ingest(order.feeds, made, work, max_rejects=share)
    return work


def score_stage(order: Order, work: Path) -> Path:
    """Scores, eligibility and evidence."""
    report("score", len(FEEDS), STEPS)
    with told_without_values("score"):
        return score(order, work)


def rank_stage(order: Order, work: Path) -> Path:
    """Ranking, segments and public list; the line in `line.json`."""
    report("rank", len(FEEDS) + 1, STEPS)
    with told_without_values("rank"):
        write_json(asdict(rank(order, work)), work / "line.json")
    return work


def recheck_stage(order: Order, work: Path) -> Path:
    """Work everything out again with the second engine; one difference and nothing is published."""
    report("recheck", len(FEEDS) + 2, STEPS)
    if order.recheck:
        with told_without_values("recheck"):
            check(order, work)
    return work


def publish_stage(order: Order, work: Path) -> Outcome:
    """Name the run, write its manifest and report, and make it the current run of its round."""
    report("publish", len(FEEDS) + 3, STEPS)
    with told_without_values("publish"):
        delivery = json.loads((work / "delivery.json").read_text(encoding="utf-8"))
        line = Line(**json.loads((work / "line.json").read_text(encoding="utf-8")))
        source = made_from(order, delivery)
        run_id = sha256_of(source)[:16]
        publish_table(work, "feeds", feed_counts(order.year, delivery))
        publish_table(work, "rounds", round_row(order, work, run_id, line))
        directory = order.warehouse / "runs" / str(order.year) / run_id

        def describe() -> None:
            pin(order, work)
            for intermediate in ("delivery.json", "line.json"):
                (work / intermediate).unlink()  # both stand in the manifest and the tables
            write_report(work)
            write_json(manifest(run_id, source, work), work / "manifest.json")

        database = publish(
            work,
            order.year,
            order.warehouse,
            meanwhile=describe,
            before=lambda: put_in_place(work, directory),
        )
    report("done", STEPS, STEPS)
    return Outcome(
        round=order.year,
        run_id=run_id,
        directory=str(directory),
        database=str(database),
        applications=delivery["feeds"]["applications"]["accepted"],
        line=line,
    )


@contextmanager
def told_without_values(stage: str) -> Iterator[None]:
    """Turn an unforeseen error into one that quotes no value: it may be somebody's ID or name."""
    try:
        yield
    except (Failure, PolicyError):
        raise
    except Exception as error:
        # polars and DuckDB have their own errors for a disk that is full or may not be written
        of_disk = [words for words in DISK_TROUBLE if words in str(error)]
        if of_disk or isinstance(error, OSError):
            told = of_disk[0] if of_disk else type(error).__name__
            raise PublicationFailed(
                f"{stage}: {told}; nothing was published, the publication before is intact"
            ) from None
        if os.environ.get("LUOHU_DEBUG"):
            raise
        frame = traceback.extract_tb(error.__traceback__)[-1]
        raise StageFailed(
            f"{stage}: {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
            " (LUOHU_DEBUG=1 shows the whole error, values included)"
        ) from None


def feed_counts(year: int, delivery: dict[str, Any]) -> pl.DataFrame:
    """The `feeds` table: a line a feed."""
    return pl.DataFrame(
        [
            {
                "round": year,
                "feed": feed,
                "department": (FEEDS[feed].model.__doc__ or "").split(":")[0].strip(),
                "files": len(counts["files"]),
                **{name: counts[name] for name in ("rows", "accepted", "quarantined")},
                **{name: counts[name] for name in ("duplicates", "strangers")},
            }
            for feed, counts in delivery["feeds"].items()
        ],
        schema_overrides={"round": pl.Int32},
    )


def round_row(order: Order, work: Path, run_id: str, line: Line) -> pl.DataFrame:
    """The `rounds` table: one line."""
    made = order.round()
    ranked = pl.scan_parquet(work / "ranking.parquet").select("total")
    return pl.DataFrame(
        {
            "round": made.year,
            "edition": order.edition().name,
            "policy_date": made.policy_date,
            "reference_date": made.reference_date,
            "quota": made.quota,
            "run_id": run_id,
            "applications": pl.scan_parquet(work / "scores.parquet")
            .select(pl.len())
            .collect()
            .item(),
            "eligible": line.eligible,
            "settled": line.settled,
            "cutoff": line.cutoff,
            "tied_at_cutoff": line.tied_at_cutoff,
            "rechecked": order.recheck,
        },
        schema_overrides={"round": pl.Int32, "cutoff": pl.Int64},
    ).with_columns(
        in_points(pl.col("cutoff")),
        highest=pl.lit(ranked.max().collect().item(), pl.Decimal(9, 2)),
    )


@contextmanager
def work_folder(order: Order) -> Iterator[Path]:
    """A folder to work in, inside the warehouse; removed when the run does not complete."""
    require_readable(order.warehouse)
    runs = order.warehouse / "runs"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        sweep(runs)
        work = runs / f".work-{order.year}-{os.getpid()}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
    except OSError as error:
        raise PublicationFailed(
            f"expected a warehouse that can be written to, found {order.warehouse}:"
            f" {error.strerror}"
        ) from error
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def sweep(runs: Path) -> None:
    """Remove work folders of runs that were killed."""
    for left in runs.glob(".work-*"):
        process = left.name.rsplit("-", 1)[-1]
        if process.isdigit() and not Path(f"/proc/{process}").exists():
            shutil.rmtree(left, ignore_errors=True)
