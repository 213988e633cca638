"""What stands against publishing a run: every matter that is open, reported at once (docs/process.md, 5)."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TypeAlias

import polars as pl

from flows.common.by_name import read_table
from flows.common.database import DATABASE, open_read_only
from flows.common.settings import Order
from flows.kept.named_run import NamedRun
from flows.kept.tables import feed
from flows.ledger.entries import Entry
from flows.ledger.operations import DELIVER, RUN, SANCTION
from flows.process.appeals.standing import pending
from flows.process.applications import delivered
from flows.process.deliveries.findings import as_rows, findings
from flows.process.deliveries.held import delivery_ids
from flows.process.turn import Turn
from flows.run.known import FINDINGS, digest_of
from flows.run.stages import bars

Finding: TypeAlias = tuple[str, date]  # a subject, and the day

SHOWN = 20  # ids in a message; the lists have all of them


def open_matters(now: Turn, run: NamedRun) -> tuple[list[str], Entry | None]:
    """What is open, and the entry of the run: of several of one run, the one with the least open."""
    entries = list(now.state.standing(RUN, run.year, id=run.run_id))
    tried = [
        (list(matters(now, run, each)), each)
        for each in [*reversed(entries), *([] if entries else [None])]
    ]
    found, entry = min(tried, key=lambda each: len(each[0]))
    waiting = [each.id for each in pending(now.state, run.year)]
    if waiting:
        found.insert(0, f"{len(waiting):,} pending: {listed(waiting)}")
    return found, entry


def matters(now: Turn, run: NamedRun, entry: Entry | None) -> Iterator[str]:
    """What is open of a run, made as an entry says, or, without one, with --feeds."""
    state, year = now.state, run.year
    made = entry.body if entry else {}
    if entry is None and any(state.standing(DELIVER, year)):
        yield f"it was made with --feeds, and round {year} has deliveries"
    if entry is not None:
        yield from other_deliveries(made["deliveries"], delivery_ids(state, year))
    yield from other_findings(now, run, entry)
    if made.get("allow_missing"):
        yield "it was made with --allow-missing"
    if run.manifest["options"].get("recheck") is False:
        yield "it was made with --no-recheck"
    if made.get("anyway") if entry else anyway(now, run):
        yield "it was made with --anyway"


def other_deliveries(held: Sequence[str], standing: Sequence[str]) -> Iterator[str]:
    """Deliveries that stand now and are not in a run, and the other way round."""
    if lacking := [name for name in standing if name not in held]:
        yield f"it lacks deliveries that stand: {listed(lacking)}"
    if gone := [name for name in held if name not in standing]:
        yield f"it holds deliveries that stand no more: {listed(gone)}"


def other_findings(now: Turn, run: NamedRun, entry: Entry | None) -> Iterator[str]:
    """Findings that would now be added to a run, and those it has that stand no more.

    Making the run again mends either: a run that comes to the same has the same id.
    """
    warehouse = now.asked.warehouse
    standing = findings(now.state)
    retracted = (now.state.entry(seq) for seq in now.state.retracted)
    taken_back = [each for each in retracted if each and each.operation == SANCTION]
    if not standing and not taken_back:
        return
    known = concerned(now, run, as_rows(warehouse, standing))
    sanctions = sanctions_in(run)
    then = rows_of(as_rows(warehouse, entries_of(now, entry))) if entry else set()
    if lacking := known - sanctions - then:
        yield f"it lacks {len(lacking):,} findings that stand"
    gone = concerned(now, run, as_rows(warehouse, taken_back)) - rows_of(
        as_rows(warehouse, standing)
    )
    held = gone & (then if entry else sanctions)
    if held and (entry or was_added(run, known & sanctions)):
        yield f"it holds {len(held):,} findings that were retracted"


def entries_of(now: Turn, entry: Entry) -> list[Entry]:
    """The findings a run was made with."""
    return [each for each in map(now.state.entry, entry.body["findings"]) if each]


def rows_of(findings: pl.DataFrame) -> set[Finding]:
    """Findings as subjects and days."""
    return set(findings.select("subject_id", "found_on").iter_rows())


def concerned(now: Turn, run: NamedRun, rows: pl.DataFrame) -> set[Finding]:
    """Those findings that bar the year of a run and are about somebody in it."""
    order = Order(run.year, Path(), now.asked.warehouse, now.asked.data)
    there = pl.concat(
        [
            read_table(run.directory / "restricted" / "people.parquet").select(id="person_id"),
            feed(run.directory, "employers").select(id="employer_id").collect(),
            delivered(now.state, now.asked.warehouse, run.year, run.run_id).select(
                id="employer_id"
            ),
        ]
    )["id"]
    in_force = bars(order.edition(), order.round())
    return rows_of(rows.filter(in_force, pl.col("subject_id").is_in(there.implode())))


def sanctions_in(run: NamedRun) -> set[Finding]:
    """The sanctions a run was made with, delivered or added."""
    rows = feed(run.directory, "sanctions").collect()
    people = read_table(run.directory / "restricted" / "people.parquet")
    employers = feed(run.directory, "employers").collect()
    found = pl.concat(
        rows.join(who.select(number, subject_id=name), on=number, validate="m:1").select(
            "subject_id", "found_on"
        )
        for number, name, who in (
            ("person", "person_id", people),
            ("employer", "employer_id", employers),
        )
    )
    return rows_of(found)


def was_added(run: NamedRun, standing: set[Finding]) -> bool:
    """Whether findings were added to a run that are not exactly those that stand."""
    added = run.manifest["feeds"]["sanctions"].get("findings")
    rows = pl.DataFrame(sorted(standing), FINDINGS, orient="row")
    return added is not None and added["digest"] != digest_of(rows)


def anyway(now: Turn, run: NamedRun) -> bool:
    """Whether a run without an entry was made for a reason that overrode a refusal."""
    if not (now.asked.warehouse / DATABASE).exists():
        return False
    with open_read_only(now.asked.warehouse) as database:
        found = database.execute(
            "SELECT 1 FROM manifests WHERE run_id = ? AND anyway IS NOT NULL", [run.run_id]
        ).fetchall()
    return bool(found)


def listed(names: Sequence[str]) -> str:
    """Ids for a message."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
