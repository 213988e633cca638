"""Work out a run directory's tables again: `python -m flows.run.recompute FOLDER`.

FOLDER holds `accepted/`, `pinned/policy/` and `pinned/rounds/YEAR.toml`, as a run directory does.
Scores, eligibility and ranking are written into it; where it also holds the run's `manifest.json` and
`restricted/`, so is every other table that follows from them.  The digest of the code that did it is
printed.  An audit and a comparison call the code of a run, however old, by this command line only: it
must not change.  Code from before there was a manifest to look for writes the three tables.
"""

import sys
from pathlib import Path
from typing import Any

from flows.common.failures import Failure, StageFailed
from flows.common.messages import message_without_values
from flows.kept.manifest import code_digest
from flows.kept.past_run import MANIFEST, pinned, read_manifest
from flows.run.score import publish_ranking, publish_results, publish_table, rank, score
from flows.run.tables import feed_counts, round_row
from transforms.policy import PolicyError
from transforms.rounds import rounds

FAILED, CANNOT = 2, 3  # exit status: a disk that is full; rows, policy, round and code do not fit


def recompute(folder: Path) -> None:
    """Write the tables of the one round pinned in a folder."""
    (year,) = rounds(folder / "pinned" / "rounds")
    with message_without_values("recomputing"):
        if (folder / MANIFEST).is_file():
            repeat(folder, year, read_manifest(folder / MANIFEST))
            return
        order = pinned(folder, year)
        publish_results(order, folder, with_evidence=False)
        publish_ranking(order, folder)


def repeat(folder: Path, year: int, manifest: dict[str, Any]) -> None:
    """Write every table of a run but its rejects, which follow from rows that are not kept."""
    order = pinned(folder, year, recheck=manifest["options"].get("recheck", True) is True)
    score(order, folder)
    line = rank(order, folder)
    publish_table(folder, "feeds", feed_counts(year, manifest))
    publish_table(folder, "rounds", round_row(order, folder, manifest["run_id"], line))


def main(folder: str) -> int:
    """The exit status; a foreseen failure is reported on stderr."""
    try:
        recompute(Path(folder))
    except (StageFailed, PolicyError) as failure:
        print(failure, file=sys.stderr)  # noqa: T201
        return CANNOT
    except Failure as failure:
        print(failure, file=sys.stderr)  # noqa: T201
        return FAILED
    print(code_digest())  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
