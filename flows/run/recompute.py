"""Work out a run directory's scores, eligibility and ranking again: `python -m flows.run.recompute FOLDER`.

FOLDER holds `accepted/`, `pinned/policy/` and `pinned/rounds/YEAR.toml`, as a run directory does; the
three tables are written into it, and the digest of the code that did it is printed.  A comparison of
two runs calls the code of either, however old, by this command line only: it must not change.
"""

import sys
from pathlib import Path

from flows.common.failures import Failure, StageFailed
from flows.common.messages import told_without_values
from flows.common.settings import Order
from flows.kept.manifest import code_digest
from flows.run.score import publish_ranking, publish_results
from transforms.policy import PolicyError
from transforms.rounds import rounds

FAILED, CANNOT = 2, 3  # exit status: a disk that is full; rows, policy, round and code do not fit


def recompute(folder: Path) -> None:
    """Write scores, eligibility and ranking of the one round pinned in a folder."""
    pinned = folder / "pinned"
    (year,) = rounds(pinned / "rounds")
    order = Order(year, feeds=folder, warehouse=folder, data=pinned, recheck=False)
    with told_without_values("recomputing"):
        publish_results(order, folder, with_evidence=False)
        publish_ranking(order, folder)


def main(folder: str) -> int:
    """The exit status; a foreseen failure is told on stderr."""
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
