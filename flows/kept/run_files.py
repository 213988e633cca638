"""Which files a run directory holds: those its manifest names, each with its digest, and few besides."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from flows.common.failures import CheckFailed
from flows.common.files import sha256
from flows.kept import pinned_code
from flows.kept.manifest import FILE_NAMES, round_digest
from flows.kept.past_run import MANIFEST, read_manifest
from flows.kept.run_id import run_id_of
from transforms.policy import PolicyError

REPORT = "report.html"
CODE = f"pinned/{pinned_code.NAME}"
SHORT = 16
BESIDE = {MANIFEST, REPORT, FILE_NAMES}  # what the manifest need not name


def is_complete(directory: Path) -> bool:
    """Whether a run directory is named by what it was made from and holds every file of it."""
    try:
        manifest = read_manifest(directory / MANIFEST)
    except (CheckFailed, OSError):
        return False
    found, expected = digests_of(directory), expected_digests(manifest)
    return (
        run_id_of(manifest) == manifest["run_id"] == directory.name
        and expected.items() <= found.items()
        and found.keys() <= expected.keys() | BESIDE
    )


def digests_of(directory: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder."""
    return {
        path.relative_to(directory).as_posix(): sha256(path)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def odd_rounds(directory: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Pinned round files that say something else than what names the run; by format 2 the file did."""
    for name, named in manifest["round"].items():
        if f"rounds/{name}" in manifest.get("pinned", {}):
            path = directory / "pinned" / "rounds" / name
            with suppress(PolicyError):
                if round_digest(path) == named:
                    continue
            yield f"pinned/rounds/{name}"


def expected_digests(manifest: dict[str, Any]) -> dict[str, str]:
    """File -> SHA-256, as the manifest has it."""
    return {
        **{name: str(each["sha256"]) for name, each in manifest["outputs"].items()},
        **{f"pinned/policy/{name}": str(digest) for name, digest in manifest["policy"].items()},
        **{f"pinned/rounds/{name}": str(digest) for name, digest in manifest["round"].items()},
        **{f"pinned/{name}": str(digest) for name, digest in manifest.get("pinned", {}).items()},
        **({REPORT: str(manifest["report"])} if "report" in manifest else {}),
    }
