"""An audit repeats a run to the byte, and names what was tampered with."""

import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import run as process

import duckdb
import polars as pl
import pytest
from commands import here, other_code, run_by
from newer import written_by_a_newer_duckdb

import flows.kept.integrity
from flows.audit import Audit, as_json, audit
from flows.audit.differences import KEYS, SHOWN, compare
from flows.audit.page import lines
from flows.common.failures import CheckFailed, NewerWarehouse, NotFound
from flows.common.files import sha256, sha256_of, write_json, write_table
from flows.kept import pinned_code
from flows.kept.manifest import FORMAT, OF_THE_RUN, code_digest, environment
from flows.run.stages import Outcome
from schemas.results import TABLES

Published = tuple[Path, Outcome]


@pytest.fixture
def warehouse(published: Published, tmp_path: Path) -> Path:
    """A copy of the published warehouse to tamper with."""
    return Path(shutil.copytree(published[0], tmp_path / "warehouse"))


def directory(warehouse: Path) -> Path:
    (found,) = warehouse.glob("runs/2020/*")
    return found


def change(path: Path, **columns: pl.Expr) -> None:
    """Change the row in the middle of a Parquet file, written as a run writes it."""
    rows = pl.read_parquet(path)
    middle = pl.int_range(pl.len()) == rows.height // 2
    changed = rows.with_columns(
        pl.when(middle).then(value).otherwise(name).cast(rows.schema[name]).alias(name)
        for name, value in columns.items()
    )
    assert not changed.equals(rows)
    write_table(changed, path)


def edit(run: Path, how: Callable[[dict], object]) -> None:
    """Edit a manifest in place."""
    manifest = json.loads((run / "manifest.json").read_text())
    how(manifest)
    write_json(manifest, run / "manifest.json")


def adjust(run: Path) -> None:
    """Make the manifest agree with the files, as a careful forger would."""

    def digests(manifest: dict) -> None:
        for name in manifest["outputs"]:
            rows = pl.read_parquet(run / name).height
            manifest["outputs"][name] = {"sha256": sha256(run / name), "rows": rows}
        manifest["result_digest"] = sha256_of(
            {
                name: manifest["outputs"][f"{name}.parquet"]["sha256"]
                for name in TABLES
                if name not in OF_THE_RUN
            }
        )

    edit(run, digests)


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file and folder with its time and bytes."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in [folder, *sorted(folder.rglob("*"))]
    }


def differing(found: Audit) -> set[str]:
    return {each.name for each in found.tables if not each.same}


def told(found: Audit) -> str:
    return "\n".join(lines(found))


MORE = pl.lit("1.00").cast(pl.Decimal(9, 2))


def test_a_clean_run_comes_out_the_same_without_network_prefect_or_a_write(
    warehouse: Path, published: Published
) -> None:
    for path in [warehouse, *warehouse.rglob("*")]:
        path.chmod(path.stat().st_mode & 0o555)
    before = tree(warehouse)
    code = (
        "import socket, sys\n"
        "def closed(*a, **k): raise OSError('no network')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = closed\n"
        "from flows.cli import app\n"
        "try: app(['audit', '2020', '--warehouse', sys.argv[1]])\n"
        "finally: assert 'prefect' not in sys.modules\n"
    )
    done = process(
        [sys.executable, "-c", code, str(warehouse)],
        capture_output=True, text=True, check=False, env={**os.environ},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    run = Path(published[1].directory)
    by_name = {line.split()[0]: line.split() for line in done.stdout.splitlines()[1:-3]}
    assert list(by_name) == list(TABLES)
    for name in TABLES:
        rows = f"{pl.read_parquet(run / f'{name}.parquet').height:,}"
        assert by_name[name][1:4] == [rows, sha256(run / f"{name}.parquet")[:16], "same"]
    passed, verdict, not_shown = done.stdout.splitlines()[-3:]
    assert passed.startswith("audit passed: 11 of 11 tables the same")
    assert verdict.startswith("verdict: round 2020, run ")
    assert verdict.endswith("every table comes out the same")
    assert not_shown.startswith("not shown: that the accepted rows are those")
    assert tree(warehouse) == before
    for path in [warehouse, *warehouse.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)


def test_a_changed_value_is_shown_then_and_now(warehouse: Path) -> None:
    path = directory(warehouse) / "scores.parquet"
    then = pl.read_parquet(path)
    change(path, tax=pl.col("tax") + MORE)
    now = pl.read_parquet(path)
    (number,) = now.filter(now["tax"] != then["tax"])["application_no"]
    done = here("audit", 2020, "--warehouse", warehouse, "--json")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    (table,) = [each for each in found["tables"] if not each["same"]]
    (was,) = then.filter(application_no=number)["tax"]
    assert table["first"] == [
        {
            "table": "scores",
            "key": number,
            "column": "tax",
            "then": str(was + 1),
            "now": str(was),
        }
    ]
    assert (table["differences"], table["rows_differing"]) == (1, 1)
    assert table["cause"] == "tampered: scores.parquet"
    assert [each["file"] for each in found["findings"]] == ["scores.parquet"]


def test_swapped_files_are_named(warehouse: Path) -> None:
    run = directory(warehouse)
    (run / "scores.parquet").rename(run / "x")
    (run / "eligibility.parquet").rename(run / "scores.parquet")
    (run / "x").rename(run / "eligibility.parquet")
    found = audit(2020, warehouse)
    assert differing(found) == {"scores", "eligibility"}
    assert {each.file for each in found.findings} == {"scores.parquet", "eligibility.parquet"}
    assert "the digest of eligibility.parquet" in told(found)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (lambda m: m["outputs"]["scores.parquet"].update(sha256="0" * 64),
         "scores.parquet: expected sha256 0000000000000000"),
        (lambda m: m["outputs"]["scores.parquet"].update(rows=1), "outputs: scores.parquet: rows"),
        (lambda m: m.update(run_id="0" * 16), "run_id: expected"),
        (lambda m: m.update(result_digest="0" * 64), "result_digest"),
        (lambda m: m["feeds"]["tax"].update(accepted=1), "accepted  "),
        (lambda m: m["options"].update(max_rejects="1"), "options or code in it was edited"),
        (lambda m: m["policy"].update({"tax.toml": "0" * 64}), "pinned/policy/tax.toml"),
        (lambda m: m["outputs"].pop("ranking.parquet"), "ranking.parquet: expected no such file"),
    ],
)  # fmt: skip
def test_an_edited_manifest_is_found(
    how: Callable[[dict], object], expected: str, warehouse: Path
) -> None:
    edit(directory(warehouse), how)
    found = audit(2020, warehouse)
    assert not found.passed
    assert "manifest.json: expected sha256" in told(found)
    assert "edited after publication" in told(found)
    assert expected in told(found)


