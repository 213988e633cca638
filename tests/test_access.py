"""Who may read what: the database as before, a run's page as the database, everything else its owner."""

import grp
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from flows.common.access import access_of, give
from flows.common.failures import NotPermitted
from flows.run.make_current import make_current
from flows.run.publish import require_readable
from flows.run.stages import Outcome

Published = tuple[Path, Outcome]
ROOT = os.geteuid() == 0
MEMBER, STRANGER, GROUP = 54321, 54322, 54320  # numbers nobody has
OPEN = (
    "import os, sys, duckdb; os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[3]));"
    " c = duckdb.connect(sys.argv[1], read_only=True);"
    " print(c.execute('SELECT count(*) FROM scores').fetchall()[0][0])"
)


@pytest.fixture
def warehouse(small_published: Published) -> Iterator[Path]:
    """A copy of the published warehouse, in folders anybody may go through: pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="test-access-") as outside:
        Path(outside).chmod(0o755)
        folder = Path(shutil.copytree(small_published[0], Path(outside) / "warehouse"))
        folder.chmod(0o755)
        yield folder


def modes(warehouse: Path) -> dict[str, int]:
    return {
        path.relative_to(warehouse).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in warehouse.rglob("*")
    }


READ_EACH = 'for file; do cat "$file" >/dev/null 2>&1 && echo "$file"; done; true'


def readable_by(user: int, group: int, paths: Iterable[Path]) -> set[Path]:
    """The files that another user, of one group, can read."""
    done = subprocess.run(
        ["sh", "-c", READ_EACH, "sh", *map(str, paths)], user=user, group=group, extra_groups=[],
        check=True, capture_output=True, text=True, cwd="/",
    )  # fmt: skip
    return set(map(Path, done.stdout.splitlines()))


def test_a_new_warehouse_is_read_by_its_group_and_shows_it_no_person(
    small_published: Published,
) -> None:
    warehouse, outcome = small_published
    assert stat.S_IMODE((warehouse / "luohu.duckdb").stat().st_mode) == 0o640
    run = f"runs/2020/{outcome.run_id}"
    shown = {f"{run}/report.html": 0o640, **dict.fromkeys(("runs", "runs/2020", run), 0o710)}
    for path, mode in modes(warehouse / "runs").items():
        name = f"runs/{path}"
        assert mode == shown.get(name, 0o700 if (warehouse / name).is_dir() else 0o600), name


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o660])
def test_the_database_keeps_its_mode_and_the_page_follows(
    mode: int, warehouse: Path, small_published: Published
) -> None:
    database = warehouse / "luohu.duckdb"
    database.chmod(mode)
    old = database.stat().st_ino
    make_current(2020, small_published[1].run_id, warehouse)
    assert database.stat().st_ino != old
    assert stat.S_IMODE(database.stat().st_mode) == mode
    run = warehouse / "runs" / "2020" / small_published[1].run_id
    assert stat.S_IMODE((run / "report.html").stat().st_mode) == mode & 0o644 | 0o600
    through = (0o010 if mode & 0o040 else 0) | (0o001 if mode & 0o004 else 0)
    for folder in (run.parent.parent, run.parent, run):
        assert folder.stat().st_mode & through == through
    assert all(mode & 0o077 == 0 for name, mode in modes(run).items() if name != "report.html")


@pytest.mark.skipif(not ROOT, reason="becoming another user needs root")
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_member_of_its_group_reads_database_and_page_and_nothing_else(
    umask: int, warehouse: Path, small_published: Published
) -> None:
    database = warehouse / "luohu.duckdb"
    os.chown(database, -1, GROUP)
    before = os.umask(umask)
    try:
        make_current(2020, small_published[1].run_id, warehouse)
    finally:
        os.umask(before)
    assert database.stat().st_gid == GROUP
    run = warehouse / "runs" / "2020" / small_published[1].run_id
    files = {database, *(path for path in run.rglob("*") if path.is_file())}
    assert len(files) > 20
    assert readable_by(MEMBER, GROUP, files) == {database, run / "report.html"}
    assert readable_by(STRANGER, STRANGER, files) == set()
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(database), str(GROUP), str(MEMBER)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == small_published[1].applications


@pytest.mark.skipif(not ROOT, reason="giving a file to a group needs root")
def test_a_group_that_could_not_be_kept_is_told_before_the_work(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(warehouse / "luohu.duckdb", -1, GROUP)
    require_readable(warehouse)
    monkeypatch.setattr(os, "geteuid", lambda: MEMBER)
    with pytest.raises(NotPermitted, match=f"found group {GROUP}: join it"):
        require_readable(warehouse)
    assert GROUP not in {each.gr_gid for each in grp.getgrall()}


def test_an_access_list_is_kept_with_the_mode_that_belongs_to_it(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for path in (old, new):
        path.write_bytes(b"")
    entries = [(1, 6, -1), (2, 4, MEMBER), (4, 0, -1), (16, 4, -1), (32, 0, -1)]
    acl = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little") + bits.to_bytes(2, "little") + (number & 0xFFFFFFFF).to_bytes(4, "little")
        for tag, bits, number in entries
    )  # fmt: skip
    try:
        os.setxattr(old, "system.posix_acl_access", acl)
    except OSError:
        pytest.skip("this file system has no access lists")
    give(new, access_of(old))
    assert os.getxattr(new, "system.posix_acl_access") == acl
    assert new.stat().st_mode == old.stat().st_mode
