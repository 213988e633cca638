"""Runs are kept, listed, made current again; a run that looks like a mistake replaces nothing."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest
from commands import edited
from once import moved, own_copy
from typer.testing import CliRunner

from flows.audit import audit
from flows.cli import app
from flows.common.failures import BadUsage, CheckFailed, NotFound, RunRefused
from flows.common.files import sha256
from flows.common.settings import DATA, Order
from flows.kept import list_runs
from flows.kept.integrity import database as database_shows
from flows.kept.list_runs import kept_runs
from flows.kept.past_run import past_run
from flows.kept.run_files import is_complete
from flows.kept.tables import FORMER_NAMES
from flows.run import stages
from flows.run.make_current import make_current
from flows.run.publish import publish
from flows.run.stages import Outcome, run
from schemas.results import TABLES, columns_of

Published = tuple[Path, Outcome]
SIXTH = 6


@pytest.fixture
def copied(small: Path, tmp_path: Path) -> Path:
    """A copy of the delivery to spoil."""
    return Path(shutil.copytree(small, tmp_path / "feeds"))


@pytest.fixture(scope="module")
def other_policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = Path(shutil.copytree(DATA, tmp_path_factory.mktemp("policy") / "data"))
    edited(data / "policy" / "age.toml", "\nvalue = 45\n", "\nvalue = 43\n")
    return data


@pytest.fixture(scope="module")
def two(
    small: Path,
    small_published: Published,
    other_policy: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Outcome, Outcome]:
    """A warehouse with the published run and another that was only kept; not to be changed."""
    warehouse = Path(shutil.copytree(small_published[0], tmp_path_factory.mktemp("two") / "w"))
    order = Order(2020, small, warehouse, other_policy, "0.06", recheck=False, keep=True)
    return warehouse, small_published[1], run(order)


@pytest.fixture
def warehouse(two: tuple[Path, Outcome, Outcome], tmp_path: Path) -> Path:
    """A copy of it to change."""
    return Path(shutil.copytree(two[0], tmp_path / "warehouse"))


def rows(warehouse: Path) -> dict[str, list]:
    """Every row of every table a run publishes."""
    with duckdb.connect(str(warehouse / "luohu.duckdb"), read_only=True) as database:
        return {name: database.execute(query(name)).fetchall() for name in TABLES}


def query(table: str) -> str:
    columns = ", ".join(f'"{name}"' for name in columns_of(table))
    return f"SELECT {columns} FROM {table} ORDER BY ALL"


def luohu(*arguments: object) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command in this process."""
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    return done.exit_code, done.stdout, done.stderr


def states(warehouse: Path) -> dict[str, str]:
    return {each.run_id: each.state for each in kept_runs(warehouse)}


def without(feed: str, feeds: Path) -> None:
    """A feed that was delivered with no rows."""
    for path in (feeds / feed).iterdir():
        pl.read_parquet(path).clear().write_parquet(path)


def fewer(feeds: Path, share: float) -> None:
    """Only the first applications of a delivery."""
    paths = sorted((feeds / "applications").iterdir())
    applications = pl.concat(pl.read_parquet(path) for path in paths)
    for path in paths[1:]:
        path.unlink()
    applications.head(int(applications.height * share)).write_parquet(paths[0])


def test_a_kept_run_replaces_nothing_and_is_vouched_for(
    two: tuple[Path, Outcome, Outcome], small_published: Published
) -> None:
    warehouse, current, kept = two
    assert rows(warehouse) == rows(small_published[0])
    assert states(warehouse) == {current.run_id: "current", kept.run_id: "kept"}
    assert is_complete(Path(kept.directory))
    found = audit(2020, warehouse, kept.run_id)
    assert (found.passed, found.files.notes) == (True, [])


