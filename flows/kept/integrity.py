"""Does a run directory still hold what its manifest says, and is the manifest the one published?

A file is held against the manifest, the manifest against its own run id and against the digest the
database keeps, the database against the tables.  Anyone who changes one of them has to change all.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

import duckdb
import polars as pl

from flows.common.by_name import scan_table, schema_of
from flows.common.database import DATABASE, OFFLINE, attach, table_in_sql
from flows.common.failures import CheckFailed
from flows.common.files import sha256_of
from flows.kept import pinned_code
from flows.kept.manifest import OF_THE_RUN, code_digest, environment
from flows.kept.past_run import MANIFEST, PastRun
from flows.kept.run_files import BESIDE, CODE, SHORT, digests_of, expected_digests, odd_rounds
from flows.kept.run_id import DELIVERY, delivery, run_id_of
from flows.kept.tables import REJECTS
from flows.kept.tables import table as table_of
from schemas.results import TABLES

LOCK = "requirements.lock"
FIRST = 5  # so many findings are reported where a run is not used


class Finding(NamedTuple):
    """A file that is not what it should be."""

    file: str
    message: str


@dataclass(frozen=True)
class Integrity:
    """What is wrong with the files, what is only different, and the digest of every file there is."""

    findings: list[Finding]
    notes: list[str]
    digests: dict[str, str]

    def wrong(self, prefix: str) -> list[str]:
        """The files below a prefix that are not what they should be."""
        return sorted({each.file for each in self.findings if each.file.startswith(prefix)})


def integrity(past: PastRun) -> Integrity:
    """Check every file of the run; reads only."""
    digests = digests_of(past.directory)
    expected = {
        name: digest
        for name, digest in expected_digests(past.manifest).items()
        if name not in past.left_out
    }
    notes: list[str] = []
    findings = [
        *files(digests, expected),
        *rows(past, digests, expected),
        *code(past, digests, expected),
        *decision(past, digests, expected),
        *identity(past, digests, notes),
        *surroundings(past.manifest, notes),
    ]
    changed = {each.file for each in findings}
    findings += database(past, {table for table in TABLES if f"{table}.parquet" not in changed})
    return Integrity(findings, notes, digests)


def require_untouched(past: PastRun, found: Integrity, what_for: str) -> None:
    """Raise CheckFailed when a file of the run is not what its manifest or the database says."""
    # another lock on this machine is no tampering with the run
    tampered = [each for each in found.findings if each.file != LOCK]
    if tampered:
        message = "\n  ".join(f"{file}: {what}" for file, what in tampered[:FIRST])
        more = f"\n  and {len(tampered) - FIRST} more" if len(tampered) > FIRST else ""
        raise CheckFailed(
            f"run {past.run_id} of round {past.year} is not as it was written, and was not"
            f" {what_for}:\n  {message}{more}"
        )


def files(digests: dict[str, str], expected: dict[str, str]) -> Iterator[Finding]:
    """Every file there, with its digest, and no other."""
    names = {digest: name for name, digest in expected.items()}
    for name, digest in expected.items():
        found = digests.get(name)
        if found is None:
            yield Finding(name, "expected the file the manifest names, found none")
        elif found != digest:
            whose = f", the digest of {names[found]}" if found in names else ""
            yield Finding(name, f"expected sha256 {digest[:SHORT]}, found {found[:SHORT]}{whose}")
    for name in sorted(digests.keys() - expected.keys() - BESIDE):
        yield Finding(name, "expected no such file, found one the manifest does not name")


def rows(past: PastRun, digests: dict[str, str], expected: dict[str, str]) -> Iterator[Finding]:
    """The row counts in the manifest are those of the files that are as they were."""
    for name, each in past.manifest["outputs"].items():
        if name.endswith(".parquet") and name in expected and digests.get(name) == expected[name]:
            try:
                found = scan_table(past.directory / name).select(pl.len()).collect().item()
            except pl.exceptions.PolarsError:
                yield Finding(name, "expected a Parquet file, found something else")
                continue
            if found != each["rows"]:
                message = f"outputs: {name}: rows: expected {found:,}, found {each['rows']}: edited"
                yield Finding(MANIFEST, message)


def code(past: PastRun, digests: dict[str, str], expected: dict[str, str]) -> Iterator[Finding]:
    """The pinned code is the code that names the run; a run made before code was kept has none."""
    if CODE not in expected or digests.get(CODE) != expected[CODE]:
        return
    try:
        found = pinned_code.digest_of(pinned_code.contents(past.directory / CODE))
    except CheckFailed as failure:
        yield Finding(CODE, str(failure).partition(": ")[2])
        return
    named = str(past.manifest["code"].get("digest"))
    if found != named:
        yield Finding(CODE, f"expected code {named[:SHORT]}, found {found[:SHORT]}")


def decision(past: PastRun, digests: dict[str, str], expected: dict[str, str]) -> Iterator[Finding]:
    """The pinned round file says what names the run; one that is not as it was is reported already."""
    for file in odd_rounds(past.directory, past.manifest):
        if digests.get(file) == expected[file]:
            yield Finding(file, "expected what names the run, found another decision: edited")


def identity(past: PastRun, digests: dict[str, str], notes: list[str]) -> Iterator[Finding]:
    """The manifest names the run it was made from, and is the one that was published."""
    manifest, known = past.manifest, past.publication
    public = DELIVERY in manifest  # as a public capsule has it: without digests of single tables
    named = run_id_of(manifest)
    if public and delivery(manifest) is None:
        notes.append(
            f"{MANIFEST}: the run is named by digests that are left out: its name was not checked"
        )
    elif named != past.run_id:
        yield Finding(
            MANIFEST,
            f"expected what it was made from to give run {past.run_id}, found {named}:"
            " round, policy, codes, feeds, options or code in it was edited",
        )
    if manifest["run_id"] != past.run_id:
        yield Finding(MANIFEST, f"run_id: expected {past.run_id}, found {manifest['run_id']}")
    results = {
        name: each["sha256"]
        for name in TABLES
        if name not in OF_THE_RUN and (each := manifest["outputs"].get(f"{name}.parquet"))
    }
    if not public and manifest["result_digest"] != sha256_of(results):
        yield Finding(MANIFEST, "result_digest: expected that of the outputs named: edited")
    registered = known.manifests.get(past.run_id)
    if known.absent:
        notes.append(f"{DATABASE}: none here: the manifest could not be checked against it")
    elif known.trouble:
        yield Finding(DATABASE, f"{known.trouble}: the manifest could not be checked")
    elif registered is None:
        notes.append(f"{DATABASE}: keeps no digest of this manifest: it could not be checked")
    elif registered != digests[MANIFEST]:
        yield Finding(
            MANIFEST,
            f"expected sha256 {registered[:SHORT]} as published, found"
            f" {digests[MANIFEST][:SHORT]}: edited after publication",
        )


def surroundings(manifest: dict[str, Any], notes: list[str]) -> Iterator[Finding]:
    """Code, lock and libraries: another one is noted; another lock of the same code is a finding."""
    then, now = manifest["environment"], environment()
    if then.get("lock") != now["lock"]:
        message = f"expected sha256 {short(then.get('lock'))} as the run had it, found"
        message = f"{message} {short(now['lock'])}: a different lock"
        if then.get("lock") and now["lock"] and not is_other_code(manifest):
            yield Finding(LOCK, message)
        else:
            notes.append(f"{LOCK}: {message}")
    notes.extend(f"{name}: {old} then, {new} now" for name, old, new in other_versions(manifest))


def is_other_code(manifest: dict[str, Any]) -> bool:
    """Whether the run was made with another version of the code."""
    return bool(manifest["code"].get("digest") != code_digest())


def other_versions(manifest: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Python, libraries and validator settings that differ: name, then, now."""
    then, now = manifest["environment"], environment()
    libraries = then.get("libraries")
    known = libraries if isinstance(libraries, dict) else {}
    pairs = {
        "python": (then.get("python"), now["python"]),
        "pandera settings": (then.get("pandera"), now["pandera"]),
        **{name: (known.get(name), new) for name, new in now["libraries"].items()},
    }
    return [(name, f"{old}", f"{new}") for name, (old, new) in pairs.items() if old != new]


