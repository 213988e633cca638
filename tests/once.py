"""What several files of tests need is made once a suite: by the worker that comes first, for all of them.

Nobody changes it where it lies; who adds to a warehouse or spoils it takes a copy.
"""

import fcntl
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from flows.run.stages import Outcome

Made = TypeVar("Made")


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """What `make` leaves in a folder of the suite, and returns; whoever comes later waits for it."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # of all workers
    folder = root / f"once-{name}"
    with (root / f"once-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = root / f"once-{name}.pickle"
        if not kept.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of somebody who failed half-way
            folder.mkdir()
            content = pickle.dumps(make(folder))
            kept.write_bytes(content)
        found: Made = pickle.loads(kept.read_bytes())
    return found


def own_copy(warehouse: Path, folder: Path) -> Path:
    """A worker's own copy of a warehouse: commands keep what they worked out beside the runs."""
    return Path(shutil.copytree(warehouse, folder / "warehouse"))


def moved(outcome: Outcome, warehouse: Path) -> Outcome:
    """The outcome of a run, of a copy of its warehouse."""
    run = warehouse / "runs" / str(outcome.round) / outcome.run_id
    database = warehouse / Path(outcome.database).name
    return replace(outcome, directory=str(run), database=str(database))
