"""Buckets on workers of Dask give the bytes of one process, whoever is killed; or a named error, and nothing is published."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import deadly
import polars as pl
import psutil
import pytest
from commands import here, other_code
from planted import ID, NAME, planted
from test_prefect import free_port

from flows.audit import audit
from flows.common.failures import BadUsage, CheckFailed, FeedRefused, WorkersRefused
from flows.common.files import sha256
from flows.common.private_folder import KEPT_FOR, kept_folder, sweep
from flows.common.progress import watched
from flows.common.settings import DATA, HOME, Order
from flows.explain.receipts.bulk import write_receipts
from flows.orchestration import bucket_tasks, cluster, inspection
from flows.orchestration.dask_address import require_safe
from flows.orchestration.inspection import trouble_with
from flows.orchestration.prefect_run import run_it
from flows.orchestration.server import embedded_server
from flows.orchestration.work_place import Workers
from flows.run import screening
from flows.run.buckets import exchange_elsewhere, how_many
from flows.run.buckets.done_once import Asked, do_once, read_note
from flows.run.buckets.store import ATTEMPTS, RECORDS, is_whole, keep, lend, where
from flows.run.buckets.tasks import Task, done_by
from flows.run.stages import Outcome, ingest_stage, run

BUCKETS = 2  # a task costs as much as a test does
GIGABYTE = 1 << 30
soak = pytest.mark.soak
server_test = pytest.mark.server


class Place(NamedTuple):
    """A server of Prefect's, a scheduler of Dask's with two workers, and a folder of accidents."""

    home: Path
    scheduler: str
    accidents: Path


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Started once: both are seconds of a core."""
    from distributed import LocalCluster
    from prefect.settings import PREFECT_API_URL, temporary_settings

    folder = tmp_path_factory.mktemp("standing")
    (accidents := folder / "accidents").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(folder / "home"))
        patch.setenv(deadly.FOLDER, str(accidents))
        patch.setenv("POLARS_MAX_THREADS", "1")
        cluster.ours.settle()
        with (
            temporary_settings({PREFECT_API_URL: embedded_server()}),
            LocalCluster(
                n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0",
                memory_limit=GIGABYTE, local_directory=str(folder / "dask"), silence_logs=False,
            ) as dask,
        ):  # fmt: skip
            yield Place(folder / "home", dask.scheduler_address, accidents)


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory, small: Path) -> Path:
    """A delivery in any order and several files, with somebody's name and number all over it."""
    folder = Path(shutil.copytree(small, tmp_path_factory.mktemp("delivered") / "feeds"))
    (path,) = (folder / "social_insurance").iterdir()
    rows = pl.read_parquet(path).sample(fraction=1, shuffle=True, seed=3)
    path.unlink()
    third = rows.height // 3
    rows[:third].write_parquet(folder / "social_insurance" / "a.parquet")
    rows[:0].write_csv(folder / "social_insurance" / "b.csv")
    rows[third : 2 * third].write_csv(folder / "social_insurance" / "c.csv")
    pl.concat([rows[2 * third :], rows[5:8]]).write_parquet(
        folder / "social_insurance" / "d.parquet"
    )
    return folder