def test_the_list_says_when_from_what_and_which_is_current(
    two: tuple[Path, Outcome, Outcome],
) -> None:
    warehouse, current, kept = two
    status, stdout, stderr = luohu("runs", 2020, "--warehouse", warehouse)
    assert (status, stderr) == (0, "")
    head, *lines = stdout.splitlines()
    assert head.split() == [each for each in list_runs.HEADINGS if each]
    of_current, of_kept = sorted(lines, key=lambda line: "kept" in line)
    assert current.run_id in of_current
    assert of_current.split()[-2:] == ["current", "--no-recheck"]
    assert kept.run_id in of_kept
    assert of_kept.split()[-4:] == ["kept", "--max-rejects", "0.06;", "--no-recheck"]
    listed = json.loads(luohu("runs", "--json", "--warehouse", warehouse)[1])
    one, other = sorted(listed, key=lambda each: each["state"])
    assert one["delivery"] == other["delivery"]
    assert one["policy"] != other["policy"]
    assert one["code"] == other["code"]
    assert one["rows"] == other["rows"] > one["applications"] == current.applications


def test_a_run_that_is_damaged_or_gone_is_listed_too(warehouse: Path) -> None:
    kept = next(each for each, state in states(warehouse).items() if state == "kept")
    current = next(each for each, state in states(warehouse).items() if state == "current")
    (warehouse / "runs" / "2020" / kept / "manifest.json").write_text("{")
    shutil.rmtree(warehouse / "runs" / "2020" / current)
    found = {each.run_id: each for each in kept_runs(warehouse)}
    assert (found[kept].state, found[current].state) == ("kept", "current")
    assert "manifest" in str(found[kept].trouble)
    assert "missing" in str(found[current].trouble)
    assert luohu("runs", "--warehouse", warehouse)[0] == 0


def test_another_run_becomes_current_and_the_first_again(
    two: tuple[Path, Outcome, Outcome], warehouse: Path
) -> None:
    _, current, kept = two
    before = rows(warehouse)
    status, stdout, stderr = luohu("current", 2020, kept.run_id[:SIXTH], "--warehouse", warehouse)
    assert (status, stderr) == (0, "")
    assert f"run {kept.run_id} is current (before: {current.run_id})" in stdout
    assert states(warehouse) == {current.run_id: "kept", kept.run_id: "current"}
    assert {row[5] for row in rows(warehouse)["rounds"]} == {kept.run_id}
    assert rows(warehouse) != before
    found = audit(2020, warehouse)
    assert (found.passed, found.past.run_id) == (True, kept.run_id)
    make_current(2020, current.run_id[:SIXTH], warehouse)
    assert rows(warehouse) == before


def test_a_lost_database_is_built_again(
    two: tuple[Path, Outcome, Outcome], warehouse: Path
) -> None:
    before = rows(warehouse)
    (warehouse / "luohu.duckdb").unlink()
    assert set(states(warehouse).values()) == {"kept"}
    make_current(2020, two[1].run_id, warehouse)
    assert rows(warehouse) == before


@pytest.mark.parametrize("file", ["scores.parquet", "manifest.json", "pinned/policy/age.toml"])
def test_a_run_that_was_changed_is_not_made_current(
    file: str, two: tuple[Path, Outcome, Outcome], warehouse: Path
) -> None:
    kept = two[2].run_id
    path = warehouse / "runs" / "2020" / kept / file
    path.write_bytes(path.read_bytes() + b"\n")
    before = sha256(warehouse / "luohu.duckdb")
    status, stdout, stderr = luohu("current", 2020, kept, "--warehouse", warehouse)
    assert (status, stdout) == (1, "")
    assert f"luohu: run {kept} of round 2020 is not as it was written" in stderr
    assert file in stderr
    assert sha256(warehouse / "luohu.duckdb") == before


