"""What a capsule holds, and its table of contents, `capsule.json`.

A full capsule holds the whole run directory and the lock: all that an auditor needs to repeat the
run.  Whoever has it has the applicants' names and ID numbers.

A public one holds what is about nobody, and `public_list`, which is published by name in any case
(公示名单): rounds, feeds, segments, clauses, the report (counts and means), what the run pinned, the
lock and the manifest.  Every other table with a row a person stays out, also where it names
applications by number only: a number beside a total or a birth date says who it is to whoever knows
the person.  Of these files SHA-256 and number of rows are kept.  A digest tells whether a guess of a
whole file is right: where a feed has a handful of rows, that is a guess somebody could make.  What a
later version adds to a run stays out until it is named here.
"""

from pathlib import Path, PurePosixPath
from typing import Any

from flows.audit.capsule.container import FORMAT
from flows.kept.past_run import MANIFEST

INDEX = "capsule.json"
LOCK = "requirements.lock"
RUN = "run"  # the folder of the run directory's files
FULL, PUBLIC = "full", "public"
PUBLIC_FILES = {
    MANIFEST,
    "report.html",
    "clauses.parquet",
    "feeds.parquet",
    "public_list.parquet",
    "rounds.parquet",
    "segments.parquet",
}
PUBLIC_FOLDERS = {"pinned"}


def is_public(name: str) -> bool:
    """Whether a file of a run directory holds nothing about a person but what is published by law."""
    return name in PUBLIC_FILES or PurePosixPath(name).parts[0] in PUBLIC_FOLDERS


def left_out(kind: str, manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The outputs of a run that a kind of capsule does not hold, with digest and rows."""
    outputs: dict[str, dict[str, Any]] = manifest["outputs"]
    return {name: each for name, each in outputs.items() if kind == PUBLIC and not is_public(name)}


def index(
    kind: str,
    year: int,
    manifest: dict[str, Any],
    members: dict[str, tuple[str, int]],
    receipts: dict[str, Any],
) -> dict[str, Any]:
    """The table of contents; most of it follows from the manifest.

    `members` is name -> (SHA-256, bytes), `receipts` the root over the receipts of all applicants.
    """
    rows = {name: each["rows"] for name, each in manifest["outputs"].items()}
    return {
        "format": FORMAT,
        "kind": kind,
        "round": year,
        "run_id": manifest["run_id"],
        "manifest": members[f"{RUN}/{MANIFEST}"][0],
        "code": manifest["code"],
        "lock": manifest["environment"].get("lock"),
        "policy": manifest["policy"],
        "round_file": manifest["round"],
        "codes": manifest["codes"],
        "receipts": receipts,
        "delivered": {
            feed: {
                name: {"sha256": each["sha256"], "rows": each["rows"]}
                for name, each in counts["files"].items()
            }
            for feed, counts in manifest["feeds"].items()
        },
        "members": {
            name: {
                "sha256": digest,
                "bytes": size,
                "rows": rows.get(name.removeprefix(f"{RUN}/")),
            }
            for name, (digest, size) in members.items()
        },
        "left_out": left_out(kind, manifest),
    }


def files_of(directory: Path) -> dict[str, Path]:
    """The files of a run directory by name."""
    return {
        path.relative_to(directory).as_posix(): path
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