@pytest.mark.parametrize("database", [True, False])
def test_a_table_edited_together_with_its_manifest(database: bool, warehouse: Path) -> None:
    change(directory(warehouse) / "scores.parquet", tax=pl.col("tax") + MORE)
    adjust(directory(warehouse))
    if not database:
        (warehouse / "luohu.duckdb").unlink()
    found = audit(2020, warehouse)
    assert differing(found) == {"scores"}
    (table,) = [each for each in found.tables if not each.same]
    assert table.cause.startswith("tampered: manifest.json" if database else "unknown")
    if database:
        assert "luohu.duckdb: scores: expected the rows of scores.parquet, found others" in told(
            found
        )


def test_an_edited_policy_file_is_the_cause(warehouse: Path) -> None:
    path = directory(warehouse) / "pinned" / "policy" / "age.toml"
    text = path.read_text()
    assert "value = 2000" in text
    path.write_text(text.replace("value = 2000", "value = 1900"))
    found = audit(2020, warehouse)
    assert {"scores", "ranking", "evidence", "clauses"} <= differing(found)
    assert {each.cause for each in found.tables if not each.same} == {
        "policy: pinned/policy/age.toml"
    }
    (scores,) = [each for each in found.tables if each.name == "scores"]
    assert len(scores.compared.first) == SHOWN < scores.compared.differences
    assert "scores: " in told(found)


def test_an_edited_round_file_is_the_cause(warehouse: Path) -> None:
    path = directory(warehouse) / "pinned" / "rounds" / "2020.toml"
    text = path.read_text()
    path.write_text(text.replace("quota = 6000", "quota = 60"))
    found = audit(2020, warehouse)
    assert {"ranking", "rounds", "public_list"} <= differing(found)
    assert "policy: pinned/rounds/2020.toml" in told(found)
    path.write_text(text.replace("quota = 6000\n", ""))
    found = audit(2020, warehouse)
    assert not found.passed
    assert "pinned/rounds/2020.toml: expected sha256" in told(found)
    assert "cannot be repeated to its end: rounds/2020.toml lacks quota" in told(found)


@pytest.mark.parametrize("spoil", ["absent", "damaged", "an unreadable policy"])
def test_an_input_the_run_cannot_be_repeated_with(spoil: str, warehouse: Path) -> None:
    path = directory(warehouse) / "accepted" / "tax.parquet"
    if spoil == "absent":
        path.unlink()
    elif spoil == "damaged":
        path.write_bytes(path.read_bytes()[:100])
    else:
        path = directory(warehouse) / "pinned" / "policy" / "tax.toml"
        path.write_text("nonsense = [")
    found = audit(2020, warehouse)
    assert not found.passed
    assert "scores" in differing(found)
    assert path.name in told(found)
    assert ("a missing input" if spoil == "absent" else "cannot be repeated") in told(found)


