"""Killed at any moment, or two at a time: the publication is whole, and the next command cleans up."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from flows.common.private_folder import sweep
from flows.common.settings import DATA
from flows.kept.list_runs import kept_runs
from flows.kept.past_run import runs_of
from flows.kept.run_files import is_complete
from flows.run.publish import only_publisher
from flows.simulate import simulate

RUN = """
import sys
from pathlib import Path
from flows.common.settings import Order
from flows.run import ingest
from flows.run.stages import run
ingest.prove_validator = lambda: None  # as in the runs of this process: it is not the point
run(Order(2020, Path(sys.argv[1]), Path(sys.argv[2]), recheck=False))
"""
KILLS = [3, pytest.param(25, marks=pytest.mark.soak)]
PAIRS = [1, pytest.param(10, marks=pytest.mark.soak)]

Start = Callable[..., "subprocess.Popen[str]"]


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
def start(system: Path) -> Start:
    """Starts a run of a delivery into a warehouse, in a process of its own."""

    def started(feeds: Path, warehouse: Path, *before: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*before, sys.executable, "-c", RUN, str(feeds), str(warehouse)],
            env=os.environ | {"TMPDIR": str(system)},
            stderr=subprocess.PIPE,
            text=True,
        )

    return started


def succeeds(process: "subprocess.Popen[str]") -> bool:
    told = process.communicate(timeout=120)[1]
    return process.returncode == 0 or pytest.fail(told)


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
    kills: int, deliveries: list[Path], start: Start, system: Path, tmp_path: Path
) -> None:
    warehouse = tmp_path / "warehouse"
    began = time.monotonic()
    assert succeeds(start(deliveries[0], warehouse))
    whole = time.monotonic() - began
    chance = random.Random(kills)
    left = 0
    for number in range(kills):
        process = start(deliveries[(number + 1) % 2], warehouse)
        began = time.monotonic()
        with suppress(subprocess.TimeoutExpired):  # most of the first half is Python coming up
            process.wait(whole * chance.uniform(0.4, 1.0))
            whole = time.monotonic() - began  # the machine has less to do than before
        process.kill()
        process.communicate()
        left += (warehouse / ".work").exists()
        current = [each for each in kept_runs(warehouse) if each.state == "current"]
        assert [each.trouble for each in current] == [None]
        sweep(warehouse)
        nothing_left(warehouse, system)
    print(f"{kills} kills, {left} of them with something left for the next command")
    assert succeeds(start(deliveries[0], warehouse))
    nothing_left(warehouse, system)


@pytest.mark.parametrize("pairs", PAIRS)
def test_two_runs_at_a_time_in_namespaces_of_their_own_both_succeed(
    *,
    pairs: int,
    deliveries: list[Path],
    start: Start,
    system: Path,
    unshare: list[str],
    tmp_path: Path,
) -> None:
    """In turns the same run twice, and two runs of one round."""
    for number in range(pairs):
        warehouse = tmp_path / f"warehouse-{number}"
        both = [
            start(deliveries[(number + 1) * each % 2], warehouse, *unshare) for each in range(2)
        ]
        told = [process.communicate()[1] for process in both]
        assert [process.returncode for process in both] == [0, 0], told
        nothing_left(warehouse, system)
        assert len(runs_of(warehouse / "runs" / "2020")) == 1 + (number + 1) % 2


def test_who_publishes_waits_for_who_publishes(
    deliveries: list[Path], start: Start, tmp_path: Path
) -> None:
    warehouse = tmp_path / "warehouse"
    warehouse.mkdir()
    with only_publisher(warehouse):
        process = start(deliveries[0], warehouse)
        deadline = time.monotonic() + 60
        while not (warehouse / ".work").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
        assert not (warehouse / "luohu.duckdb").exists()
    assert succeeds(process)
