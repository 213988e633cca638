"""What a capsule holds, and its table of contents, `capsule.json`.

A full capsule holds the whole run directory and the lock: all that an auditor needs to repeat the
run.  Anyone who has it has the applicants' names and ID numbers.

A public one holds what is about nobody, and `public_list`, which is published by name in any case
(公示名单): rounds, feeds, segments, clauses, the report (counts and means), what the run pinned, the
lock and the manifest with its digests salted (`public_manifest`).  Every other table with a row a
person stays out, also where it names applications by number only: a number beside a total or a birth
date says who it is to whoever knows the person.  Of these files, and of the delivered ones, salted
digest and number of rows are kept: a plain one would show whether a guess of a small file is right.
Anyone who has the full capsule can make the public manifest again, and both kinds carry its digest.
What a later version adds to a run stays out until it is named here.
"""

from pathlib import PurePosixPath
from typing import Any

from flows.kept.past_run import MANIFEST
from flows.kept.salts import SALTED

INDEX = "capsule.json"
LOCK = "requirements.lock"
LEFT_OUT = "left_out"
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
    others = {
        name: each for name, each in outputs.items() if kind == PUBLIC and not is_public(name)
    }
    return {**others, **manifest.get(LEFT_OUT, {})}


def index(
    packed: dict[str, Any], year: int, manifest: dict[str, Any], members: dict[str, tuple[str, int]]
) -> dict[str, Any]:
    """The table of contents; most of it follows from the manifest in the capsule.

    `packed` is what does not: kind, format, the root over all receipts, and the digests of the run's
    manifest and of the public form of it.  `members` is name -> (SHA-256, bytes).
    """
    rows = {name: each["rows"] for name, each in manifest["outputs"].items()}
    return {
        **packed,
        "round": year,
        "run_id": manifest["run_id"],
        "code": manifest["code"],
        "lock": manifest["environment"].get("lock"),
        "policy": manifest["policy"],
        "round_file": manifest["round"],
        "codes": manifest["codes"],
        "delivered": {
            feed: {name: digest_and_rows(each) for name, each in counts["files"].items()}
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
        "left_out": left_out(packed["kind"], manifest),
    }


def digest_and_rows(file: dict[str, Any]) -> dict[str, Any]:
    """What is said of a delivered file: rows, and its digest, salted where it is public."""
    digest = SALTED if SALTED in file else "sha256"
    return {digest: file[digest], "rows": file["rows"]}
