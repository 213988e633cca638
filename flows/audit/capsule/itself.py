"""Hold an unpacked capsule against itself: contents, members, manifest and lock tell the same."""

from collections.abc import Iterator
from typing import Any

from flows.audit.capsule.contents import INDEX, LOCK, PUBLIC, RUN, index, is_public
from flows.common.failures import CheckFailed
from flows.kept.integrity import SHORT, Finding
from flows.kept.past_run import MANIFEST, PastRun


def expected_index(
    contents: dict[str, Any], past: PastRun, members: dict[str, tuple[str, int]]
) -> dict[str, Any]:
    """The table of contents that members and manifest come to; the receipts root is made again later."""
    try:
        return index(contents["kind"], past.year, past.manifest, members, contents["receipts"])
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
