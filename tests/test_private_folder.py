"""Temporary files: private, locked while their command lives, removed by the next one when it is dead."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from flows.common import private_folder as module
from flows.common.failures import PublicationFailed
from flows.common.files import without_name, written_aside
from flows.common.private_folder import IN_SYSTEM, WORK, locked, private_folder, sweep

WORKER = """
import sys, time
from pathlib import Path
from flows.common.private_folder import private_folder
with private_folder(Path(sys.argv[1]) if sys.argv[1] else None) as folder:
    (folder / "people.csv").write_text("somebody")
    print(folder, flush=True)
    time.sleep(60)
"""
WRITER = """
import sys, time
from pathlib import Path
from flows.common.files import written_aside
with written_aside(Path(sys.argv[1]), private=True) as file:
    file.write(b"somebody"); file.flush()
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files of this test's own, also for the processes it starts."""
    folder = tmp_path / "system"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    folder = tmp_path / "warehouse"
    folder.mkdir()
    return folder


def started(code: str, argument: object, *before: str) -> tuple[subprocess.Popen[str], str]:
    """A process that works until it is killed, and the line it printed."""
    process = subprocess.Popen(
        [*before, sys.executable, "-c", code, str(argument)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    with process.stdout:
        return process, process.stdout.readline().strip()


def below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("inside", [True, False], ids=["warehouse", "system"])
def test_a_living_folder_is_left_and_a_dead_one_is_swept(
    inside: bool, warehouse: Path, system: Path
) -> None:
    process, told = started(WORKER, warehouse if inside else "")
    folder = Path(told)
    assert folder.is_relative_to(warehouse / WORK if inside else system)
    for path in (folder, *folder.parents[:2], folder / "people.csv"):
        if path != system:
            assert path.stat().st_mode & 0o077 == 0, path
    sweep(warehouse)
    with private_folder(warehouse):
        assert (folder / "people.csv").exists()
    process.kill()
    process.wait()
    assert (folder / "people.csv").exists()
    sweep(warehouse)
    assert not below(warehouse)
    assert not below(system)


def test_two_namespaces_of_process_ids_know_each_other_by_the_lock(
    warehouse: Path, unshare: list[str]
) -> None:
    pair = [started(WORKER, warehouse, *unshare) for _ in range(2)]
    assert len({told for _, told in pair}) == 2
    sweep(warehouse)
    assert all(Path(told, "people.csv").exists() for _, told in pair)
    for process, _ in pair:
        process.kill()
        process.wait()
    for _ in range(50):  # what it started dies a moment after `unshare` itself
        sweep(warehouse)
        if not below(warehouse):
            break
        time.sleep(0.1)
    assert not below(warehouse)


def test_a_folder_without_a_lock_yet_belongs_to_who_locks_first(warehouse: Path) -> None:
    folder = warehouse / WORK / "0123456789abcdef"
    folder.mkdir(parents=True)
    handle = locked(folder / "lock")
    assert handle is not None
    sweep(warehouse)
    assert folder.exists()
    os.close(handle)
    sweep(warehouse)
    assert not folder.exists()
    assert locked(folder / "lock") is None  # its maker comes too late, and makes another


def test_a_maker_whose_folder_is_swept_at_once_makes_another(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept = []

    def beaten(path: Path, *, create: bool = True) -> int | None:
        if not swept:
            swept.append(path.parent)
            module.remove_if_free(path.parent)
        return locked(path, create=create)

    monkeypatch.setattr(module, "locked", beaten)
    with private_folder(warehouse) as folder:
        assert folder.exists()
        assert folder.parent != swept[0]


def test_nothing_but_our_own_is_swept(warehouse: Path, system: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "files").mkdir(parents=True)
    name = f"{IN_SYSTEM}0123456789abcdef"
    (system / name).symlink_to(other)
    (system / f"{IN_SYSTEM}of-somebody").mkdir()
    (system / f"{IN_SYSTEM}audit-abcdefgh").mkdir()  # of an earlier version, perhaps alive
    dead = system / f"{IN_SYSTEM}diff-abcdefgh"
    old = system / f"{IN_SYSTEM}audit-of-somebody"
    for each in (dead, old):
        each.mkdir()
        os.utime(each, (0, 0))
    (warehouse / "runs" / ".work-2020-1").mkdir(parents=True)
    (warehouse / WORK / "of-somebody").mkdir(parents=True)
    sweep(warehouse)
    with private_folder(warehouse):
        pass
    assert (other / "files").exists()
    assert (warehouse / WORK / "of-somebody").exists()
    assert {path.name for path in system.iterdir()} == {
        name,
        old.name,
        f"{IN_SYSTEM}of-somebody",
        f"{IN_SYSTEM}audit-abcdefgh",
    }
    assert (warehouse / "runs" / ".work-2020-1").exists()
    os.utime(warehouse / "runs" / ".work-2020-1", (0, 0))
    sweep(warehouse)
    assert not (warehouse / "runs" / ".work-2020-1").exists()


def test_a_warehouse_nobody_can_write_to_is_left_alone(warehouse: Path, system: Path) -> None:
    warehouse.chmod(0o555)
    with private_folder(warehouse) as folder:
        assert folder.is_relative_to(system)
    warehouse.chmod(0o755)
    assert not below(system)


def test_where_no_disk_takes_a_file_reading_goes_on_and_writing_is_told(
    monkeypatch: pytest.MonkeyPatch, warehouse: Path
) -> None:
    """A full disk with all there is on it: the system has no folder for temporary files then."""

    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    sweep(warehouse)
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: none())
    with (
        pytest.raises(
            PublicationFailed, match="expected room and locks for temporary files in /tmp"
        ),
        private_folder(),
    ):
        pytest.fail("there is no such folder")


@pytest.mark.parametrize("named", [False, True])
def test_a_killed_writer_leaves_nothing_for_ever(
    named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a file can stay without a name nothing is left, elsewhere the next writer removes it."""
    target = tmp_path / "out" / "receipts.jsonl"
    target.parent.mkdir()
    code = WRITER
    if named:
        code = "import os; del os.O_TMPFILE\n" + WRITER
    elif without_name(target.parent, 0o600) is None:
        pytest.skip("this file system has no files without a name")
    process, _ = started(code, target)
    assert len(below(target.parent)) == named
    assert all(path.stat().st_mode & 0o077 == 0 for path in target.parent.iterdir())
    if named:
        monkeypatch.delattr(os, "O_TMPFILE")
    with written_aside(target, private=True) as file:  # it lives, and is left
        file.write(b"mine")
    assert len(below(target.parent)) == 1 + named
    process.kill()
    process.wait()
    with written_aside(target, private=False) as file:
        file.write(b"again")
    assert below(target.parent) == ["receipts.jsonl"]
    assert target.read_bytes() == b"again"


def test_a_writer_that_fails_leaves_the_target_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "moved.csv"
    target.write_bytes(b"before")

    def fail() -> None:
        with written_aside(target, private=True) as file:
            file.write(b"half")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fail()
    assert target.read_bytes() == b"before"
    assert below(tmp_path) == ["moved.csv", "system"]


def test_what_is_on_record_about_people_is_for_its_owner_only(tmp_path: Path) -> None:
    for private, mode in ((True, 0o600), (False, 0o644)):
        with written_aside(tmp_path / "out", private=private) as file:
            file.write(b"1")
        assert (tmp_path / "out").stat().st_mode & 0o777 == mode & ~umask()


def umask() -> int:
    before = os.umask(0o077)
    os.umask(before)
    return before


def test_links_in_a_folder_are_removed_and_not_followed(warehouse: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("kept")
    with private_folder(warehouse) as folder:
        (folder / "link").symlink_to(kept)
        (folder.parent / "link").symlink_to(kept)
    assert (kept / "file").exists()
    assert not below(warehouse)
    shutil.rmtree(warehouse)


SPILLING = """
import stat, sys, threading, time
from contextlib import suppress
from pathlib import Path
import polars as pl
from flows.common.private_folder import private_folder
pl.LazyFrame({"a": [2, 1]}).sort("a").collect(engine="streaming")  # polars has read its settings
seen = set()
with private_folder(Path(sys.argv[1])) as folder:
    spill = folder.parent / "spill"
    def modes():  # polars takes away files and folders it has read again, also while one walks them
        for path in spill.rglob("*"):
            with suppress(FileNotFoundError):
                yield path.stat().st_mode
    def watch():
        while folder.exists():
            with suppress(FileNotFoundError):
                seen.update(oct(mode & 0o077) for mode in modes() if stat.S_ISREG(mode))
            time.sleep(0.005)
    threading.Thread(target=watch, daemon=True).start()
    rows = pl.LazyFrame({"a": pl.int_range(2_000_000, eager=True).shuffle(1)})
    rows.with_columns(b=pl.col("a").cast(pl.String)).sort("b").collect(engine="streaming")
print(seen)
"""


def test_rows_that_memory_cannot_hold_are_put_there_too(warehouse: Path) -> None:
    """polars would put them into /var/tmp, for all to read, and a kill would leave them there."""
    done = subprocess.run(
        [sys.executable, "-c", SPILLING, str(warehouse)],
        env=os.environ | {"POLARS_OOC_MEMORY_BUDGET_MB": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("{'0o0'}\n", "")
    assert not below(warehouse)
