"""Runs that are older, were changed or are not there; and what a comparison never tells."""

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from commands import here
from two_runs import Base, add_up, causes_of, of, tables

from flows.audit.diff import diff
from flows.audit.diff.moves import as_json, counts, write
from flows.audit.diff.page import lines
from flows.common.failures import BadUsage, CheckFailed, NotFound
from flows.common.files import sha256, write_json, write_table

pytestmark = pytest.mark.usefixtures("todays_code_here")


@pytest.fixture
def warehouse(base: Base, tmp_path: Path) -> Base:
    """A copy of the warehouse to tamper with."""
    copy = shutil.copytree(base.warehouse, tmp_path / "warehouse")
    return base._replace(warehouse=Path(copy))


def directory(of_: Base, run_id: str) -> Path:
    return of_.warehouse / "runs" / "2020" / run_id


def edit(folder: Path, how: Callable[[dict], object]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    how(manifest)
    write_json(manifest, folder / "manifest.json")


def without_code(folder: Path) -> None:
    """As a run was before code was kept."""
    (folder / "pinned" / "code.zip").unlink()
    edit(folder, lambda manifest: manifest["pinned"].pop("code.zip"))


@pytest.mark.slow
def test_without_kept_code_it_is_the_remainder(
    warehouse: Base, detained: tuple[Path, str], stricter: tuple[Path, str]
) -> None:
    without_code(directory(warehouse, stricter[1]))
    found = diff(base_id(warehouse), stricter[1], warehouse.warehouse)
    assert causes_of(found) == {"code"}  # nothing else differs: no need to recompute
    with_code = of(found, "age", "code")
    for pair, sign in (((stricter[1], detained[1]), -1), ((detained[1], stricter[1]), 1)):
        found = diff(*pair, warehouse.warehouse)
        assert found.causes.differing == ("data", "code")
        remainder = of(found, "age", "code (remainder)")
        assert remainder == {number: sign * amount for number, amount in with_code.items()}
        assert set(of(found, "law", "data").values()) == {3000 * sign}
        assert any("older than kept code" in note for note in found.notes)
        add_up(found, warehouse)


def base_id(of_: Base) -> str:
    return of_.run.run_id


def test_what_other_libraries_do_is_measured_apart(
    warehouse: Base, detained: tuple[Path, str], milder: str
) -> None:
    """A run whose libraries gave somebody a point more: today's give it back, and nobody else's."""
    folder = directory(warehouse, base_id(warehouse))
    scores = pl.read_parquet(folder / "scores.parquet")
    more = pl.when(pl.int_range(pl.len()) == 5).then(1).otherwise(0).cast(pl.Decimal(9, 2))
    write_table(
        scores.with_columns(pl.col("tax", "total") + more).cast(dict(scores.schema)),
        folder / "scores.parquet",
    )

    def other(manifest: dict) -> None:
        manifest["environment"]["libraries"]["polars"] = "0.1"
        manifest["outputs"]["scores.parquet"]["sha256"] = sha256(folder / "scores.parquet")

    edit(folder, other)
    found = diff(base_id(warehouse), milder, warehouse.warehouse)
    assert of(found, "tax", "libraries (remainder)") == {scores["application_no"][5]: -100}
    assert set(of(found, "law", "data").values()) == {-3000}
    assert any("today's Python and libraries" in note for note in found.notes)
    found = diff(base_id(warehouse), detained[1], warehouse.warehouse)
    assert of(found, "tax", "libraries (remainder)") == {scores["application_no"][5]: -100}
    assert set(of(found, "law", "data").values()) == {-3000}
    add_up(found, warehouse)


@pytest.mark.parametrize(
    "file", ["scores.parquet", "pinned/policy/age.toml", "accepted/tax.parquet", "pinned/code.zip"]
)
def test_a_run_that_was_changed_is_not_compared(file: str, warehouse: Base, milder: str) -> None:
    path = directory(warehouse, base_id(warehouse)) / file
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(CheckFailed, match=f"{file}: expected sha256"):
        diff(base_id(warehouse), milder, warehouse.warehouse)
    path.unlink()
    done = here("diff", base_id(warehouse), milder, "--warehouse", warehouse.warehouse)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no file" in done.stderr
    assert "luohu audit 2020 --run" in done.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [("flows/x.py", "expected code"), ("polars.so", "expected source files only")],
)
def test_code_that_is_not_the_one_that_names_the_run_is_not_run(
    name: str, message: str, warehouse: Base, stricter: tuple[Path, str], milder: str
) -> None:
    """Even when the manifest was edited along with it."""
    folder = directory(warehouse, stricter[1])
    archive = folder / "pinned" / "code.zip"
    with zipfile.ZipFile(archive, "a") as files:
        files.writestr(name, "raise SystemExit")
    edit(folder, lambda manifest: manifest["pinned"].update({"code.zip": sha256(archive)}))
    with pytest.raises(CheckFailed, match=message):
        diff(stricter[1], milder, warehouse.warehouse)