def short(digest: object) -> str:
    """The beginning of a digest, for people."""
    return str(digest or "none")[:SHORT]


def database(past: PastRun, tables: set[str]) -> Iterator[Finding]:
    """The database shows the rows of the run's tables; asked only where it shows this run."""
    if not past.published:
        return
    with ExitStack() as held, duckdb.connect(config=OFFLINE) as connection:
        attach(connection, past.warehouse / DATABASE, "published")
        for table in sorted(tables):
            if not (past.directory / f"{table}.parquet").is_file():
                continue
            try:
                same = shows(connection, past, table, held)
            except duckdb.Error:
                same = False
            if not same:
                message = f"{table}: expected the rows of {table}.parquet, found others"
                yield Finding(DATABASE, message)


def shows(
    connection: duckdb.DuckDBPyConnection, past: PastRun, table: str, held: ExitStack
) -> bool:
    """Whether the database has the rows of a table of the run: those it had, in its columns."""
    parquet, shown = past.directory / f"{table}.parquet", f"published.{table}"
    names, file = [*schema_of(parquet)], table_in_sql(parquet, held)
    there = {each[0] for each in connection.execute(f"FROM {shown} LIMIT 0").description or []}
    if table == REJECTS and not {*names} <= there:  # published again, under the names of today
        rows = table_of(past.directory, REJECTS).collect()
        names, file = rows.columns, "rejects_of_run"
        connection.register(file, rows.to_arrow())
    # a sum of hashes: order does not count, and 122,852 applicants take part of a second
    hashed = ", ".join(f'"{name}"' for name in names)
    then, now = (
        connection.execute(f"SELECT count(*), sum(hash({hashed})) FROM {rows_}").fetchall()
        for rows_ in (file, f"{shown} WHERE round = {past.year:d}")
    )
    return then == now