@pytest.fixture(scope="module")
def alone(feeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The same by one process."""
    with in_buckets(feeds):
        return run(order_of(feeds, tmp_path_factory.mktemp("alone")))


def order_of(feeds: Path, warehouse: Path, **more: Any) -> Order:
    return Order(2020, feeds, warehouse, max_rejects="1", **more)


@contextmanager
def in_buckets(feeds: Path) -> Iterator[None]:
    rows = sum(map(how_many.rows_of, how_many.folder_of(feeds, "applications").parts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(how_many, "APPLICATIONS_A_BUCKET", -(-rows // BUCKETS))
        yield


def on(workers: Workers, order: Order) -> Outcome:
    with in_buckets(order.feeds):
        return run_it(order, workers)


def files(outcome: Outcome) -> dict[str, str]:
    folder = Path(outcome.directory)
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in paths}


def kept(warehouse: Path) -> list[Path]:
    return sorted((warehouse / ".work").glob("2020-*"))


def notes(warehouse: Path) -> dict[str, int]:
    """What was done, and when it was noted."""
    return {
        path.name: path.stat().st_mtime_ns
        for place in kept(warehouse)
        for path in (place / "stays" / RECORDS).glob("*.json")
    }


@pytest.fixture(scope="module", autouse=True)
def can_fail() -> Iterator[None]:
    """Let stages be those that accidents happen to, and feeds take several tasks."""
    with pytest.MonkeyPatch.context() as patch:
        for stage, (module, name) in deadly.STAGES.items():
            patch.setattr(module, name, deadly.DEADLY[stage])
        patch.setattr(exchange_elsewhere, "BYTES_A_TASK", 30_000)
        yield


def accidents(standing: Place, *names: str, **poison: str) -> None:
    """Put accidents in the way of stages; poison is for a bucket."""
    for left in standing.accidents.iterdir():
        left.unlink()
    for name in names:
        (standing.accidents / name).touch()
    for stage, what in poison.items():
        (standing.accidents / f"{stage}.poison").write_text(what, encoding="utf-8")


# --- the same bytes ---


class ByWorkers(NamedTuple):
    """A run on workers: what it came to, its progress, and the states that mere waits would have given."""

    outcome: Outcome
    said: list[tuple[str, int, int]]
    waited: list[str]


@pytest.fixture(scope="module")
def by_workers(standing: Place, feeds: Path, tmp_path_factory: pytest.TempPathFactory) -> ByWorkers:
    """A run of which one worker is killed, and another finds the disk full once."""
    found = ByWorkers(None, [], [])  # type: ignore[arg-type]
    careful = bucket_tasks.result

    def careless(future: Any, tried: Any) -> Any:
        future.wait()
        found.waited.append(str(future.state.type.value))
        return careful(future, tried)

    accidents(standing, "accept.kill.0", "accept.full.0")
    order = order_of(feeds, tmp_path_factory.mktemp("workers"))
    with (
        pytest.MonkeyPatch.context() as patch,
        watched(lambda *step: found.said.append(step)),
    ):
        patch.setattr(bucket_tasks, "result", careless)
        outcome = on(Workers(address=standing.scheduler), order)
    assert not [*standing.accidents.iterdir()]
    return found._replace(outcome=outcome)


@server_test
def test_the_same_bytes_as_one_process(by_workers: ByWorkers, alone: Outcome) -> None:
    outcome, said, _ = by_workers
    assert files(outcome) == files(alone)
    warehouse = Path(outcome.database).parent
    assert not (warehouse / ".work").exists()
    for stage in ("buckets accepted", "buckets scored", "buckets ranked", "buckets rechecked"):
        assert [each[1:] for each in said if each[0] == stage] == [
            (done, BUCKETS) for done in range(BUCKETS + 1)
        ]


@server_test
def test_prefect_shows_stages_by_bucket(by_workers: ByWorkers, standing: Place) -> None:
    def shown() -> list[str]:
        with sqlite3.connect(standing.home / "prefect.db") as database:
            rows = database.execute("SELECT name FROM task_run WHERE state_name = 'Completed'")
            return [each[0].partition(", try")[0] for each in rows]

    end = time.monotonic() + 30
    wanted = {
        f"{verb} bucket {number} of {BUCKETS}"
        for verb in ("accept", "score", "rank", "recheck")
        for number in range(1, BUCKETS + 1)
    }
    while not wanted <= set(shown()):
        assert time.monotonic() < end, wanted - set(shown())
        time.sleep(0.2)
    insured = [each for each in shown() if each.startswith("exchange social_insurance, files ")]
    assert len(insured) > 1
    assert "exchange tax, its file" in shown()


@server_test
def test_audit_receipts_diff_and_explain_read_it_like_any_other(
    by_workers: ByWorkers, alone: Outcome, tmp_path: Path
) -> None:
    outcome = by_workers.outcome
    warehouses = [Path(each.database).parent for each in (outcome, alone)]
    assert audit(2020, warehouses[0]).passed
    for number, warehouse in enumerate(warehouses):
        write_receipts(warehouse, 2020, tmp_path / f"{number}.jsonl")
    assert sha256(tmp_path / "0.jsonl") == sha256(tmp_path / "1.jsonl")
    some = pl.read_parquet(Path(outcome.directory) / "scores.parquet")["application_no"][0]
    said = [here("explain", 2020, some, "--warehouse", each) for each in warehouses]
    assert said[0].returncode == 0
    assert said[0].stdout == said[1].stdout


# --- a worker is killed ---


@soak
@server_test
@pytest.mark.parametrize("stage", deadly.STAGES)
def test_a_killed_worker_changes_nothing(
    stage: str, standing: Place, feeds: Path, alone: Outcome, tmp_path: Path
) -> None:
    accidents(standing, f"{stage}.kill.0")
    outcome = on(Workers(address=standing.scheduler), order_of(feeds, tmp_path))
    assert not [*standing.accidents.iterdir()]
    assert files(outcome) == files(alone)


POISON = {
    "full": "No space left on device; nothing was published",
    "kill": "its worker died, of too little memory perhaps; nothing was published",
    "greedy": "its worker died, of too little memory perhaps; nothing was published",
}


@server_test
@pytest.mark.parametrize(
    ("stage", "how"),
    [
        ("score", "full"),
        pytest.param("accept", "kill", marks=soak),
        pytest.param("recheck", "greedy", marks=soak),
    ],
)
def test_a_bucket_that_fails_three_times_is_named_and_the_next_run_takes_up_what_is_done(
    stage: str, how: str, standing: Place, alone: Outcome, tmp_path: Path, capsys: Any, feeds: Path
) -> None:  # fmt: skip
    person = pl.read_parquet(next((feeds / "applications").iterdir()))["person_id"][0]
    accidents(standing, **{stage: f"{how} {person}"})
    order = order_of(feeds, tmp_path)
    with pytest.raises(CheckFailed) as failure:
        on(Workers(address=standing.scheduler), order)
    message = str(failure.value)
    assert message.startswith(f"{stage} bucket ")
    assert f" of {BUCKETS} failed 3 times, the last time: " in message
    assert "nothing was published" in message
    assert message.endswith(POISON[how].partition(";")[2]) or POISON[how] in message
    assert person not in message
    assert "the same command goes on from there" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {".work"}
    (place,) = kept(tmp_path)
    assert {path.stat().st_mode & 0o077 for path in (place, *place.rglob("*"))} == {0}
    sweep(tmp_path)  # as the next command does
    before = notes(tmp_path)
    assert len(before) > len(deadly.STAGES)
    accidents(standing)
    outcome, again = resumed(order, standing)
    assert before.items() <= again.items()  # not done again
    assert files(outcome) == files(alone)
    assert not (tmp_path / ".work").exists()


def resumed(order: Order, standing: Place) -> tuple[Outcome, dict[str, int]]:
    """The same run again, and the notes it had when it came to publish."""
    again: dict[str, int] = {}

    def look(stage: str, _done: int, _of: int) -> None:
        if stage == "publish":
            again.update(notes(order.warehouse))

    with watched(look):
        return on(Workers(address=standing.scheduler), order), again


@server_test
def test_a_wait_without_a_result_would_not_have_told(by_workers: ByWorkers, alone: Outcome) -> None:
    """A future whose worker was killed ends a wait without a word: who sums then draws a wrong line."""
    assert "FAILED" in by_workers.waited  # the disk that was full
    assert {*by_workers.waited} - {"COMPLETED", "FAILED"}  # the worker that was killed, neither
    assert by_workers.outcome.line == alone.line


# --- no worker at all: what is told before one is asked ---


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--workers", "2", "--direct"], "--direct: expected neither"),
        (["--workers", "2", "--dask", "tcp://127.0.0.1:1"], "expected one of them"),
        (["--insecure-dask"], "expected --dask ADDRESS"),
        (["--dask", "tcp://10.0.0.1:8786"], "--insecure-dask"),
        (["--dask", "tcp://dask.example:8786"], "--insecure-dask"),
        (["--dask", "tls://10.0.0.1:8786"], "expected certificates"),
        (["--dask", "10.0.0.1"], "expected tcp://HOST:PORT or tls://HOST:PORT"),
        (["--dask", "http://127.0.0.1:80/x"], "expected tcp://HOST:PORT or tls://HOST:PORT"),
        (["--dask", ""], "expected tcp://HOST:PORT or tls://HOST:PORT"),
        (["--dask", "tcp://127.0.0.1:1\n"], "expected tcp://HOST:PORT or tls://HOST:PORT"),
        (["--dask", "tcp://127.0.0.1:1?x=1"], "expected tcp://HOST:PORT or tls://HOST:PORT"),
    ],
)
def test_options_that_cannot_be_used(
    options: list[str], words: str, small: Path, tmp_path: Path
) -> None:
    done = here("run", 2020, "--feeds", small, "--warehouse", tmp_path / "w", *options)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert words in line
    assert not (tmp_path / "w").exists()


@soak
def test_commands_without_workers_do_not_import_dask() -> None:
    code = (
        "import sys, flows.orchestration.prefect_run, flows.cli.run;"
        "print([each for each in ('dask', 'distributed', 'prefect_dask') if each in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HOME
    )
    assert done.stdout.strip() == "[]"


# --- the store ---


def counted(folder: Path, text: str) -> dict[str, int]:
    (folder / "left.txt").write_text(text, encoding="utf-8")
    (folder / "tries").mkdir()
    return {"letters": len(text)}


def test_what_is_there_and_whole_is_not_done_again(tmp_path: Path) -> None:
    asked = Asked("count", counted, ("abc",), {}, lambda text: text)
    done = do_once(asked, tmp_path)
    (lies,) = [path for path in (tmp_path / "content").rglob("*") if path.is_file()]
    at = lies.stat().st_mtime_ns
    assert do_once(asked, tmp_path) == done
    assert done.counts == {"letters": 3}
    assert lies.stat().st_mtime_ns == at
    other = do_once(Asked("count", counted, ("abcd",), {}, lambda text: text), tmp_path)
    assert other.path != done.path
    lies.chmod(0o600)
    lies.write_text("ab", encoding="utf-8")  # spoilt, as by a disk
    assert not is_whole(tmp_path, lies.name)
    lies.unlink()
    assert do_once(asked, tmp_path) == done
    assert lies.read_text(encoding="utf-8") == "abc"
    assert not [*(tmp_path / ATTEMPTS).iterdir()]


def test_a_file_is_kept_once_and_stays_where_it_is(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("somebody", encoding="utf-8")
    digests = {keep(tmp_path / "store", tmp_path / name) for name in ("a", "b")}
    (digest,) = digests
    assert where(tmp_path / "store", digest).read_text(encoding="utf-8") == "somebody"
    assert (tmp_path / "a").exists()
    assert len([path for path in (tmp_path / "store").rglob("*") if path.is_file()]) == 1


def test_what_was_spoilt_in_the_store_is_replaced_when_it_is_made_again(tmp_path: Path) -> None:
    """Without that the same command ends the same way each time, or goes on from spoilt rows."""
    store = tmp_path / "store"
    (made := tmp_path / "made").write_text("somebody", encoding="utf-8")
    digest = keep(store, made)
    for spoilt in (b"", b"somebodx"):
        where(store, digest).unlink()
        where(store, digest).write_bytes(spoilt)
        assert not is_whole(store, digest)
        assert keep(store, made) == digest
        assert is_whole(store, digest)


# --- who is killed, from outside ---

GO = """
import sys
from flows.cli import app
from flows.run.buckets import exchange_elsewhere, how_many

if __name__ == "__main__":
    how_many.APPLICATIONS_A_BUCKET = int(sys.argv.pop(1))
    exchange_elsewhere.BYTES_A_TASK = 30_000
    app()
"""


def begun(folder: Path, feeds: Path, *options: object, **env: str) -> "subprocess.Popen[str]":
    """The command in a process of its own, with buckets that small, its messages in a file."""
    (folder / "go.py").write_text(GO, encoding="utf-8")
    rows = sum(map(how_many.rows_of, how_many.folder_of(feeds, "applications").parts))
    given = ["run", "2020", "--feeds", feeds, "--warehouse", folder / "w", "--max-rejects", "1"]
    with (folder / "said.txt").open("w") as said:
        return subprocess.Popen(
            [sys.executable, folder / "go.py", *map(str, [-(-rows // BUCKETS), *given, *options])],
            env=os.environ | {"PYTHONPATH": str(HOME), "PREFECT_HOME": str(folder / "home"), "PREFECT_API_URL": ""} | env,
            stdout=said, stderr=said, text=True, cwd=folder, start_new_session=True,
        )  # fmt: skip


def said(folder: Path) -> str:
    return (folder / "said.txt").read_text()


def outcome_of(folder: Path) -> dict[str, str]:
    (directory,) = (path for path in (folder / "w" / "runs" / "2020").iterdir() if path.is_dir())
    paths = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {path.relative_to(directory).as_posix(): sha256(path) for path in paths}


def wait_for(condition: Callable[[], Any], what: str, patience: float = 150) -> Any:
    end = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.02)
    return found


def family(folder: Path) -> list[psutil.Process]:
    """Processes of a run: they work in its folder."""
    found = []
    for process in psutil.process_iter(["cwd"]):
        if process.info["cwd"] == str(folder):
            found.append(process)
    return found


@soak
@server_test
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_workers_of_the_command_give_the_same_bytes(
    workers: int, feeds: Path, alone: Outcome, tmp_path: Path
) -> None:
    process = begun(tmp_path, feeds, "--workers", workers)
    assert process.wait(400) == 0, said(tmp_path)
    assert f"luohu: {workers} worker" in said(tmp_path)
    assert "http://127.0.0.1:" in said(tmp_path)
    assert outcome_of(tmp_path) == files(alone)
    assert not (tmp_path / "w" / ".work").exists()
    wait_for(lambda: not family(tmp_path), "all processes to end")


@soak
@server_test
def test_another_order_and_split_of_the_rows(
    feeds: Path, alone: Outcome, standing: Place, tmp_path: Path
) -> None:
    """What files and row numbers say excepted, and what they name."""
    other = Path(shutil.copytree(feeds, tmp_path / "feeds"))
    parts = sorted((other / "social_insurance").iterdir())
    rows = pl.concat(
        pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, schema=pl.read_parquet_schema(parts[0]))
        for path in parts
    )  # fmt: skip
    for path in parts:
        path.unlink()
    rows.sample(fraction=1, shuffle=True, seed=8).write_parquet(
        other / "social_insurance" / "one.parquet"
    )
    accidents(standing)
    outcome = on(Workers(address=standing.scheduler), order_of(other, tmp_path / "w"))
    moves = {"manifest.json", "rejects.parquet", "feeds.parquet", "rounds.parquet", "report.html"}
    mine, theirs = files(outcome), files(alone)
    differs = {name for name in mine if mine[name] != theirs.get(name)}
    assert {name for name in differs if name.endswith(".parquet") and "/" not in name} <= moves


@soak
@server_test
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_stopped_is_taken_up_again(
    how: signal.Signals, standing: Place, feeds: Path, alone: Outcome, tmp_path: Path
) -> None:
    process = begun(tmp_path, feeds, "--workers", 2)
    wait_for(
        lambda: len(notes(tmp_path / "w")) > 4 or process.poll() is not None, "some of it done"
    )
    assert process.poll() is None, said(tmp_path)
    process.send_signal(how)
    assert process.wait(60) == (-9 if how == signal.SIGKILL else 2)
    wait_for(lambda: not family(tmp_path), "all processes to end")
    (place,) = kept(tmp_path / "w")
    assert {path.stat().st_mode & 0o077 for path in (place, *place.rglob("*"))} == {0}
    assert not (tmp_path / "w" / "luohu.duckdb").exists()
    if how == signal.SIGINT:
        assert said(tmp_path).splitlines()[-2:] == [
            "luohu: what its workers did is kept for a week: the same command goes on from there",
            "luohu: stopped; nothing was published",
        ]
    before = notes(tmp_path / "w")
    assert len(before) > 4
    again: dict[str, int] = {}
    process = begun(tmp_path, feeds, "--workers", 1)
    while process.poll() is None:
        again |= notes(tmp_path / "w")
        time.sleep(0.05)
    assert process.returncode == 0, said(tmp_path)
    assert before.items() <= again.items()
    assert outcome_of(tmp_path) == files(alone)
    assert not (tmp_path / "w" / ".work").exists()


def test_what_nobody_takes_up_is_removed_in_the_end(tmp_path: Path) -> None:
    name = "2020-0123456789abcdef"

    def work(how: Exception, look: Callable[[Path, Path], object]) -> None:
        with kept_folder(tmp_path, name, (FeedRefused,)) as (files, stays):
            look(files, stays)
            raise how

    def failing(how: Exception, look: Callable[[Path, Path], object] = lambda *_: None) -> None:
        with pytest.raises(type(how)):
            work(how, look)

    def first(_files: Path, stays: Path) -> None:
        (stays / "people").write_text("somebody")
        with kept_folder(tmp_path, name, (FeedRefused,)) as (_, others):
            assert not [*others.iterdir()]  # at once: a place of its own

    def second(files: Path, stays: Path) -> None:
        assert (stays / "people").read_text() == "somebody"
        assert not [*files.iterdir()]

    failing(CheckFailed(""), first)
    sweep(tmp_path)
    (place,) = kept(tmp_path)
    failing(FeedRefused(""), second)
    assert not (tmp_path / ".work").exists()
    failing(CheckFailed(""))
    assert not (tmp_path / ".work").exists()  # nothing to take up
    failing(CheckFailed(""), first)
    old = time.time() - KEPT_FOR - 60
    os.utime(place / "lock", (old, old))
    sweep(tmp_path)
    assert not (tmp_path / ".work").exists()
    failing(CheckFailed(""), first)
    with kept_folder(tmp_path, "2020-fedcba9876543210", (FeedRefused,)):
        pass  # a run of the round that ended well
    assert not (tmp_path / ".work").exists()


@contextmanager
def scheduler(folder: Path, *options: str) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """A scheduler in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--no-dashboard", *options], cwd=folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": f"{HOME}{os.pathsep}{HOME / 'tests'}"},
    )  # fmt: skip
    try:
        yield process, f"{'tls' if options else 'tcp'}://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(30)


