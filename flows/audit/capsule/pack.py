"""Pack a run into one file, after its files were held against its manifest and the database."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.audit.capsule.container import FORMAT, Member, Whole, opened, write
from flows.audit.capsule.contents import FULL, INDEX, LOCK, PUBLIC, RUN, index, is_public
from flows.audit.capsule.contents import left_out as left_out_of
from flows.audit.capsule.public_manifest import public_manifest
from flows.common.database import DATABASE
from flows.common.failures import BadUsage
from flows.common.files import json_bytes, sha256
from flows.common.messages import message_with_file, message_without_values
from flows.common.progress import report
from flows.common.settings import HOME
from flows.explain.receipts.bulk import receipts_root
from flows.kept.integrity import integrity, require_untouched
from flows.kept.manifest import FILE_NAMES
from flows.kept.past_run import MANIFEST, PastRun, past_run
from flows.kept.salts import salts_of

STEPS = 3


@dataclass(frozen=True)
class Packed:
    """What was packed, and what a public capsule leaves out."""

    file: Whole
    past: PastRun
    kind: str
    receipts: dict[str, Any]
    public_manifest: str  # its digest
    members: int
    left_out: list[str]
    notes: list[str]


def pack(
    year: int, warehouse: Path, out: Path, run_id: str | None = None, *, public: bool = False
) -> Packed:
    """Write the capsule of a run; raises CheckFailed where the run is not as it was published."""
    if os.path.lexists(out):
        raise BadUsage(f"--out: expected a new file, found {out}: remove it, or name another")
    with message_with_file():
        past = past_run(warehouse, year, run_id)
        report("files against the manifest", 0, STEPS)
        found = integrity(past)
    require_untouched(past, found, "packed")
    with message_without_values("receipts"):
        receipts = receipts_root(past, kept=True)
    report("packing", 1, STEPS)
    kind = PUBLIC if public else FULL
    names = [
        name for name in found.digests if name != FILE_NAMES and (not public or is_public(name))
    ]
    own = {
        name: Member(f"{RUN}/{name}", past.directory / name, found.digests[name]) for name in names
    }
    for_all = public_manifest(past.manifest, salts_of(past.directory))
    manifest = for_all if public else past.manifest
    shown = Member.of_bytes(f"{RUN}/{MANIFEST}", json_bytes(for_all))
    members = list((own | {MANIFEST: shown} if public else own).values())
    notes = [each for each in found.notes if each.startswith(DATABASE)]
    members += lock(past, notes)
    listed = {each.name: (each.sha256 or "", each.size) for each in members}
    packed = {
        "format": FORMAT,
        "kind": kind,
        "manifest": found.digests[MANIFEST],
        "public_manifest": shown.sha256,
        "receipts": receipts,
    }
    contents = Member(INDEX, json_bytes(index(packed, year, manifest, listed)))
    try:
        write(out, [*members, contents], private=not public)
        report("reading it back", 2, STEPS)
        with opened(out) as whole:
            pass
    except OSError as error:
        raise BadUsage(f"cannot write {out}: {error.strerror}; nothing was left there") from None
    report("done", STEPS, STEPS)
    left_out = sorted(left_out_of(kind, manifest))
    return Packed(whole, past, kind, receipts, str(shown.sha256), len(members), left_out, notes)


def lock(past: PastRun, notes: list[str]) -> Iterator[Member]:
    """The lock the run was made with, where this machine has it; otherwise only its digest is packed."""
    path, digest = HOME / LOCK, past.manifest["environment"].get("lock")
    if path.is_file() and sha256(path) == digest:
        yield Member(LOCK, path, digest)
    else:
        notes.append(f"{LOCK}: not the run's on this machine: packed by digest only")