def test_every_command_takes_a_run_by_its_first_six_characters(
    two: tuple[Path, Outcome, Outcome], warehouse: Path, tmp_path: Path
) -> None:
    kept = two[2].run_id
    assert past_run(warehouse, 2020, kept[:SIXTH]).run_id == kept
    for arguments in (
        ("audit", 2020, "--run", kept[:SIXTH]),
        ("capsule", 2020, "--run", kept[:SIXTH], "--out", tmp_path / "a.capsule"),
        ("receipts", 2020, "--run", kept[:SIXTH], "--out", tmp_path / "r.jsonl"),
        ("current", 2020, kept[:SIXTH]),
    ):
        status, stdout, stderr = luohu(*arguments, "--warehouse", warehouse)
        assert status == 0, stderr
        assert kept in stdout
    twin = f"{kept[:SIXTH]}{'0' * 10}"
    shutil.copytree(warehouse / "runs" / "2020" / kept, warehouse / "runs" / "2020" / twin)
    with pytest.raises(BadUsage, match=f"expected one run, found .*{twin}"):
        past_run(warehouse, 2020, kept[:SIXTH])
    with pytest.raises(BadUsage, match="expected at least 6 characters, found 5"):
        past_run(warehouse, 2020, kept[:5])
    with pytest.raises(NotFound, match=f"has no run ffffff; runs: .*{kept}"):
        make_current(2020, "ffffff", warehouse)


def of_another_year(order: Order) -> Order:
    return Order(2021, order.feeds, order.warehouse, recheck=False)


def of_a_few(order: Order) -> Order:
    fewer(order.feeds, 0.4)
    return order


def of_nobody_eligible(order: Order) -> Order:
    without("residence_permits", order.feeds)
    return order


# what looks like a mistake -> what the message says, and whether it is one also when only kept
MISTAKES: dict[Callable[[Order], Order], tuple[str, bool]] = {
    of_another_year: (r"expected applications submitted in 2021, found .* of another year", True),
    of_a_few: (
        r"expected at least half of the 60 applications of the current run .*, found 24",
        False,
    ),
    of_nobody_eligible: (r"expected somebody eligible, .* has \d+, found nobody", False),
}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_looks_like_a_mistake_replaces_nothing_unless_somebody_says_why(
    mistake: Callable[[Order], Order], copied: Path, small_published: Published, tmp_path: Path
) -> None:
    message, also_kept = MISTAKES[mistake]
    warehouse = Path(shutil.copytree(small_published[0], tmp_path / "warehouse"))
    database = sha256(warehouse / "luohu.duckdb")
    order = mistake(Order(2020, copied, warehouse, recheck=False))
    with pytest.raises(RunRefused, match=message) as refused:
        run(order)
    assert "--anyway REASON" in str(refused.value)
    assert sha256(warehouse / "luohu.duckdb") == database
    assert states(warehouse) == {small_published[1].run_id: "current"}
    if also_kept:
        with pytest.raises(RunRefused, match=message):
            run(replace(order, keep=True))
    else:
        kept = run(replace(order, keep=True))
        assert states(warehouse)[kept.run_id] == "kept"
    reason = "the first part of the delivery (第一批)"
    done = run(Order(order.year, order.feeds, warehouse, recheck=False, anyway=reason))
    with duckdb.connect(str(warehouse / "luohu.duckdb"), read_only=True) as shown:
        reasons = shown.execute("SELECT run_id, anyway FROM rounds ORDER BY round").fetchall()
        known = shown.execute("SELECT run_id, anyway FROM manifests").fetchall()
    assert (done.run_id, reason) in reasons
    assert (done.run_id, reason) in known
    assert f"anyway: {reason}" in luohu("runs", "--warehouse", warehouse)[1]
    assert audit(order.year, warehouse).passed  # a reason is no part of a run
    if not also_kept:
        make_current(2020, small_published[1].run_id, warehouse)
        make_current(2020, done.run_id, warehouse)
        assert [each.anyway for each in kept_runs(warehouse) if each.state == "current"] == [reason]


def test_a_reason_nobody_had_to_give_is_not_published(small: Path, tmp_path: Path) -> None:
    run(Order(2020, small, tmp_path, recheck=False, anyway="just because"))
    with duckdb.connect(str(tmp_path / "luohu.duckdb"), read_only=True) as shown:
        assert shown.execute("SELECT anyway FROM rounds").fetchall() == [(None,)]


