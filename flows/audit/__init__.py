"""Repeat a past run from what it pinned and compare every table with what was written then.

The accepted rows, the round and the policy come from the run's own directory, the code is today's, or
the one the run pinned.
Only reads what is published: the repetition goes to a private folder that is removed again.  Where
the warehouse cannot be written to, that folder lies outside it: an auditor may work on such a copy,
without network or Prefect.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from flows.audit.differences import ABSENT, ALL_ROWS, Compared, Difference, compare
from flows.audit.own_code import Code, code_of, run_code
from flows.common.by_name import read_table
from flows.common.failures import (
    BadUsage,
    CheckFailed,
    DatabaseUnreadable,
    Failure,
    LedgerDamaged,
    PublicationFailed,
)
from flows.common.files import sha256
from flows.common.messages import message_with_file, message_without_values
from flows.common.private_folder import private_folder
from flows.common.progress import report
from flows.common.settings import luohu_version
from flows.kept.integrity import Finding, Integrity, integrity, is_other_code, other_versions, short
from flows.kept.known_code import Trust, what_it_does
from flows.kept.limits import require_bounded
from flows.kept.manifest import code_digest
from flows.kept.past_run import MANIFEST, PastRun, past_run
from flows.kept.run_files import CODE
from flows.kept.salts import PEOPLE
from flows.kept.tables import NEEDS_REVIEW
from flows.ledger.entries import LEDGER
from flows.ledger.seen_in_database import require_of_ledger, shown_by
from flows.ledger.verify import verified
from flows.run.recompute import repeat
from schemas.results import TABLES
from transforms.policy import PolicyError

AS_DELIVERED = "rejects"  # follows from rows that are not kept: held against its digests only
AS_WRITTEN = "as written: not repeated"  # by code that has no way to be asked for it
BUT_FOR = "but for"
OTHER_CODE = "code"  # the cause that is no tampering
STEPS = 4
NOTHING = Compared([], 0, 0)


class TableAudit(NamedTuple):
    """One table: its rows and digest as it lies there, whether it came out the same, and why not."""

    name: str
    rows: int | None
    sha256: str | None
    same: bool
    compared: Compared
    cause: str
    remark: str  # in what way it is the same


@dataclass(frozen=True)
class Audit:
    """All an audit found."""

    past: PastRun
    files: Integrity
    tables: list[TableAudit]
    obstacles: list[Finding]  # why it could not be repeated
    own_code: bool  # or with today's
    ledger: tuple[Finding, ...] = ()  # what is wrong with the warehouse's ledger

    @property
    def notes(self) -> list[str]:
        """What is only different, and no finding."""
        then, now = self.past.manifest["code"], short(code_digest())
        if not is_other_code(self.past.manifest):
            return self.files.notes
        how = f"made with code {short(then.get('digest'))} (luohu {then.get('version')}), "
        if self.own_code:
            return [*self.files.notes, f"{how}repeated with it: today's is {now}"]
        again = f"audited with {now} (luohu {luohu_version()}): compared all the same"
        more = "; --with-its-own-code repeats it with the former" * (CODE in self.files.digests)
        return [*self.files.notes, f"{how}{again}{more}"]

    @property
    def findings(self) -> list[Finding]:
        """Every finding: files first."""
        return [*self.files.findings, *self.obstacles, *self.ledger]

    @property
    def passed(self) -> bool:
        """Whether every table is the same and nothing was found."""
        return not self.findings and all(each.same for each in self.tables)


def audit(
    year: int, warehouse: Path, run_id: str | None = None, own_code: Trust | None = None
) -> Audit:
    """Check, repeat and compare a run; raises Failure where there is nothing to audit."""
    with message_without_values("audit"), message_with_file():
        past = past_run(warehouse, year, run_id)
        require_bounded(past.directory, past.manifest)
        ledger = tuple(faults_of_ledger(warehouse, year))
    return replace(audit_run(past, own_code), ledger=ledger)


def faults_of_ledger(warehouse: Path, year: int) -> Iterator[Finding]:
    """The first thing wrong with a ledger, or with a file that an entry of the round names."""
    try:
        require_of_ledger(shown_by(warehouse), verified(warehouse, year))
    except DatabaseUnreadable:
        return  # a finding of its own
    except (CheckFailed, LedgerDamaged) as damage:
        yield Finding(LEDGER, str(damage).removeprefix(f"{LEDGER}: "))


def audit_run(past: PastRun, own_code: Trust | None = None) -> Audit:
    """Check, repeat and compare a run that was found.

    With today's code, or, where `own_code` says which may be run, with the code it pinned.
    """
    report("files against the manifest", 0, STEPS)
    with message_without_values("audit"), message_with_file():
        found = integrity(past)
    with private_folder(past.warehouse) as work:
        repeat = list(repeated(past, work, own_code))
        report("comparing", 3, STEPS)
        grown = own_code is None and is_other_code(past.manifest)
        # where the code has grown since the run, only the tables it wrote: there may be more today
        wrote = past.manifest["outputs"]
        there = [name for name in TABLES if not grown or f"{name}.parquet" in wrote]
        with message_without_values("audit"):
            tables = [table_audit(name, past, found, work, grown=grown) for name in there]
    report("done", STEPS, STEPS)
    return Audit(past, found, tables, repeat, own_code is not None)


def repeated(past: PastRun, work: Path, own_code: Trust | None) -> Iterator[Finding]:
    """Score and rank the pinned rows into `work`; yields what kept it from being done."""
    feeds = (*past.manifest["feeds"], NEEDS_REVIEW)
    needed = [*(f"accepted/{feed}.parquet" for feed in feeds), PEOPLE]
    absent = [name for name in needed if not (past.directory / name).is_file()]
    if absent:
        yield Finding(", ".join(absent), "a missing input: the run cannot be repeated without it")
        return
    for name in (*needed, MANIFEST, "pinned"):
        (work / name).parent.mkdir(mode=0o700, exist_ok=True)
        (work / name).symlink_to((past.directory / name).resolve())
    try:
        with message_without_values("repeating the run"):
            report("repeating", 1, STEPS)
            if own_code:
                run_code(pinned_by(past, work, own_code), work)
            else:
                repeat(work, past.year, past.manifest | {"run_id": past.run_id})
    except (PublicationFailed, BadUsage):
        raise  # a full disk is no tampering
    except (Failure, PolicyError) as failure:
        yield Finding("(run)", f"the run cannot be repeated to its end: {failure}")
    except pl.exceptions.PanicException:
        yield Finding("(run)", "the run cannot be repeated to its end: an input is damaged")


def pinned_by(past: PastRun, work: Path, trust: Trust) -> Code:
    """The code a run pinned, ready to be run; raises BadUsage where it is not there or not trusted."""
    unknown: dict[Path, str] = {}
    code = code_of(past, work / "code", trust, unknown)
    for archive, digest in unknown.items():
        raise BadUsage(
            f"the code in {archive} is not known here and was not run."
            f"  --trust-code {what_it_does(archive, digest)}"
        )
    if code is None:
        raise BadUsage(f"run {past.run_id} was made before code was kept: audit it with today's")
    if code.warning:
        trust.say(f"--trust-code {code.warning}")
    return code


def table_audit(
    name: str, past: PastRun, found: Integrity, work: Path, *, grown: bool
) -> TableAudit:
    """One table then and now: bytes first, rows where the bytes differ.

    Where the code has `grown` since, what only one of the versions has is no difference.
    """
    file = f"{name}.parquet"
    then, now = past.directory / file, work / file
    digest = found.digests.get(file)
    try:
        stored = read_table(then) if digest else None
    except pl.exceptions.PolarsError:
        stored = None
    rows, compared, remark = None if stored is None else stored.height, NOTHING, ""
    repeated_others = now.is_file() or not (work / "scores.parquet").is_file()
    if name == AS_DELIVERED or not repeated_others:
        same = digest is not None and not found.wrong(file)
        remark = "as delivered: not repeated" if name == AS_DELIVERED else AS_WRITTEN
    else:
        same = digest is not None and now.is_file() and sha256(now) == digest
        if not same:
            again = read_table(now) if now.is_file() else None
            compared = differences(name, stored, again, grown=grown)
        if compared.apart and not compared.differences:
            same, remark = True, f"{BUT_FOR} {', '.join(compared.apart)}, not in both versions"
    why = "" if same else cause(file, past, found)
    return TableAudit(name, rows, digest, same, compared, why, remark)


def differences(
    name: str, then: pl.DataFrame | None, now: pl.DataFrame | None, *, grown: bool
) -> Compared:
    """Row by row where both versions are there to be compared."""
    if then is not None and now is not None:
        return compare(name, then, now, grown=grown)
    there = [ABSENT if each is None else f"{each.height:,} rows" for each in (then, now)]
    return Compared([Difference(name, ALL_ROWS, "(table)", *there)], 1, 0)


def cause(file: str, past: PastRun, found: Integrity) -> str:
    """What a difference comes from, as far as the files show; several causes cannot be distinguished."""
    if found.wrong(file):
        return f"tampered: {file}"
    inputs = [*found.wrong("accepted/"), *found.wrong("restricted/")]
    policy = [*found.wrong("pinned/policy/"), *found.wrong("pinned/rounds/")]
    versions = [f"{name} {old} then, {new} now" for name, old, new in other_versions(past.manifest)]
    causes = [
        f"tampered: {MANIFEST}" if found.wrong(MANIFEST) else "",
        f"input: {', '.join(inputs)}" if inputs else "",
        f"policy: {', '.join(policy)}" if policy else "",
        OTHER_CODE if is_other_code(past.manifest) else "",
        f"libraries: {', '.join(versions)}" if versions else "",
    ]
    return " or ".join(filter(None, causes)) or "unknown: files, policy and code are as they were"


def as_json(found: Audit) -> dict[str, Any]:
    """The audit for machines."""
    return {
        "round": found.past.year,
        "run_id": found.past.run_id,
        "passed": found.passed,
        "repeated": not found.obstacles,
        "with_its_own_code": found.own_code,
        "notes": found.notes,
        "findings": [each._asdict() for each in found.findings],
        "tables": [
            {
                "table": each.name,
                "rows": each.rows,
                "sha256": each.sha256,
                "same": each.same,
                "remark": each.remark or None,
                "cause": each.cause or None,
                "differences": each.compared.differences,
                "rows_differing": each.compared.rows,
                "first": [difference._asdict() for difference in each.compared.first],
            }
            for each in found.tables
        ],
    }
