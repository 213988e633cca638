"""Audit a capsule: unpack it aside, hold it against itself, then repeat the run as in a warehouse.

Needs the file and an installed luohu, nothing else: no warehouse, no network, no Prefect.  Of a public
capsule, which holds no row to repeat the run from, what can be shown is checked: see `checks`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from flows.audit import Audit, audit_run
from flows.audit.capsule.container import FORMAT, Whole, opened
from flows.audit.capsule.contents import FULL, INDEX, PUBLIC, RUN, left_out
from flows.audit.capsule.itself import expected_index, odd_members, other_index
from flows.audit.capsule.public_checks import Check, checks
from flows.audit.capsule.unpack import read, unpack
from flows.common.failures import (
    BadUsage,
    CapsuleRefused,
    CheckFailed,
    Failure,
    NewerWarehouse,
    TooLarge,
)
from flows.common.messages import message_with_file, message_without_values
from flows.common.private_folder import private_folder
from flows.common.progress import report
from flows.explain.receipts.bulk import receipts_root
from flows.explain.receipts.compose import FORMAT as FORMAT_OF_RECEIPTS
from flows.kept.integrity import Finding, Integrity, integrity, is_other_code
from flows.kept.known_code import Trust
from flows.kept.limits import require_bounded
from flows.kept.past_run import MANIFEST, PastRun, Publication, read_manifest
from flows.kept.run_files import SHORT
from transforms.policy import PolicyError

FIRST_SHAPE: dict[str, type] = {
    **dict.fromkeys(("format", "round"), int),
    **dict.fromkeys(("kind", "run_id", "manifest"), str),
    **dict.fromkeys(("members", "left_out", "receipts"), dict),
}
SHAPES = {1: FIRST_SHAPE, 2: FIRST_SHAPE | {"public_manifest": str}}  # by format
OF_RECEIPTS: dict[str, type] = {"format": int, "receipts": int, "root": str}
ROOT = "receipts root"
SAME = "same"
NOT_COMPARED = "of another format, not made again"
AS_PACKED = "as packed: only a full capsule holds what it is made of"


@dataclass(frozen=True)
class CapsuleAudit:
    """All an audit of a capsule found; a full one was repeated, of a public one checks were made."""

    file: Whole
    contents: dict[str, Any]
    past: PastRun
    files: Integrity  # of the run's files, and how the capsule fits together
    repeated: Audit | None
    root_result: str  # whether the receipts come to the root again
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


def audit_capsule(path: Path, own_code: Trust | None = None) -> CapsuleAudit:
    """Verify a capsule; raises CapsuleRefused where it is damaged or of a later format."""
    with (
        message_without_values("audit"),
        message_with_file(),
        opened(path) as whole,
        private_folder() as folder,
    ):
        report("unpacking", 0, 1)
        contents, digests = unpacked(whole, folder)
        past = past_run_in(folder / RUN, path, contents)
        with named_as(path, past.directory):
            require_bounded(past.directory, past.manifest)
        expected = expected_index(contents, past, digests)
        own = [*other_index(contents, expected), *odd_members(contents["kind"], digests, past)]
        contents = expected  # from here on what the members come to, not what the capsule says
        if contents["kind"] == FULL:
            with named_as(path, past.directory):
                found = audit_run(past, own_code)
            of_receipts = root_again(past, contents["receipts"])
            of_root = [] if of_receipts in (SAME, NOT_COMPARED) else [Finding(ROOT, of_receipts)]
            files = replace(found.files, findings=own + found.files.findings + of_root)
            found = replace(found, files=files)
            return CapsuleAudit(whole, contents, past, files, found, of_receipts, [])
        if own_code:
            raise BadUsage(f"{path}: a public capsule holds no code: nothing to repeat it with")
        files = integrity(past)
        files = replace(files, findings=own + files.findings)
        made = list(checks(past, contents["receipts"]))
        return CapsuleAudit(whole, contents, past, files, None, AS_PACKED, made)


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
    format_ = found.get("format") if isinstance(found, dict) else None
    shape = SHAPES.get(format_ if type(format_) is int else FORMAT, SHAPES[FORMAT])
    wrong = [
        name
        for name, kind in shape.items()
        if not isinstance(found, dict) or type(found.get(name)) is not kind
    ]
    if not wrong and {name: type(each) for name, each in found["receipts"].items()} != OF_RECEIPTS:
        wrong = ["receipts"]
    if wrong or found["kind"] not in (FULL, PUBLIC) or found["format"] not in SHAPES:
        raise CapsuleRefused(
            f"{path}: {INDEX}: expected {', '.join(shape)} of format {FORMAT} or before, found"
            f" {wrong[0] + ' that is not' if wrong else 'another kind or format'}"
        )
    return dict(found)


def past_run_in(directory: Path, path: Path, contents: dict[str, Any]) -> PastRun:
    """The run an unpacked capsule holds; the capsule's word stands for the database's."""
    salted = contents["kind"] == PUBLIC and contents["format"] > 1
    with named_as(path, directory):
        manifest = read_manifest(directory / MANIFEST, public=salted)
    return PastRun(
        year=contents["round"],
        run_id=contents["run_id"],
        directory=directory,
        warehouse=directory,
        manifest=manifest,
        publication=Publication(
            manifests={contents["run_id"]: contents["public_manifest" if salted else "manifest"]}
        ),
        left_out=frozenset(left_out(contents["kind"], manifest)),
    )


@contextmanager
def named_as(path: Path, directory: Path) -> Iterator[None]:
    """Name the capsule in a message, not the folder it was unpacked to."""
    try:
        yield
    except (BadUsage, CheckFailed, NewerWarehouse, TooLarge) as failure:
        message = str(failure).replace(f"{directory}/", "")
        raise type(failure)(f"{path}: {message}") from None


def root_again(past: PastRun, packed: dict[str, Any]) -> str:
    """Make the receipts root again from the rows; says whether it is the one packed."""
    other_code, format_ = is_other_code(past.manifest), packed["format"]
    if format_ < FORMAT_OF_RECEIPTS or (other_code and format_ != FORMAT_OF_RECEIPTS):
        return NOT_COMPARED
    try:
        with message_without_values("receipts"):
            found = receipts_root(past)
    except (Failure, PolicyError) as failure:
        return f"cannot be made again: {failure}"
    except pl.exceptions.PanicException:
        return "cannot be made again: an input is damaged"
    if found == packed:
        return SAME
    expected, other = (
        f"{each['root'][:SHORT]} of {each['receipts']:,}, format {each['format']}"
        for each in (packed, found)
    )
    return f"expected {expected}, found {other}{': another code, or edited' * other_code}"