def test_a_current_run_kept_again_is_still_said_to_be_current(
    small: Path, small_published: Published, tmp_path: Path
) -> None:
    assert small_published[1].current
    warehouse = Path(shutil.copytree(small_published[0], tmp_path / "warehouse"))
    assert run(Order(2020, small, warehouse, recheck=False, keep=True)).current


def test_half_is_enough_and_so_is_the_same_year(
    copied: Path, small_published: Published, tmp_path: Path
) -> None:
    warehouse = Path(shutil.copytree(small_published[0], tmp_path / "warehouse"))
    path = sorted((copied / "applications").iterdir())[0]
    applications = pl.read_parquet(path)
    elsewhen = pl.col("submitted_at").dt.offset_by("-1y")
    half = pl.int_range(pl.len()) < pl.len() // 2
    applications.with_columns(pl.when(half).then(elsewhen).otherwise("submitted_at").alias("submitted_at")).write_parquet(path)  # fmt: skip
    fewer(copied, 0.5)
    with pytest.raises(RunRefused, match="of another year, most of 2019"):
        run(Order(2020, copied, warehouse, recheck=False))
    applications.write_parquet(path)
    fewer(copied, 0.5)
    done = run(Order(2020, copied, warehouse, recheck=False))
    assert done.applications == 30
    assert states(warehouse)[done.run_id] == "current"


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "  ",
        "two\nlines",
        "\x1b[31mred",
        "x" * 201,
        "for 1101 0119 8001 0100 11",
        "110101_198001_01001",
        "110101.19800101/0010",
        "1101.0119.8001.0100.11",
    ],
)
def test_a_reason_says_something_and_names_nobody(reason: str, tmp_path: Path) -> None:
    status, _, stderr = luohu(
        *("run", 2020, "--feeds", tmp_path, "--warehouse", tmp_path / "w", "--anyway", reason)
    )
    assert status == 2
    assert stderr.startswith("luohu: --anyway: expected a reason")
    assert len(stderr.splitlines()) == 1
    assert "\x1b" not in stderr
    assert not (tmp_path / "w").exists()


