"""Audit a capsule: unpack it aside, hold it against itself, then repeat the run as in a warehouse.

Needs the file and an installed luohu, nothing else: no warehouse, no network, no Prefect.  Of a public
capsule, which holds no row to repeat the run from, what can be shown is checked: see `checks`.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows.audit import Audit, audit_run, told_which_file
from flows.capsule.checks import Check, checks
from flows.capsule.container import FORMAT, Whole, opened
from flows.capsule.contents import FULL, INDEX, LOCK, PUBLIC, RUN, index, is_public, left_out
from flows.capsule.unpack import read, unpack
from flows.failures import CapsuleRefused, CheckFailed, NewerWarehouse
from flows.integrity import SHORT, Finding, Integrity, integrity
from flows.past_run import MANIFEST, PastRun, Publication, read_manifest
from flows.pipeline import told_without_values
from flows.progress import report

SHAPE: dict[str, type] = {
    **dict.fromkeys(("format", "round"), int),
    **dict.fromkeys(("kind", "run_id", "manifest"), str),
    **dict.fromkeys(("members", "left_out"), dict),
}


@dataclass(frozen=True)
class CapsuleAudit:
    """All an audit of a capsule found; a full one was repeated, of a public one checks were made."""

    file: Whole
    contents: dict[str, Any]
    past: PastRun
    files: Integrity  # of the run's files, and how the capsule fits together
    repeated: Audit | None
    checks: list[Check]

    @property
    def findings(self) -> list[Finding]:
        """Every finding: files first."""
        return self.repeated.findings if self.repeated else self.files.findings

    @property
    def passed(self) -> bool:
        """Whether nothing was found, every table is the same and every check holds."""
        return (
            not self.findings
            and (self.repeated is None or self.repeated.passed)
            and all(each.holds for each in self.checks)
        )


def audit_capsule(path: Path) -> CapsuleAudit:
    """Verify a capsule; raises CapsuleRefused where it is damaged or of a later format."""
    with (
        told_without_values("audit"),
        told_which_file(),
        opened(path) as whole,
        tempfile.TemporaryDirectory(prefix="luohu-capsule-") as folder,
    ):
        report("unpacking", 0, 1)
        contents, digests = unpacked(whole, Path(folder))
        past = past_run_in(Path(folder) / RUN, path, contents)
        expected = expected_index(contents["kind"], past, digests)
        own = [*other_index(contents, expected), *odd_members(contents["kind"], digests, past)]
        contents = expected  # from here on nobody's word, but what the members come to
        if contents["kind"] == FULL:
            found = audit_run(past)
            files = replace(found.files, findings=own + found.files.findings)
            return CapsuleAudit(whole, contents, past, files, replace(found, files=files), [])
        files = integrity(past)
        files = replace(files, findings=own + files.findings)
        return CapsuleAudit(whole, contents, past, files, None, list(checks(past)))


def unpacked(whole: Whole, folder: Path) -> tuple[dict[str, Any], dict[str, tuple[str, int]]]:
    """The table of contents, and (SHA-256, bytes) of every member, all of them below a folder."""
    with whole.archive() as archive:
        text = read(whole, archive, INDEX)
        contents = index_in(text, whole.path)
        try:
            sizes = {name: each["bytes"] for name, each in contents["members"].items()}
        except (KeyError, TypeError):
            raise CapsuleRefused(
                f"{whole.path}: {INDEX}: members: expected bytes of each"
            ) from None
        digests = unpack(whole, archive, {**sizes, INDEX: len(text)}, folder)
    del digests[INDEX]
    return contents, {name: (digest, sizes[name]) for name, digest in digests.items()}


def index_in(text: bytes, path: Path) -> dict[str, Any]:
    """A table of contents of the expected shape."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    wrong = [
        name
        for name, kind in SHAPE.items()
        if not isinstance(found, dict) or type(found.get(name)) is not kind
    ]
    if wrong or found["kind"] not in (FULL, PUBLIC) or found["format"] != FORMAT:
        raise CapsuleRefused(
            f"{path}: {INDEX}: expected {', '.join(SHAPE)} of format {FORMAT}, found"
            f" {'no ' + wrong[0] if wrong else 'another kind or format'}"
        )
    return dict(found)


def past_run_in(directory: Path, path: Path, contents: dict[str, Any]) -> PastRun:
    """The run an unpacked capsule holds; the capsule's word stands for the database's."""
    try:
        manifest = read_manifest(directory / MANIFEST)
    except (CheckFailed, NewerWarehouse) as failure:
        told = str(failure).removeprefix(f"{directory}/")
        raise type(failure)(f"{path}: {told}") from None
    return PastRun(
        year=contents["round"],
        run_id=contents["run_id"],
        directory=directory,
        warehouse=directory,
        manifest=manifest,
        publication=Publication(manifests={contents["run_id"]: contents["manifest"]}),
        left_out=frozenset(left_out(contents["kind"], manifest)),
    )


def expected_index(kind: str, past: PastRun, members: dict[str, tuple[str, int]]) -> dict[str, Any]:
    """The table of contents that members and manifest come to."""
    try:
        return index(kind, past.year, past.manifest, members)
    except (KeyError, TypeError, AttributeError):
        raise CheckFailed(
            f"{MANIFEST}: feeds: expected files, rows and digests of each, found something else"
        ) from None


def other_index(contents: dict[str, Any], expected: dict[str, Any]) -> Iterator[Finding]:
    """Where the table of contents in the capsule tells something else."""
    for name in sorted(expected.keys() | contents.keys()):
        then, now = contents.get(name), expected.get(name)
        if then != now and name == "members":
            yield from other_members(contents["members"], expected["members"])
        elif then != now:
            yield Finding(
                INDEX, f"{name}: expected what the members come to, found another: edited"
            )


def odd_members(kind: str, members: dict[str, tuple[str, int]], past: PastRun) -> Iterator[Finding]:
    """Members that no capsule of this kind holds."""
    for name in sorted(members):
        top, _, below = name.partition("/")
        if name != LOCK and (top != RUN or not below):
            yield Finding(name, "expected no such file, found one no capsule holds")
        elif kind == PUBLIC and name != LOCK and not is_public(below):
            yield Finding(name, "expected no rows of people in a public capsule, found this file")
    lock = past.manifest["environment"].get("lock")
    if LOCK in members and members[LOCK][0] != lock:
        yield Finding(
            LOCK, f"expected sha256 {str(lock)[:SHORT]}, the lock of the run, found another"
        )


def other_members(then: dict[str, Any], now: dict[str, Any]) -> Iterator[Finding]:
    """Members that are not what the table of contents says."""
    for name, each in now.items():
        if then.get(name) != each:
            told = then[name].get("sha256") if isinstance(then.get(name), dict) else None
            found = each["sha256"]
            yield Finding(
                name, f"expected sha256 {str(told)[:SHORT]} by {INDEX}, found {found[:SHORT]}"
            )
