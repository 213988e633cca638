"""The hashes of all receipts of a run, kept in the warehouse, so that a proof does not wait for them.

A proof that one receipt is under the root takes the hashes of all others, and they take a fifth of a
millisecond each to make.  So they are made once: by `luohu receipts`, by `luohu capsule`, or by the
first `luohu explain --json`.  The file is no part of the run: it may be removed at any time and is
made again.  It holds salted hashes only, and is for its owner all the same.  A warehouse that cannot
be written to has none.
"""

import contextlib
import hashlib
import json
from pathlib import Path

from flows.common.files import sha256, sha256_of, written_aside
from flows.explain.receipts.compose import FORMAT
from flows.explain.receipts.source import Source
from flows.kept.manifest import code_digest
from flows.kept.past_run import MANIFEST, runs_of

FOLDER = ".receipts"
SUFFIX = ".leaves"
HASH_BYTES = 32
RECEIPTS = "flows.explain.receipts.bulk"


def keep(warehouse: Path, run: Source, hashes: list[bytes]) -> None:
    """Keep the hashes in the warehouse, where it can be written to; remove those of runs that are gone."""
    body = b"".join(hashes)
    first = json.dumps({"leaves": len(hashes), "sha256": hashlib.sha256(body).hexdigest()})
    target = place(warehouse, run)
    with contextlib.suppress(OSError):
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with written_aside(target, private=True) as file:
            file.write(first.encode() + b"\n" + body)
        sweep(warehouse, target)


def kept(warehouse: Path, run: Source) -> list[bytes] | None:
    """The hashes as they were left, in the order of the tree; nothing where there are none, or other ones."""
    try:
        first, _, body = place(warehouse, run).read_bytes().partition(b"\n")
    except OSError:
        return None
    expected = {"leaves": len(body) // HASH_BYTES, "sha256": hashlib.sha256(body).hexdigest()}
    if first != json.dumps(expected).encode():
        return None
    return [body[at : at + HASH_BYTES] for at in range(0, len(body), HASH_BYTES)]


def place(warehouse: Path, run: Source) -> Path:
    """The file of a run's hashes; other code may make other receipts, so it has another file."""
    made_by = sha256_of([FORMAT, sha256(run.directory / MANIFEST), code_digest(RECEIPTS)])
    return warehouse / FOLDER / f"{run.run_id}-{made_by[:HASH_BYTES]}{SUFFIX}"


def sweep(warehouse: Path, but: Path) -> None:
    """Remove the files of other code, of runs that are gone, and what a killed command left."""
    runs = {name for year in runs_of(warehouse / "runs").values() for name in runs_of(year)}
    own = but.name.partition("-")[0]
    for path in but.parent.iterdir():
        run_id = path.name.partition("-")[0]
        if path != but and (run_id == own or run_id not in runs):
            path.unlink(missing_ok=True)