def tree(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Every file and folder with its number, time and size."""
    return {
        str(path): (found.st_ino, found.st_mtime_ns, found.st_size)
        for path in [folder, *folder.rglob("*")]
        if (found := path.stat())
    }


@pytest.mark.slow
def test_the_same_run_again_touches_nothing_and_keeps_beside_what_differs(
    small: Path, small_published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = Path(shutil.copytree(small_published[0], tmp_path / "warehouse"))
    directory = warehouse / "runs" / "2020" / small_published[1].run_id
    before = tree(directory)
    made = stages.manifest

    def elsewhere(*arguments: object) -> dict:
        content = made(*arguments)
        return content | {"environment": content["environment"] | {"python": "3.99.0"}}

    monkeypatch.setattr(stages, "manifest", elsewhere)
    for _ in range(2):
        run(Order(2020, small, warehouse, recheck=False))
        assert tree(directory) == before
        (beside,) = [path for path in directory.parent.iterdir() if path.is_file()]
        assert beside.name.startswith(f"{directory.name}.")
        assert json.loads(beside.read_text())["environment"]["python"] == "3.99.0"
        assert beside.stat().st_mode & 0o077 == 0
    assert states(warehouse) == {directory.name: "current"}
    assert audit(2020, warehouse).passed


def cut(directory: Path) -> None:
    (directory / "accepted" / "tax.parquet").unlink()


def forge(directory: Path) -> None:
    """A changed table whose manifest agrees with it: the database knows better."""
    path = directory / "scores.parquet"
    pl.read_parquet(path).reverse().write_parquet(path)
    manifest = json.loads((directory / "manifest.json").read_text())
    manifest["outputs"]["scores.parquet"]["sha256"] = sha256(path)
    (directory / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [cut, forge])
@pytest.mark.parametrize("exchange", [True, False])
def test_what_is_not_complete_makes_way(
    *,
    spoil: Callable[[Path], None],
    exchange: bool,
    small: Path,
    small_published: Published,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not exchange:
        monkeypatch.setattr("flows.common.files.exchanged", lambda *_: False)
    warehouse = Path(shutil.copytree(small_published[0], tmp_path / "warehouse"))
    directory = warehouse / "runs" / "2020" / small_published[1].run_id
    spoil(directory)
    run(Order(2020, small, warehouse, recheck=False))
    assert audit(2020, warehouse).passed
    assert [path.name for path in directory.parent.iterdir()] == [directory.name]
    assert sorted(path.name for path in warehouse.iterdir()) == [
        ".publishing.lock",
        "luohu.duckdb",
        "runs",
    ]


def test_other_results_of_the_same_inputs_are_not_published(
    small: Path, small_published: Published, tmp_path: Path
) -> None:
    warehouse = Path(shutil.copytree(small_published[0], tmp_path / "warehouse"))
    forge(warehouse / "runs" / "2020" / small_published[1].run_id)
    (warehouse / "luohu.duckdb").unlink()  # nobody knows better
    with pytest.raises(CheckFailed, match="expected the rows this run came to again, found others"):
        run(Order(2020, small, warehouse, recheck=False))
    assert not (warehouse / "luohu.duckdb").exists()


def test_a_warehouse_of_an_earlier_version_is_listed_and_published_into(
    small: Path, small_published: Published, other_policy: Path, tmp_path: Path
) -> None:
    warehouse = Path(shutil.copytree(small_published[0], tmp_path / "warehouse"))
    database = warehouse / "luohu.duckdb"
    with duckdb.connect(str(database)) as earlier:
        earlier.execute("ALTER TABLE rounds DROP COLUMN anyway")
        earlier.execute("ALTER TABLE manifests DROP COLUMN anyway")
    before = rows(warehouse)
    run_id = small_published[1].run_id
    directory = warehouse / "runs" / "2020" / run_id
    (warehouse / ".luohu.duckdb.1234.partial").write_bytes(b"a database nobody published")
    (warehouse / ".luohu.duckdb.1234.partial.wal").write_bytes(b"")
    directory.rename(directory.with_name(f".{run_id}.1234.old"))  # killed between two renames
    kept = run(Order(2020, small, warehouse, other_policy, recheck=False, keep=True))
    assert states(warehouse) == {run_id: "current", kept.run_id: "kept"}
    assert rows(warehouse) == before
    assert {path.name for path in warehouse.iterdir()} == {
        ".publishing.lock",
        "luohu.duckdb",
        "runs",
    }
    found = audit(2020, warehouse)
    assert (found.passed, found.files.notes) == (True, [])


@pytest.fixture(scope="module")
def with_a_reject(
    small: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, Outcome]:
    """A delivery with a bad row in a file of somebody's name, a warehouse and its run; not to be changed."""
    folder = tmp_path_factory.mktemp("reject")
    feeds = Path(shutil.copytree(small, folder / "feeds"))
    path = sorted((feeds / "tax").iterdir())[0]
    tax = pl.read_parquet(path)
    bad = tax.head(1).with_columns(pl.lit(None, pl.Date).alias("treasury_date"))
    pl.concat([tax, bad]).write_parquet(path.rename(path.with_name("钟无忌.parquet")))
    return feeds, folder / "w", run(Order(2020, feeds, folder / "w", recheck=False))


@pytest.mark.slow
@pytest.mark.parametrize("gone", [False, True])
def test_rejects_of_an_earlier_version_are_published_under_the_names_of_today(
    gone: bool, with_a_reject: tuple[Path, Path, Outcome], other_policy: Path, tmp_path: Path
) -> None:
    """A run of format 1 named the real file, in columns that are words of SQL."""
    feeds, first, done = with_a_reject
    warehouse = own_copy(first, tmp_path)
    done = moved(done, warehouse)
    before = rows(warehouse)
    assert [row[2] for row in before["rejects"]] == ["tax/part-0"]
    directory = Path(done.directory)
    former = {new: old for old, new in FORMER_NAMES.items()}
    table = pl.read_parquet(directory / "rejects.parquet").rename(former)
    table.with_columns(file=pl.lit("钟无忌.parquet")).write_parquet(directory / "rejects.parquet")
    manifest = json.loads((directory / "manifest.json").read_text())
    files = manifest["feeds"]["tax"]["files"]
    manifest["feeds"]["tax"]["files"] = {"钟无忌.parquet": next(iter(files.values()))}
    (directory / "manifest.json").write_text(json.dumps(manifest | {"format": 1}))
    with duckdb.connect(str(warehouse / "luohu.duckdb")) as earlier:
        for new, old in former.items():
            earlier.execute(f'ALTER TABLE rejects RENAME {new} TO "{old}"')
        earlier.execute("UPDATE rejects SET file = '钟无忌.parquet'")
    if gone:
        shutil.rmtree(directory)
    run(Order(2020, feeds, warehouse, other_policy, recheck=False, keep=True))
    part = "tax/part-?" if gone else "tax/part-0"
    assert rows(warehouse)["rejects"] == [(*row[:2], part, *row[3:]) for row in before["rejects"]]
    if not gone:
        publish(directory, 2020, warehouse)
        assert rows(warehouse) == before
        assert list(database_shows(past_run(warehouse, 2020, None), {"rejects"})) == []


def test_where_there_is_no_run_the_message_says_what_there_is(
    two: tuple[Path, Outcome, Outcome], tmp_path: Path
) -> None:
    for arguments, expected in (
        (("runs", "--warehouse", tmp_path / "none"), "found none"),
        (("runs", 2019, "--warehouse", two[0]), "no round 2019; rounds: 2020"),
        (("current", 2019, "abcdef", "--warehouse", two[0]), "no round 2019; rounds: 2020"),
        (("current", 2020, "abcdef", "--warehouse", tmp_path / "none"), "found none"),
    ):
        status, stdout, stderr = luohu(*arguments)
        assert (status, stdout, len(stderr.splitlines())) == (2, "", 1)
        assert expected in stderr
    assert not (tmp_path / "none").exists()


STEERS = "\x1b[2J\x07\x9b\u202e\naudit passed"


@pytest.mark.slow
@pytest.mark.parametrize("place", ["code.version", "code.digest", "environment.python"])
def test_a_run_from_elsewhere_steers_no_terminal_and_writes_no_line(
    place: str, warehouse: Path, two: tuple[Path, Outcome, Outcome]
) -> None:
    """Of no command that shows what a manifest says, for people or machines."""
    path = warehouse / "runs" / "2020" / two[1].run_id / "manifest.json"
    manifest = json.loads(path.read_text())
    section, name = place.split(".")
    manifest[section][name] = STEERS
    manifest["environment"]["libraries"][f"duckdb{STEERS}"] = STEERS
    path.write_text(json.dumps(manifest))
    for command in (
        ("runs",),
        ("runs", "--json"),
        ("audit", "2020"),
        ("audit", "2020", "--json"),
        ("diff", two[1].run_id, two[2].run_id),
        ("current", "2020", two[1].run_id),
    ):
        done = CliRunner().invoke(app, [*command, "--warehouse", str(warehouse)])
        lines = (done.stdout + done.stderr).splitlines()
        assert all(line.isprintable() for line in lines), command
        assert not [line for line in lines if line.startswith("audit passed")], command
        if "--json" in command:
            json.loads(done.stdout)


def test_a_manifest_whose_counts_are_no_numbers_is_listed_with_its_trouble(
    warehouse: Path, two: tuple[Path, Outcome, Outcome]
) -> None:
    path = warehouse / "runs" / "2020" / two[1].run_id / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["feeds"]["applications"]["accepted"] = "many"
    path.write_text(json.dumps(manifest))
    done = CliRunner().invoke(app, ["runs", "--warehouse", str(warehouse)])
    assert done.exit_code == 0
    assert "its manifest cannot be read" in done.stdout
