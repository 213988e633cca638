"""Hold an unpacked capsule against itself: contents, members, manifest and lock say the same."""

import hashlib
from collections.abc import Iterator
from typing import Any

from flows.audit.capsule.contents import FULL, INDEX, LOCK, PUBLIC, RUN, index, is_public
from flows.audit.capsule.public_manifest import public_manifest
from flows.common.failures import CheckFailed
from flows.common.files import json_bytes
from flows.kept.integrity import Finding
from flows.kept.past_run import MANIFEST, PastRun
from flows.kept.run_files import SHORT
from flows.kept.salts import salts_of

AS_PACKED = ("format", "kind", "manifest", "public_manifest", "receipts")


def expected_index(
    contents: dict[str, Any], past: PastRun, members: dict[str, tuple[str, int]]
) -> dict[str, Any]:
    """The table of contents that members and manifest come to; the receipts root is made again later."""
    packed = {name: contents[name] for name in AS_PACKED if name in contents}
    own = members.get(f"{RUN}/{MANIFEST}", ("", 0))[0]
    try:
        if contents["format"] == 1 or contents["kind"] == FULL:
            packed["manifest"] = own
        if contents["format"] > 1:
            packed["public_manifest"] = own if contents["kind"] == PUBLIC else public_digest(past)
        return index(packed, past.year, past.manifest, members)
    except (KeyError, TypeError, AttributeError):
        raise CheckFailed(
            f"{MANIFEST}: feeds: expected files, rows and digests of each, found something else"
        ) from None


def public_digest(past: PastRun) -> str | None:
    """The digest of the manifest in the public capsule of a run; none where its people are not there."""
    try:
        made = public_manifest(past.manifest, salts_of(past.directory))
    except OSError:
        return None
    return hashlib.sha256(json_bytes(made)).hexdigest()


def other_index(contents: dict[str, Any], expected: dict[str, Any]) -> Iterator[Finding]:
    """Where the table of contents in the capsule says something else."""
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
            expected = then[name].get("sha256") if isinstance(then.get(name), dict) else None
            found = each["sha256"]
            yield Finding(
                name, f"expected sha256 {str(expected)[:SHORT]} by {INDEX}, found {found[:SHORT]}"
            )