def test_an_edited_manifest_is_not_compared(warehouse: Base) -> None:
    folder = directory(warehouse, base_id(warehouse))
    edit(folder, lambda manifest: manifest["policy"].update({"age.toml": "0" * 64}))
    with pytest.raises(CheckFailed, match="it was edited"):
        diff(base_id(warehouse), base_id(warehouse), warehouse.warehouse)


def test_runs_that_are_not_there_or_fit_twice(warehouse: Base, tmp_path: Path) -> None:
    known = base_id(warehouse)
    twin = f"{known[:6]}{'0' * 10}"
    shutil.copytree(directory(warehouse, known), directory(warehouse, twin))
    for name, wrong, message in (
        ("ffffff", NotFound, f"holds no run ffffff; runs: 2020: .*{known}"),
        (known[:5], BadUsage, "at least 6 characters, found 5"),
        (known[:6], BadUsage, f"expected one run, found 2020: .*{twin}"),
        (str(tmp_path / "nowhere"), NotFound, "expected a run directory"),
    ):
        with pytest.raises(wrong, match=message):
            diff(name, known, warehouse.warehouse)
        with pytest.raises(wrong, match=message):
            diff(known, name, warehouse.warehouse)
    with pytest.raises(NotFound, match=r"expected a warehouse .*found none"):
        diff(known, known, tmp_path / "nowhere")
    done = here("diff", "ffffff", known, "--warehouse", warehouse.warehouse)
    assert (done.returncode, done.stdout) == (2, "")


def test_out_is_refused_before_anything_is_compared(base: Base, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("elsewhere")
    os.mkfifo(tmp_path / "pipe.csv")
    for out, message in (
        ("x.json", "ending in .parquet or .csv"),
        ("no/x.csv", "expected the folder"),
        ("link.csv", "expected a new file or a plain one"),
        ("pipe.csv", "expected a new file or a plain one"),
    ):
        done = here(
            "diff", "ffffff", "ffffff", "--out", tmp_path / out, "--warehouse", base.warehouse
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"link.csv", "pipe.csv"}


def test_nobody_is_named_and_the_warehouse_is_not_written_to(
    base: Base, milder: str, tmp_path: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in base.warehouse.rglob("*")}
    found = diff(base.run.run_id, milder, base.warehouse)
    out = tmp_path / "moved.parquet"
    write(found, out)
    text = (
        "\n".join(lines(found, None))
        + json.dumps(as_json(found, None), ensure_ascii=False)
        + pl.read_parquet(out).cast({"amount": pl.String}).write_csv()
    )
    people = pl.read_parquet(Path(base.run.directory) / "restricted" / "people.parquet")
    for value in (*people["person_id"], *people["name"]):
        assert value not in text
    assert {path: path.stat().st_mtime_ns for path in base.warehouse.rglob("*")} == before
    assert [path.name for path in tmp_path.iterdir()] == ["moved.parquet"]


def test_an_application_number_like_an_id_is_shown_as_its_shape(base: Base, tmp_path: Path) -> None:
    """As a run may hold one that was made before such a number was a bad row."""
    secret = "110101198001010010"
    first = tables(base, base.run.run_id).settled.pop()
    copy = Path(shutil.copytree(base.run.directory, tmp_path / "run"))
    files = [copy / f"{name}.parquet" for name in ("scores", "eligibility", "ranking")]
    for path in files:
        number = pl.col("application_no")
        other = pl.when(number == first).then(pl.lit(secret)).otherwise(number)
        write_table(pl.read_parquet(path).with_columns(application_no=other), path)
    edit(
        copy,
        lambda manifest: [
            manifest["outputs"][path.name].update(sha256=sha256(path)) for path in files
        ],
    )
    found = diff(base.run.run_id, str(copy), base.warehouse)
    text = "\n".join(lines(found, None)) + json.dumps(as_json(found, None))
    assert secret not in text
    assert "999999999999999999" in text
    assert (counts(found)["came_in"], counts(found)["dropped_out"]) == (1, 1)