def test_an_edited_input_is_found_even_with_its_manifest(warehouse: Path) -> None:
    run = directory(warehouse)
    change(run / "accepted" / "applications.parquet", birth_date=pl.date(1960, 1, 1))
    found = audit(2020, warehouse)
    assert "scores" in differing(found)
    assert "input: accepted/applications.parquet" in told(found)
    adjust(run)
    found = audit(2020, warehouse)
    assert "scores" in differing(found)
    assert {each.cause for each in found.tables if not each.same} == {"tampered: manifest.json"}


def test_an_unknown_and_an_absent_file_are_found(warehouse: Path) -> None:
    (directory(warehouse) / "accepted" / "extra.parquet").write_bytes(b"")
    (directory(warehouse) / "report.html").write_text("another")
    found = audit(2020, warehouse)
    assert {each.file for each in found.findings} == {"accepted/extra.parquet", "report.html"}
    assert not differing(found)
    assert not found.passed


def test_an_edited_database_is_found(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse / "luohu.duckdb")) as database:
        database.execute("UPDATE public_list SET total = total + 1 WHERE serial % 100 = 1")
    found = audit(2020, warehouse)
    assert [each.file for each in found.findings] == ["luohu.duckdb"]
    assert "public_list: expected the rows of public_list.parquet" in told(found)


