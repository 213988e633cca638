"""A database that is in use, empty, not permitted, damaged or newer: each is told apart, none is harmed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from newer import written_by_a_newer_duckdb
from typer.testing import CliRunner

from flows.audit import audit
from flows.cli import app
from flows.common.database import open_read_only
from flows.common.failures import NotPermitted
from flows.common.files import sha256
from flows.run.make_current import make_current
from flows.run.publish import require_readable
from flows.run.stages import Outcome

Published = tuple[Path, Outcome]
WRITER = """
import duckdb, sys, time
database = duckdb.connect(sys.argv[1])
database.execute("PRAGMA disable_checkpoint_on_shutdown")
database.execute("UPDATE rounds SET quota = 1")
print("open", flush=True)
time.sleep(60)
"""


@pytest.fixture
def warehouse(small_published: Published, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_published[0], tmp_path / "warehouse"))


@pytest.fixture
def writer(warehouse: Path) -> Iterator[subprocess.Popen[str]]:
    """Somebody who has the database open for writing, and has written."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(warehouse / "luohu.duckdb")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with process.stdout:
        assert process.stdout.readline() == "open\n"
    yield process
    process.kill()
    process.wait()


def luohu(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    return done.exit_code, done.stdout, done.stderr


def commands(warehouse: Path, run_id: str, small: Path) -> list[tuple[object, ...]]:
    """What opens the database, one command a way of opening it."""
    given = ("--warehouse", warehouse)
    return [
        ("run", 2020, "--feeds", small, "--direct", "--no-recheck", "--keep", *given),
        ("explain", 2020, "1", *given),
        ("runs", *given),
        ("current", 2020, run_id, *given),
    ]


def emptied(database: Path) -> None:
    database.write_bytes(b"")


def cut_in_half(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 2)


def no_database(database: Path) -> None:
    database.write_bytes(b"not a database")


# what became of the database -> what every command says of it
SPOILT: dict[Callable[[Path], object], str] = {
    emptied: "expected a database, found an empty file: move it away, then `luohu current",
    cut_in_half: "expected a database, found a file DuckDB cannot read, damaged",
    no_database: "expected a database, found a file DuckDB cannot read, damaged",
    written_by_a_newer_duckdb: "written by a newer version",
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_database_that_cannot_be_read_is_told_and_left_alone(
    spoil: Callable[[Path], object], warehouse: Path, small_published: Published, small: Path
) -> None:
    database = warehouse / "luohu.duckdb"
    spoil(database)
    before = sha256(database)
    for command in commands(warehouse, small_published[1].run_id, small):
        status, stdout, stderr = luohu(*command)
        assert stdout == ""
        assert status == 2
        assert SPOILT[spoil].split(":")[0] in stderr
        assert "Traceback" not in stderr
    assert sha256(database) == before
    assert not [path for path in warehouse.iterdir() if path.name == ".work"]


def test_one_that_is_in_use_is_told_as_that_and_nobody_is_told_to_move_it(
    warehouse: Path, writer: subprocess.Popen[str], small_published: Published, small: Path
) -> None:
    database = warehouse / "luohu.duckdb"
    wal = warehouse / "luohu.duckdb.wal"
    before = sha256(database)
    for command in commands(warehouse, small_published[1].run_id, small):
        status, stdout, stderr = luohu(*command)
        assert (status, stdout, len(stderr.splitlines())) == (2, "", 1)
        assert f"luohu: {database}: expected nobody to write to it, found it open" in stderr
        assert f"PID {writer.pid}" in stderr
        assert "move it away" not in stderr
        assert "damaged" in stderr.partition("not damaged")[1]
    assert sha256(database) == before
    assert wal.exists()
    assert writer.poll() is None


@pytest.mark.parametrize("kind", ["of_a_killed_writer", "of_another_database", "of_nothing"])
def test_a_wal_that_somebody_left_is_read_past_and_the_next_run_removes_it(
    kind: str, warehouse: Path, small_published: Published, request: pytest.FixtureRequest
) -> None:
    wal = warehouse / "luohu.duckdb.wal"
    if kind == "of_nothing":
        wal.write_bytes(b"")
    else:
        process = request.getfixturevalue("writer")
        process.kill()
        process.wait()
        if kind == "of_another_database":
            make_current_without(wal, warehouse, small_published[1].run_id)
            with pytest.raises(duckdb.Error):  # this is what an analyst sees
                duckdb.connect(str(warehouse / "luohu.duckdb"), read_only=True)
    with open_read_only(warehouse) as database:
        assert database.execute("SELECT quota FROM rounds").fetchall() == [(6000,)]
    assert audit(2020, warehouse).passed
    assert wal.exists()
    make_current(2020, small_published[1].run_id, warehouse)
    assert not wal.exists()
    with duckdb.connect(str(warehouse / "luohu.duckdb"), read_only=True) as database:
        assert database.execute("SELECT quota FROM rounds").fetchall() == [(6000,)]


def make_current_without(wal: Path, warehouse: Path, run_id: str) -> None:
    """Another database file beside the same `.wal`."""
    kept = wal.rename(wal.with_name("kept"))
    make_current(2020, run_id, warehouse)
    kept.rename(wal)


def test_one_that_is_not_permitted_is_told_as_that(
    warehouse: Path, small_published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = warehouse / "luohu.duckdb"
    if os.geteuid() != 0:
        database.chmod(0)
    else:  # root may read everything
        access = os.access
        monkeypatch.setattr(os, "access", lambda path, how: path != database and access(path, how))
    with pytest.raises(NotPermitted, match=r"expected a database this user may read, .* mode 0"):
        require_readable(warehouse)
    with pytest.raises(NotPermitted, match="ask its owner"):
        audit(2020, warehouse)
    status, _, stderr = luohu("current", 2020, small_published[1].run_id, "--warehouse", warehouse)
    assert (status, len(stderr.splitlines())) == (2, 1)
    assert "move it away" not in stderr
