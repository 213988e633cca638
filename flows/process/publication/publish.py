"""`publish`: make a run the official result of its round (docs/process.md, 5).

All that is still open is reported at once.  The entry names the digests of the run's manifest, ranking and
public list: from then on the ledger vouches for them.
"""

from pathlib import Path
from typing import Any

from flows.common.by_name import read_table
from flows.common.failures import NotFound, ProcessRefused
from flows.common.files import sha256
from flows.common.points import centipoints
from flows.kept.named_run import NamedRun, read
from flows.kept.past_run import MANIFEST, chosen, published, runs_of
from flows.ledger.entries import FILES, Body, Entry
from flows.process.publication.official import official
from flows.process.publication.open_matters import open_matters
from flows.process.read import require_warehouse
from flows.process.turn import Asked, Turn, turn
from schemas.results import PUBLISHED

VOUCHED = (MANIFEST, "ranking.parquet", "public_list.parquet")
FIGURES = ("edition", "quota", "applications", "eligible", "settled", "tied_at_cutoff")


def publish(asked: Asked, name: str | None = None) -> Turn:
    """Record a run as the official result; raises ProcessRefused with the list of what is open."""
    require_warehouse(asked.warehouse)
    with turn(asked) as now:
        now.judge()
        before = official(now.state, asked.round)
        if before:
            raise ProcessRefused(
                f"round {asked.round}: expected a round that is not published, found run"
                f" {before.run_id} published by entry {before.entry.seq} of"
                f" {before.entry.at[:10]}: a round is published once"
            )
        run = run_to_publish(asked.warehouse, asked.round, name)
        open_now, entry = open_matters(now, run)
        if open_now:
            raise ProcessRefused(f"run {run.run_id}: not published: {'; '.join(open_now)}")
        run.require_untouched(
            f"{table}.parquet" for table in PUBLISHED if table_is_there(run, table)
        )
        now.record(body(run, entry, asked.warehouse))
    return now


def run_to_publish(warehouse: Path, year: int, name: str | None) -> NamedRun:
    """The run of that id, or the current one; raises NotFound where there is none."""
    runs = runs_of(warehouse / "runs" / f"{year}")
    current = published(warehouse, year).current
    if name is None and current is None:
        raise NotFound(
            f"round {year}: expected a current run, found none: luohu runs {year} lists those kept,"
            " --run names one"
        )
    run_id = chosen(str(current) if name is None else name, year, runs)
    return read(runs[run_id])


def table_is_there(run: NamedRun, table: str) -> bool:
    """Whether a run has a table; one of an earlier version may lack some."""
    return f"{table}.parquet" in run.expected


def body(run: NamedRun, entry: Entry | None, warehouse: Path) -> Body:
    """What the entry says: the run, what it was made from, and its line."""
    row = read_table(run.directory / "rounds.parquet")
    figures: dict[str, Any] = row.select(*FIGURES, cutoff_centipoints=centipoints("cutoff")).row(
        0, named=True
    )
    made_from = entry.body if entry else {}
    return {
        "run_id": run.run_id,
        "run_entry": entry.seq if entry else None,
        "deliveries": made_from.get("deliveries", []),
        "findings": made_from.get("findings", []),
        **figures,
        FILES: {
            f"{(run.directory / name).relative_to(warehouse)}": sha256(run.directory / name)
            for name in VOUCHED
        },
    }