@contextmanager
def worker(
    folder: Path, address: str, code: Path = HOME, *options: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker of some code."""
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1"]
    process = subprocess.Popen(
        [*command, "--no-nanny", "--no-dashboard", "--local-directory", str(folder), *options],
        cwd=code, env=os.environ | {"PYTHONPATH": f"{code}{os.pathsep}{HOME / 'tests'}"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


@soak
@server_test
def test_a_scheduler_that_is_killed_ends_in_a_named_error_and_the_next_run_goes_on(
    standing: Place, feeds: Path, alone: Outcome, tmp_path: Path
) -> None:
    order = order_of(feeds, tmp_path / "w")
    accidents(standing)

    def kill(stage: str, done: int, _of: int) -> None:
        if stage == "buckets accepted" and done == 1 and process.poll() is None:
            process.kill()

    with (
        scheduler(tmp_path) as (process, address),
        worker(tmp_path, address),
        watched(kill),
        pytest.raises(WorkersRefused, match="scheduler and its workers to stay"),
    ):
        on(Workers(address=address), order)
    assert not (order.warehouse / "luohu.duckdb").exists()
    before = notes(order.warehouse)
    assert before
    outcome, again = resumed(order, standing)
    assert before.items() <= again.items()
    assert files(outcome) == files(alone)


@soak
@server_test
@pytest.mark.parametrize(
    ("edit", "options", "words"),
    [
        (("flows/run/buckets/accept.py", "validate", "validate"), (), "expected the same code, found another"),
        (None, ("--nthreads", "2"), "expected one thread (--nthreads 1), found 2"),
    ],
)  # fmt: skip
def test_a_worker_that_will_not_do_is_refused_by_name(
    edit: Any, options: tuple[str, ...], words: str, standing: Place, feeds: Path, tmp_path: Path
) -> None:
    code = HOME
    if edit:
        code = other_code(tmp_path)
        (code / edit[0]).write_text((code / edit[0]).read_text() + "\n# another\n")
    with (
        scheduler(tmp_path) as (_, address),
        worker(tmp_path, address, code, "--name", "westside", *options),
        pytest.raises(WorkersRefused) as failure,
    ):
        on(Workers(address=address), order_of(feeds, tmp_path / "w"))
    (line,) = str(failure.value).splitlines()
    assert line.startswith("worker westside at tcp://127.0.0.1:")
    assert line.endswith(words)
    assert not (tmp_path / "w" / "luohu.duckdb").exists()


def test_a_port_that_takes_a_call_and_says_nothing_is_no_scheduler(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster, "ANSWERS_WITHIN", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with (
            pytest.raises(WorkersRefused, match="expected a scheduler of Dask, found none"),
            cluster.standing(address),
        ):
            pass


class Certificate(NamedTuple):
    """Files in PEM: an authority, which is the certificate itself, and the key."""

    authority: Path
    certificate: Path
    key: Path

    @classmethod
    def made(cls, folder: Path) -> "Certificate":
        """A new one that nobody else trusts."""
        from distributed import Security

        temporary = Security.temporary()
        folder.mkdir()
        found = cls(*(folder / f"{name}.pem" for name in cls._fields))
        texts = (temporary.tls_ca_file, temporary.tls_client_cert, temporary.tls_client_key)
        for path, text in zip(found, texts, strict=True):
            path.write_text(text)
        return found

    def options(self) -> list[str]:
        """As a scheduler and a worker are told of them."""
        names = ("--tls-ca-file", "--tls-cert", "--tls-key")
        return [str(each) for pair in zip(names, self, strict=True) for each in pair]

    def settings(self) -> dict[str, str]:
        """As the run is told of them."""
        names = ("ca-file", "client.cert", "client.key")
        return {f"distributed.comm.tls.{n}": str(each) for n, each in zip(names, self, strict=True)}


def test_certificates_that_are_none_are_refused_by_name(tmp_path: Path) -> None:
    import dask

    mine, other = Certificate.made(tmp_path / "mine"), Certificate.made(tmp_path / "other")
    gone = tmp_path / "gone.pem"
    for files_, words in (
        (mine._replace(key=gone), rf"client\.key: expected a file, found none: {gone}"),
        (mine._replace(key=other.key), "the key that fits it"),
        (mine._replace(authority=mine.key), "expected an authority"),
    ):
        with dask.config.set(files_.settings()), pytest.raises(BadUsage, match=words):
            require_safe("tls://127.0.0.1:1", insecure=False)
    with dask.config.set(mine.settings()):
        require_safe("tls://127.0.0.1:1", insecure=False)
    with pytest.raises(BadUsage, match=r"found none for distributed\.comm\.tls\.ca-file"):
        require_safe("tls://127.0.0.1:1", insecure=False)


@soak
@server_test
def test_certificates_let_in_who_has_them_and_nobody_else(
    standing: Place, feeds: Path, alone: Outcome, tmp_path: Path
) -> None:
    import dask

    mine, other = Certificate.made(tmp_path / "mine"), Certificate.made(tmp_path / "other")
    accidents(standing)
    order = order_of(feeds, tmp_path / "w")
    tls = ("--protocol", "tls", *mine.options())
    with (
        scheduler(tmp_path, *tls) as (_, address),
        worker(tmp_path, address, HOME, *mine.options()),
    ):
        for stranger in (other, other._replace(authority=mine.authority)):
            with (
                dask.config.set(stranger.settings()),
                pytest.raises(WorkersRefused, match="none that"),
            ):
                on(Workers(address=address), order)
        with dask.config.set(mine.settings()):
            outcome = on(Workers(address=address), order)
    assert files(outcome) == files(alone)


@soak
def test_a_suspended_worker_is_refused_by_name(
    feeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "ANSWER_WITHIN", 5)
    monkeypatch.setattr(inspection, "ALONE_WITHIN", 2)
    with (
        scheduler(tmp_path) as (_, address),
        worker(tmp_path, address, HOME, "--name", "westside") as process,
        cluster.standing(address) as runner,
    ):
        wait_for(lambda: runner.client.scheduler_info()["workers"], "the worker")
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(WorkersRefused, match=r"worker westside at .* found none"):
            inspection.require_alike(runner.client, "http://127.0.0.1:9", tmp_path, feeds, DATA)
        assert not [*tmp_path.glob("token-*")]


@soak
@server_test
def test_names_and_numbers_stay_out_of_prefect_and_dask(
    standing: Place, delivery: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    feeds = Path(shutil.copytree(delivery, tmp_path / "feeds"))
    planted(feeds)
    accidents(standing, "accept.full.0")
    on(Workers(address=standing.scheduler), order_of(feeds, tmp_path / "w"))
    from distributed import Client

    with Client(standing.scheduler) as client:
        logs = str(client.get_worker_logs()) + str(client.get_scheduler_logs())
        logs += str(client.run_on_scheduler(lambda dask_scheduler: [*dask_scheduler.tasks]))
    told = "".join(capfd.readouterr())
    for path in standing.home.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert ID.encode() not in data, path
        assert NAME.encode() not in data, path
    for text in (logs, told):
        assert ID not in text
        assert NAME not in text


# --- what other processes are asked, done in this one ---


def by_digest(store: Path) -> Callable[[str, Any], list[Any]]:
    """Does tasks as a worker would, files passing through the store."""

    def do(_stage: str, tasks: list[Task]) -> list[Any]:
        found = []
        for task in tasks:
            inputs = {
                path.relative_to(task.folder).as_posix(): keep(store, path)
                for pattern in task.takes
                for path in task.folder.glob(pattern)
            }
            done = do_once(Asked(task.title, task.function, task.given, inputs, task.reads), store)
            for name, digest in read_note(Path(done.path))["files"].items():
                lend(where(store, digest), task.folder / name)
            found.append(done.counts)
        return found

    return do


def test_feeds_are_refused_by_workers_in_the_words_of_one_process(
    feeds: Path, tmp_path: Path
) -> None:
    spoilt = Path(shutil.copytree(feeds, tmp_path / "feeds"))
    (spoilt / "social_insurance" / "c.csv").write_bytes(b"person_id,month\n1,2\n")
    (spoilt / "social_insurance" / "d.parquet").write_bytes(b"PAR1 and no more")
    (tax,) = (spoilt / "tax").iterdir()
    pl.read_parquet(tax).with_columns(person_id=pl.lit("1")).write_parquet(tax)
    said = refusals(spoilt, tmp_path)
    assert said[0] == said[1]
    assert "social_insurance" in said[0]


def refusals(feeds: Path, tmp_path: Path) -> list[str]:
    """What one process says of a delivery in buckets, and what others do."""
    said = []
    for name in ("once", "elsewhere"):
        (work := tmp_path / name).mkdir()
        with in_buckets(feeds), ExitStack() as held:
            if name == "elsewhere":
                held.enter_context(done_by(by_digest(tmp_path / "store")))
            with pytest.raises(FeedRefused) as failure:
                ingest_stage(Order(2020, feeds, tmp_path), work)
        said.append(str(failure.value))
    return said


def test_more_rows_than_can_be_counted_are_refused(
    feeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positions of 32 bits would begin again at 0; each task counts its own files only."""
    rows = sum(
        len((pl.read_csv if path.suffix == ".csv" else pl.read_parquet)(path))
        for path in (feeds / "social_insurance").iterdir()
    )
    monkeypatch.setattr(screening, "MOST_POSITIONS", rows - 1)
    words = f"social_insurance (社保): expected at most {rows - 1:,} rows, found more"
    assert set(refusals(feeds, tmp_path)) == {words}


@pytest.mark.slow
def test_a_delivery_that_changed_is_read_again(feeds: Path, tmp_path: Path) -> None:
    """The notes of the delivery before are no use, whatever its files are called and weigh."""
    other = Path(shutil.copytree(feeds, tmp_path / "feeds"))
    works = [tmp_path / name for name in ("first", "second", "alone")]
    for number, work in enumerate(works):
        work.mkdir()
        with in_buckets(other), ExitStack() as held:
            if number < 2:
                held.enter_context(done_by(by_digest(tmp_path / "store")))
            ingest_stage(Order(2020, other, tmp_path, max_rejects="1"), work)
        if number == 0:
            path = other / "social_insurance" / "c.csv"
            text = path.read_text(encoding="utf-8")
            assert text.count(",110105,")
            changed = text.replace(",110105,", ",110106,")
            path.write_text(changed, encoding="utf-8")
    tables = [sha256(work / "accepted" / "social_insurance.parquet") for work in works]
    assert tables[0] != tables[1] == tables[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"folder": "nothing there"}, "expected to see the folder the run works in, found nothing there"),
        ({"delivery": "0" * 64}, "expected to see the delivery as the run does, found another"),
        ({"polars": "1.0.0"}, "expected polars 2, found 1.0.0"),
        ({"server": "no answer"}, "expected to reach Prefect's server, found no answer"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_worker_is_said(found: dict[str, str], words: str) -> None:
    mine = {
        "folder": "1" * 64,
        "code": "2",
        "delivery": "3",
        "polars": "2",
        "server": "an answer",
    }
    assert not trouble_with(mine, mine, 1)
    assert trouble_with(mine | found, mine, 1) == words
    assert trouble_with(ImportError("somebody"), mine, 1).endswith("(ImportError)")
