"""Repeat a past run from what it pinned and compare every table with what was written then.

The accepted rows, the round and the policy come from the run's own directory, the code is today's.
Only reads what is published: the repetition goes to a private folder that is removed again, outside a
warehouse nobody can write to, so that an auditor may work on such a copy, without network or Prefect.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from flows.audit.differences import ABSENT, ALL_ROWS, Compared, Difference, compare
from flows.common.by_name import read_table
from flows.common.failures import BadUsage, Failure, PublicationFailed
from flows.common.files import sha256
from flows.common.messages import told_without_values
from flows.common.private_folder import private_folder
from flows.common.progress import report
from flows.common.settings import Order
from flows.kept.integrity import Finding, Integrity, integrity, is_other_code, other_versions
from flows.kept.limits import require_bounded
from flows.kept.past_run import MANIFEST, PastRun, past_run
from flows.run.score import publish_table, rank, score
from flows.run.tables import feed_counts, round_row
from schemas.feeds import FEEDS
from schemas.results import TABLES
from transforms.policy import PolicyError

AS_DELIVERED = "rejects"  # follows from rows that are not kept: held against its digests only
NEEDED = [*(f"accepted/{feed}.parquet" for feed in (*FEEDS, "needs_review"))]
NEEDED.append("restricted/people.parquet")
STEPS = 4


class TableAudit(NamedTuple):
    """One table: its rows and digest as it lies there, whether it came out the same, and why not."""

    name: str
    rows: int | None
    sha256: str | None
    same: bool
    compared: Compared
    cause: str


@dataclass(frozen=True)
class Audit:
    """All an audit found."""

    past: PastRun
    files: Integrity
    tables: list[TableAudit]
    untold: list[Finding]  # why it could not be repeated

    @property
    def findings(self) -> list[Finding]:
        """Every finding: files first."""
        return [*self.files.findings, *self.untold]

    @property
    def passed(self) -> bool:
        """Whether every table is the same and nothing was found."""
        return not self.findings and all(each.same for each in self.tables)


def audit(year: int, warehouse: Path, run_id: str | None = None) -> Audit:
    """Check, repeat and compare a run; raises Failure where there is nothing to audit."""
    with told_without_values("audit"), told_which_file():
        past = past_run(warehouse, year, run_id)
        require_bounded(past.directory, past.manifest)
    return audit_run(past)


@contextmanager
def told_which_file() -> Iterator[None]:
    """Turn a file that cannot be read into a message that names it."""
    try:
        yield
    except OSError as error:
        raise BadUsage(f"cannot read {error.filename}: {error.strerror}") from None


def audit_run(past: PastRun) -> Audit:
    """Check, repeat and compare a run that was found."""
    report("files against the manifest", 0, STEPS)
    with told_without_values("audit"), told_which_file():
        found = integrity(past)
    with private_folder(past.warehouse) as work:
        untold = list(repeated(past, work))
        report("comparing", 3, STEPS)
        with told_without_values("audit"):
            tables = [table_audit(name, past, found, work) for name in TABLES]
    report("done", STEPS, STEPS)
    return Audit(past, found, tables, untold)


def repeated(past: PastRun, work: Path) -> Iterator[Finding]:
    """Score and rank the pinned rows into `work`; tells what kept it from being done."""
    absent = [name for name in NEEDED if not (past.directory / name).is_file()]
    if absent:
        yield Finding(", ".join(absent), "a missing input: the run cannot be repeated without it")
        return
    for name in NEEDED:
        (work / name).parent.mkdir(mode=0o700, exist_ok=True)
        (work / name).symlink_to((past.directory / name).resolve())
    order = Order(
        past.year,
        feeds=work,
        warehouse=work,
        data=past.directory / "pinned",
        recheck=past.manifest["options"].get("recheck", True) is True,
    )
    try:
        with told_without_values("repeating the run"):
            report("score", 1, STEPS)
            score(order, work)
            report("rank", 2, STEPS)
            line = rank(order, work)
            counts = feed_counts(past.year, {"feeds": past.manifest["feeds"]})
            publish_table(work, "feeds", counts)
            publish_table(work, "rounds", round_row(order, work, past.run_id, line))
    except PublicationFailed:
        raise  # a full disk is nobody's tampering
    except (Failure, PolicyError) as failure:
        yield Finding("(run)", f"the run cannot be repeated to its end: {failure}")
    except pl.exceptions.PanicException:
        yield Finding("(run)", "the run cannot be repeated to its end: an input is damaged")


def table_audit(name: str, past: PastRun, found: Integrity, work: Path) -> TableAudit:
    """One table then and now: bytes first, rows where the bytes differ."""
    file = f"{name}.parquet"
    then, now = past.directory / file, work / file
    digest = found.digests.get(file)
    if name == AS_DELIVERED and digest:
        shutil.copyfile(then, now)
    try:
        stored = read_table(then) if digest else None
    except pl.exceptions.PolarsError:
        stored = None
    same = digest is not None and now.is_file() and sha256(now) == digest
    if name == AS_DELIVERED:
        same = same and not found.wrong(file)
    compared = Compared([], 0, 0)
    if not same and name != AS_DELIVERED:
        compared = differences(name, stored, read_table(now) if now.is_file() else None)
    rows = None if stored is None else stored.height
    return TableAudit(name, rows, digest, same, compared, "" if same else cause(file, past, found))


def differences(name: str, then: pl.DataFrame | None, now: pl.DataFrame | None) -> Compared:
    """Row by row where both versions are there to be compared."""
    if then is not None and now is not None:
        return compare(name, then, now)
    there = [ABSENT if each is None else f"{each.height:,} rows" for each in (then, now)]
    return Compared([Difference(name, ALL_ROWS, "(table)", *there)], 1, 0)


def cause(file: str, past: PastRun, found: Integrity) -> str:
    """What a difference comes from, as far as the files tell; several causes cannot be told apart."""
    if found.wrong(file):
        return f"tampered: {file}"
    inputs = [*found.wrong("accepted/"), *found.wrong("restricted/")]
    policy = [*found.wrong("pinned/policy/"), *found.wrong("pinned/rounds/")]
    versions = [f"{name} {old} then, {new} now" for name, old, new in other_versions(past.manifest)]
    causes = [
        f"tampered: {MANIFEST}" if found.wrong(MANIFEST) else "",
        f"input: {', '.join(inputs)}" if inputs else "",
        f"policy: {', '.join(policy)}" if policy else "",
        "code" if is_other_code(past.manifest) else "",
        f"libraries: {', '.join(versions)}" if versions else "",
    ]
    return " or ".join(filter(None, causes)) or "unknown: files, policy and code are as they were"


def as_json(found: Audit) -> dict[str, Any]:
    """The audit for machines."""
    return {
        "round": found.past.year,
        "run_id": found.past.run_id,
        "passed": found.passed,
        "repeated": not found.untold,
        "notes": found.files.notes,
        "findings": [each._asdict() for each in found.findings],
        "tables": [
            {
                "table": each.name,
                "rows": each.rows,
                "sha256": each.sha256,
                "same": each.same,
                "cause": each.cause or None,
                "differences": each.compared.differences,
                "rows_differing": each.compared.rows,
                "first": [difference._asdict() for difference in each.compared.first],
            }
            for each in found.tables
        ],
    }
