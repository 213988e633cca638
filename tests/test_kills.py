"""Killed at any moment, or two at a time: the publication is whole, and the next command cleans up.

A run is a process of its own, which a kill -9 ends.  It is forked off a process that has imported
what a run needs and did nothing else: so no kill falls into Python's coming up, which takes as long
as a small run and leaves nothing behind.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import duckdb
import pytest

from flows.common.private_folder import sweep
from flows.common.settings import DATA, Order
from flows.kept.list_runs import kept_runs
from flows.kept.past_run import runs_of
from flows.kept.run_files import is_complete
from flows.run import ingest, stages
from flows.run.publish import only_publisher
from flows.simulate import simulate

RUN = "import sys; from test_kills import run; run(*sys.argv[1:])"
FORKED = get_context("forkserver")
FORKED.set_forkserver_preload(["test_kills"])
KILLS = [3, pytest.param(25, marks=pytest.mark.soak)]
PAIRS = [1, pytest.param(10, marks=pytest.mark.soak)]

Start = Callable[[Path, Path], ForkServerProcess]


def run(feeds: str, warehouse: str, system: str, told: str) -> None:
    """A run of a delivery into a warehouse, in a process of its own; what it says goes to a file."""
    with Path(told).open("a", encoding="utf-8") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    tempfile.tempdir = system
    ingest.prove_validator = lambda: None  # as in the runs of this process: it is not the point
    stages.run(Order(2020, Path(feeds), Path(warehouse), recheck=False))


@pytest.fixture(scope="module")
def deliveries(small: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two small deliveries of one round."""
    other = tmp_path_factory.mktemp("other") / "feeds"
    simulate(2020, other, applicants=60, seed=2, dirty=0.0, data=DATA)
    return [small, other]


@pytest.fixture
def system(tmp_path: Path) -> Path:
    folder = tmp_path / "system"
    folder.mkdir()
    return folder


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """What the runs say."""
    return tmp_path / "told.txt"


@pytest.fixture
def start(system: Path, told: Path) -> Start:
    """Starts a run of a delivery into a warehouse, in a process of its own."""

    def started(feeds: Path, warehouse: Path) -> ForkServerProcess:
        given = map(str, (feeds, warehouse, system, told))
        process = FORKED.Process(target=run, args=tuple(given))
        process.start()
        return process

    return started


def succeeds(process: ForkServerProcess, told: Path) -> bool:
    process.join(120)
    return process.exitcode == 0 or pytest.fail(told.read_text(encoding="utf-8"))


def nothing_left(warehouse: Path, system: Path) -> None:
    """Only runs, each complete, the database, which opens, and the lock."""
    assert {path.name for path in warehouse.iterdir()} == {
        "luohu.duckdb",
        ".publishing.lock",
        "runs",
    }
    for year in (warehouse / "runs").iterdir():
        for run in year.iterdir():
            assert is_complete(run), run
    assert not list(system.iterdir())
    with duckdb.connect(str(warehouse / "luohu.duckdb"), read_only=True) as database:
        shown = database.execute("SELECT run_id, applications FROM rounds").fetchall()
        scored = database.execute("SELECT count(*) FROM scores").fetchall()[0][0]
    assert [each[1] for each in shown] == [scored]
    assert shown[0][0] in runs_of(warehouse / "runs" / "2020")


@pytest.mark.parametrize("kills", KILLS)
def test_after_a_kill_the_publication_is_whole_and_the_next_command_leaves_nothing(
    *, kills: int, deliveries: list[Path], start: Start, told: Path, system: Path, tmp_path: Path
) -> None:
    warehouse = tmp_path / "warehouse"
    assert succeeds(start(deliveries[1], warehouse), told)  # the first one waits for the imports
    began = time.monotonic()
    assert succeeds(start(deliveries[0], warehouse), told)
    whole = time.monotonic() - began
    chance = random.Random(kills)
    left = 0
    for number in range(kills):
        process = start(deliveries[(number + 1) % 2], warehouse)
        began = time.monotonic()
        process.join(whole * chance.uniform(0.1, 1.0))
        if process.exitcode is not None:
            whole = time.monotonic() - began  # the machine has less to do than before
        process.kill()
        process.join()
        left += (warehouse / ".work").exists()
        current = [each for each in kept_runs(warehouse) if each.state == "current"]
        assert [each.trouble for each in current] == [None]
        sweep(warehouse)
        nothing_left(warehouse, system)
    print(f"{kills} kills, {left} of them with something left for the next command")
    assert succeeds(start(deliveries[0], warehouse), told)
    nothing_left(warehouse, system)


@pytest.mark.slow
@pytest.mark.parametrize("pairs", PAIRS)
def test_two_runs_at_a_time_in_namespaces_of_their_own_both_succeed(
    *,
    pairs: int,
    deliveries: list[Path],
    told: Path,
    system: Path,
    unshare: list[str],
    tmp_path: Path,
) -> None:
    """In turns the same run twice, and two runs of one round."""
    for number in range(pairs):
        warehouse = tmp_path / f"warehouse-{number}"
        both = [
            subprocess.Popen(
                [*unshare, sys.executable, "-c", RUN, deliveries[(number + 1) * each % 2],
                 warehouse, system, told],
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
            )
            for each in range(2)
        ]  # fmt: skip
        statuses = [process.wait() for process in both]
        assert statuses == [0, 0], told.read_text(encoding="utf-8")
        nothing_left(warehouse, system)
        assert len(runs_of(warehouse / "runs" / "2020")) == 1 + (number + 1) % 2


def test_who_publishes_waits_for_who_publishes(
    deliveries: list[Path], start: Start, told: Path, tmp_path: Path
) -> None:
    warehouse = tmp_path / "warehouse"
    warehouse.mkdir()
    with only_publisher(warehouse):
        process = start(deliveries[0], warehouse)
        deadline = time.monotonic() + 60
        while not (warehouse / ".work").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.join(3)
        assert process.exitcode is None
        assert not (warehouse / "luohu.duckdb").exists()
    assert succeeds(process, told)