def test_another_lock_of_the_same_code_is_a_finding(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {**environment(), "lock": "0" * 64, "python": "3.99"}
    monkeypatch.setattr(flows.kept.integrity, "environment", lambda: other)
    found = audit(2020, warehouse)
    assert "requirements.lock: expected sha256" in told(found)
    assert "python: " in told(found)
    assert (differing(found), found.passed) == (set(), False)


@pytest.mark.slow
def test_an_older_code_is_told_and_compared(small: Path, tmp_path: Path) -> None:
    older = other_code(
        tmp_path, ("transforms/indicators/age.py", '"""Age (年龄)', '"""Age: (年龄)')
    )
    warehouse = tmp_path / "warehouse"
    run_by(older, small, warehouse)
    found = audit(2020, warehouse)
    assert found.passed
    assert f"made with code {found.past.manifest['code']['digest'][:16]}" in told(found)
    assert "compared all the same" in told(found)
    past = directory(warehouse)
    change(past / "scores.parquet", tax=pl.col("tax") + MORE)
    adjust(past)  # as if that code had scored so
    (warehouse / "luohu.duckdb").unlink()
    found = audit(2020, warehouse)
    assert {each.cause for each in found.tables if not each.same} == {"code"}


def test_the_pinned_code_is_the_code_that_names_the_run(warehouse: Path, tmp_path: Path) -> None:
    run, manifest = (
        directory(warehouse),
        json.loads((directory(warehouse) / "manifest.json").read_text()),
    )
    kept = pinned_code.contents(run / "pinned" / "code.zip")
    assert pinned_code.digest_of(kept) == manifest["code"]["digest"] == code_digest()
    assert {
        "flows/run/recompute.py",
        "flows/run/second_engine/ranking.sql",
        "data/codes.toml",
    } < kept.keys()
    pinned_code.keep(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (run / "pinned" / "code.zip").read_bytes()


def test_code_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "code.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("flows/a.py", bytes(10**7))
    with pytest.raises(CheckFailed, match="expected files stored as they are"):
        pinned_code.contents(bomb)


@pytest.mark.parametrize(
    ("name", "careful", "expected"),
    [
        ("transforms/sitecustomize.py", False, "expected sha256"),
        ("transforms/sitecustomize.py", True, "expected code"),
        ("polars.so", True, "expected source files only, found polars.so"),
        (None, True, "expected a zip of code"),
    ],
)
def test_tampered_code_is_found(
    name: str | None, careful: bool, expected: str, warehouse: Path
) -> None:
    run = directory(warehouse)
    path = run / "pinned" / "code.zip"
    if name:
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(name, "raise SystemExit")
    else:
        path.write_bytes(b"nothing")
    if careful:  # the manifest goes along
        edit(run, lambda manifest: manifest["pinned"].update({"code.zip": sha256(path)}))
    found = audit(2020, warehouse)
    assert not found.passed
    assert not differing(found)  # an audit runs today's code
    assert f"found: pinned/code.zip: {expected}" in told(found)


def test_a_run_older_than_kept_code_is_audited(warehouse: Path) -> None:
    (directory(warehouse) / "pinned" / "code.zip").unlink()
    assert "pinned/code.zip: expected the file" in told(audit(2020, warehouse))
    edit(directory(warehouse), lambda manifest: manifest["pinned"].pop("code.zip"))
    (warehouse / "luohu.duckdb").unlink()  # it keeps the digest of the manifest as it was
    assert audit(2020, warehouse).passed


def test_unknown_rounds_and_runs_are_told_with_those_there_are(
    warehouse: Path, published: Published, tmp_path: Path
) -> None:
    known = published[1].run_id
    for arguments, message in (
        ((2021, warehouse), "no round 2021; rounds: 2020"),
        ((2020, tmp_path / "nowhere"), "expected a warehouse .*nowhere, found none"),
        ((2020, warehouse, "x"), f"no run x; runs: {known}"),
        ((2020, warehouse, "../2020"), f"runs: {known}"),
    ):
        with pytest.raises(NotFound, match=message):
            audit(*arguments)
    done = here("audit", 2021, "--warehouse", warehouse)
    assert (done.returncode, done.stdout) == (2, "")


def test_without_a_database_the_only_run_is_audited_or_one_has_to_be_named(
    warehouse: Path, published: Published
) -> None:
    (warehouse / "luohu.duckdb").unlink()
    found = audit(2020, warehouse)
    assert found.passed
    assert "could not be checked against it" in told(found)
    shutil.copytree(directory(warehouse), warehouse / "runs" / "2020" / "other")
    with pytest.raises(NotFound, match="name one with --run"):
        audit(2020, warehouse)
    assert audit(2020, warehouse, published[1].run_id).passed
    assert "give run other" in told(audit(2020, warehouse, "other"))


def test_a_published_run_that_is_gone_and_a_manifest_that_is_none(warehouse: Path) -> None:
    run = directory(warehouse)
    for text in ("{", "[]", '{"format": true}', '{"format": 1}'):
        (run / "manifest.json").write_text(text)
        with pytest.raises(CheckFailed, match="expected"):
            audit(2020, warehouse)
    shutil.rmtree(run)
    with pytest.raises(CheckFailed, match="the database shows"):
        audit(2020, warehouse)


def test_a_newer_warehouse_is_left_alone(warehouse: Path) -> None:
    kept = written_by_a_newer_duckdb(warehouse / "luohu.duckdb")
    with pytest.raises(NewerWarehouse, match="newer"):
        audit(2020, warehouse)
    (warehouse / "luohu.duckdb").write_bytes(kept)
    edit(directory(warehouse), lambda manifest: manifest.update(format=FORMAT + 1))
    before = tree(warehouse)
    done = here("audit", 2020, "--warehouse", warehouse)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"up to format {FORMAT}, found format {FORMAT + 1}" in done.stderr
    assert tree(warehouse) == before


def test_a_damaged_database_is_a_finding(warehouse: Path) -> None:
    (warehouse / "luohu.duckdb").write_bytes(b"not a database")
    found = audit(2020, warehouse)
    assert [each.file for each in found.findings] == ["luohu.duckdb"]
    assert not differing(found)


def test_what_an_audit_tells_names_nobody(warehouse: Path) -> None:
    run, secret = directory(warehouse), "钟无忌测试"
    names = pl.read_parquet(run / "restricted" / "people.parquet")
    change(run / "public_list.parquet", name=pl.lit(secret), employer=pl.lit(secret))
    change(run / "evidence.parquet", evidence=pl.lit(secret))
    change(run / "scores.parquet", application_no=pl.lit("110101198001010010"))
    found = audit(2020, warehouse)
    text = told(found) + json.dumps(as_json(found), ensure_ascii=False)
    assert differing(found) == {"public_list", "evidence", "scores"}
    for value in (secret, "110101198001010010", *names["name"], *names["person_id"]):
        assert value not in text
    assert any(
        each.startswith("public_list  20200") and "name" in each for each in text.split("\n")
    )


def test_rows_added_dropped_repeated_and_columns_of_another_type() -> None:
    now = pl.DataFrame({"round": [1, 1, 1], "application_no": ["a", "b", "c"], "total": [1, 2, 3]})

    def found(then: pl.DataFrame) -> list[tuple[str, ...]]:
        compared = compare("ranking", then, now)
        assert compared.differences == len(compared.first)
        return [each[1:] for each in compared.first]

    assert found(now) == found(now.reverse()) == []
    assert found(now.head(2)) == [("c", "(row)", "absent", "there")]
    assert found(pl.concat([now, now.tail(1)])) == [("c", "(row)", "there", "absent")]
    assert found(now.with_columns(total=pl.lit(None, pl.Int64)).head(3))[0] == (
        "a", "total", "null", "1",
    )  # fmt: skip
    assert found(now.drop("total")) == [("(all rows)", "total", "absent", "Int64")]
    assert found(now.drop("application_no")) == [
        ("(all rows)", "application_no", "absent", "String")
    ]
    assert found(now.cast({"total": pl.Int32})) == [("(all rows)", "total", "Int32", "Int64")]
    assert set(KEYS) == set(TABLES) - {"rejects"}
