"""What comes from elsewhere: its code is not run unasked, and it exhausts neither memory nor time."""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pyarrow as arrow
import pytest
from capsules import forged, sealed
from commands import here
from pyarrow import parquet
from two_runs import QUOTA, Base

from flows.audit.capsule.contents import RUN
from flows.audit.capsule.pack import pack
from flows.audit.capsule.verify import audit_capsule
from flows.audit.diff import diff
from flows.common import limits
from flows.common.archives import MOST_LIST
from flows.common.failures import CapsuleRefused, CheckFailed, Failure, TooLarge
from flows.common.files import sha256, write_json, write_table
from flows.common.limits import MOST_ROWS, parquet_problem
from flows.explain.receipts import receipt
from flows.explain.receipts.bulk import VERIFIER
from flows.kept import pinned_code
from flows.kept.known_code import registered, trust_of
from flows.kept.limits import MOST_HOME_MONTHS
from flows.kept.run_id import run_id_of
from flows.run.stages import Outcome

Json = dict[str, Any]
SECONDS, MEMORY = 15, 3 << 30  # what a hostile file may take


@pytest.fixture
def foreign(base: Base, detained: tuple[Path, str], tmp_path: Path) -> tuple[Path, Path]:
    """A run from elsewhere, in itself without fault, whose code leaves a mark where it is run."""
    mark = tmp_path / "mark"
    directory = base.warehouse / "runs" / "2020" / detained[1]
    return made_foreign(directory, tmp_path / "sent", mark), mark


def made_foreign(run: Path, folder: Path, mark: Path) -> Path:
    """A copy of a run with other code, and every digest that is kept made to fit."""
    copy = Path(shutil.copytree(run, folder / "run"))
    archive = copy / "pinned" / "code.zip"
    with zipfile.ZipFile(archive) as files:
        sources = {each.filename: files.read(each) for each in files.infolist()}
    sources["flows/__init__.py"] += f"\nopen({str(mark)!r}, 'a').write('run')\n".encode()
    with zipfile.ZipFile(archive, "w") as files:
        for name, source in sources.items():
            files.writestr(name, source)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["code"]["digest"] = pinned_code.digest_of(pinned_code.contents(archive))
    manifest["pinned"]["code.zip"] = sha256(archive)
    manifest["run_id"] = run_id_of(manifest)
    write_json(manifest, copy / "manifest.json")
    return Path(copy.rename(folder / manifest["run_id"]))


@pytest.mark.slow
def test_code_from_elsewhere_is_not_run_unasked(
    foreign: tuple[Path, Path], base: Base, tmp_path: Path
) -> None:
    directory, mark = foreign
    digest = sha256(directory / "pinned" / "code.zip")
    done = here("diff", base.run.run_id, directory, "--warehouse", base.warehouse)
    assert (done.returncode, done.stderr, mark.exists()) == (0, "", False)
    assert f"note: the code in {directory}/pinned/code.zip is not known here" in done.stdout
    assert "--trust-code runs the Python code in" in done.stdout
    assert digest in done.stdout
    assert "not kept in a sandbox" in done.stdout
    assert "data   law" in done.stdout  # what needs no code of others is told
    assert "code (remainder)" not in done.stdout  # this one scores as ours does
    done = here("diff", base.run.run_id, directory, "--warehouse", base.warehouse, "--trust-code")
    assert (done.returncode, mark.exists()) == (0, True)
    assert done.stderr.startswith(f"luohu: --trust-code runs the Python code in {directory}")
    assert digest in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_database_that_came_along_does_not_make_it_known(
    foreign: tuple[Path, Path], base: Base, tmp_path: Path
) -> None:
    """Neither one beside it, nor one of another user, nor one anybody may write to."""
    directory, mark = foreign
    theirs = tmp_path / "theirs"
    (theirs / "runs" / "2020").mkdir(parents=True)
    shutil.copy(base.warehouse / "luohu.duckdb", theirs)
    there = Path(shutil.copytree(directory, theirs / "runs" / "2020" / directory.name))
    diff(base.run.run_id, str(there), base.warehouse)
    assert not mark.exists()
    known = sha256(Path(base.run.directory) / "pinned" / "code.zip")
    archive = sha256(there / "pinned" / "code.zip")
    assert known in registered(base.warehouse)
    assert archive not in registered(theirs)  # the database does not name it
    database = theirs / "luohu.duckdb"
    shutil.copytree(base.run.directory, theirs / "runs" / "2020" / base.run.run_id)
    assert registered(theirs) == {known}
    database.chmod(0o666)
    assert registered(theirs) == set()
    database.chmod(0o644)
    if os.geteuid() == 0:
        os.chown(theirs / "luohu.duckdb", 12345, -1)
        assert registered(theirs) == set()
        os.chown(theirs / "luohu.duckdb", 0, -1)
    moved = database.rename(tmp_path / "elsewhere.duckdb")
    database.symlink_to(moved)
    assert registered(theirs) == set()
    database.unlink()
    database.write_bytes(b"no database")
    assert registered(theirs) == set()


def test_code_of_an_edited_manifest_is_not_known(
    foreign: tuple[Path, Path], base: Base, tmp_path: Path
) -> None:
    """Put into the user's own warehouse, under a name the database knows, it is still not known."""
    directory, mark = foreign
    own = Path(shutil.copytree(base.warehouse, tmp_path / "own"))
    shutil.copytree(directory, own / "runs" / "2020" / directory.name)
    found = diff(base.run.run_id, directory.name, own)
    assert any("is not known here" in note for note in found.notes)
    known = own / "runs" / "2020" / base.run.run_id / "manifest.json"
    known.write_bytes(known.read_bytes() + b"\n")
    assert trust_of(own).known <= registered(base.warehouse)
    assert not mark.exists()


@pytest.mark.soak
def test_code_known_here_is_run_wherever_it_lies(
    base: Base, stricter: tuple[Path, str], milder: str, tmp_path: Path
) -> None:
    """The warehouse knows another version by a run made here: a copy of that run needs no flag."""
    copy = shutil.copytree(base.warehouse / "runs" / "2020" / stricter[1], tmp_path / "copy")
    found = diff(str(copy), milder, base.warehouse)
    assert not any("not known here" in note for note in found.notes)
    assert "code" in set(found.shares["cause"])
    assert not [each for each in set(found.shares["cause"]) if "remainder" in each]
    assert trust_of(tmp_path / "no-warehouse").known == frozenset()


def equal_rows(path: Path, rows: int, columns: int = 1) -> Path:
    """Very many equal rows in very few bytes, in groups of twenty million."""
    piece = 20_000_000
    nulls = arrow.nulls(piece, arrow.int64())
    batch = arrow.table({f"c{place}": nulls for place in range(columns)})
    with parquet.ParquetWriter(path, batch.schema, write_statistics=False) as writer:
        for _ in range(rows // piece):
            writer.write_table(batch, row_group_size=piece)
    return path


@pytest.fixture(scope="module")
def many_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return equal_rows(tmp_path_factory.mktemp("rows") / "rows.parquet", 400_000_000)


def test_many_equal_rows_are_told_by_the_footer(
    many_rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert many_rows.stat().st_size < 6 << 20
    told = f"expected at most {MOST_ROWS:,} rows, found 400,000,000"
    assert parquet_problem(many_rows) == told
    path = equal_rows(tmp_path / "wide.parquet", 20_000_000, 3)
    monkeypatch.setattr(limits, "MOST_IN_MEMORY", 100_000_000)
    assert "at most 100,000,000 bytes once it is read" in str(parquet_problem(path))
    columns = {f"c{place}": [1] for place in range(1001)}
    pl.DataFrame(columns).write_parquet(tmp_path / "columns.parquet")
    assert "at most 1,000 columns" in str(parquet_problem(tmp_path / "columns.parquet"))
    (tmp_path / "other").write_bytes(b"no Parquet file")
    assert parquet_problem(tmp_path / "other") is None
    (tmp_path / "empty").write_bytes(b"")
    assert parquet_problem(tmp_path / "empty") is None


@pytest.fixture(scope="module")
def capsule(base: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    return pack(2020, base.warehouse, folder / "a.capsule", base.run.run_id).file.path


@pytest.fixture(scope="module")
def public(base: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    return pack(2020, base.warehouse, folder / "a.capsule", base.run.run_id, public=True).file.path


def with_table(name: str, rows: pl.DataFrame, tmp_path: Path) -> Callable[[dict], object]:
    write_table(rows, tmp_path / "table.parquet")
    data = (tmp_path / "table.parquet").read_bytes()
    return lambda members: members.update({f"{RUN}/{name}.parquet": data})


def homes(**columns: Any) -> pl.DataFrame:
    kinds = pl.Enum(["own", "dormitory", "rent"])
    return pl.DataFrame({"person": [0], "kind": ["own"], "district": [110111], **columns}).cast(
        {"person": pl.UInt32, "kind": kinds, "district": pl.Int32}
    )


FAR = pl.Series([2_000_000_000], dtype=pl.Int32).cast(pl.Date)
TABLES: dict[str, tuple[str, pl.DataFrame, str]] = {
    "a home of millions of years": (
        "accepted/housing",
        homes(start_date=[date(1990, 1, 1)]).with_columns(end_date=FAR, registered_on=FAR),
        "column 'end_date': expected years 1 to 9999",
    ),
    "300,000,000 years as a time": (
        "accepted/applications",
        pl.DataFrame({"submitted_at": pl.Series([2**62], dtype=pl.Int64).cast(pl.Datetime("ms"))}),
        "column 'submitted_at': expected years 1 to 9999",
    ),
    "300,000,000,000,000,000 fen": (
        "accepted/tax",
        pl.DataFrame({"amount_fen": [3 * 10**17]}),
        "column 'amount_fen': expected numbers to 1,000,000,000,000,000",
    ),
    "lists": ("scores", pl.DataFrame({"total": [[1]]}), "expected plain values, found List(Int64)"),
    "floats": ("ranking", pl.DataFrame({"total": [0.1]}), "expected plain values, found Float64"),
    "homes without end": (
        "accepted/housing",
        homes(start_date=[date(1900, 1, 1)], end_date=[date(9999, 12, 31)])
        .with_columns(registered_on=pl.lit(None, pl.Date))
        .select(pl.all().gather(pl.zeros(400_000, dtype=pl.UInt32))),
        f"expected homes of at most {MOST_HOME_MONTHS:,} months",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_capsule_with_values_no_run_has_is_refused(
    name: str, capsule: Path, tmp_path: Path
) -> None:
    table, rows, expected = TABLES[name]
    hostile = forged(capsule, tmp_path / "h.capsule", with_table(table, rows, tmp_path))
    with pytest.raises(TooLarge) as refusal, limited_time():
        audit_capsule(hostile)
    assert expected in str(refusal.value)
    assert str(refusal.value).startswith(f"{hostile}: {table}.parquet: ")


@pytest.mark.parametrize(
    "edit",
    [
        (
            "policy/retirement_age.toml",
            "male_60 = 60",
            "male_60 = 300000000",
            "expected a whole number of years from 0 to 120",
        ),
        ("policy/residence.toml", "1998-07-01", "0001-07-01", "from 1900-01-01 to 2199-12-31"),
        (
            "rounds/2020.toml",
            f"quota = {QUOTA}",
            f"quota = {QUOTA}000000000",
            "expected a whole number of places",
        ),
        (
            "policy/age.toml",
            "title =",
            "x = " + "[" * 5000 + "\ntitle =",
            "deeper than can be read",
        ),
        ("policy/age.toml", "title =", "#" * (1 << 20) + "\ntitle =", "expected at most 1,048,576"),
    ],
)
def test_a_policy_of_300_000_000_years_is_told(
    edit: tuple[str, str, str, str], capsule: Path, public: Path, tmp_path: Path
) -> None:
    file, old, new, expected = edit
    name = f"{RUN}/pinned/{file}"

    def change(members: dict[str, bytes]) -> None:
        assert old.encode() in members[name]
        members[name] = members[name].replace(old.encode(), new.encode(), 1)

    for whole in (capsule, public):
        with limited_time():
            found = audit_capsule(forged(whole, tmp_path / "h.capsule", change))
        assert not found.passed
        told = [f"{each}" for each in (*found.findings, *found.checks)]
        assert any(expected in each for each in told), told


def test_a_capsule_of_other_columns_and_types_is_told(
    capsule: Path, public: Path, tmp_path: Path
) -> None:
    other = pl.DataFrame({"x": ["y"] * 3})
    for name in ("accepted/housing", "scores"):
        how = with_table(name, other, tmp_path)
        found = audit_capsule(forged(capsule, tmp_path / "h.capsule", how))
        assert not found.passed
    for name in ("rounds", "public_list", "feeds"):
        how = with_table(name, other, tmp_path)
        found = audit_capsule(forged(public, tmp_path / "h.capsule", how))
        assert found.checks[0].failures


@pytest.mark.parametrize("rows", [10**18, -1, 1.5, "5", None, True])
def test_a_manifest_with_no_number_of_rows_is_refused(
    rows: object, capsule: Path, public: Path, tmp_path: Path
) -> None:
    def change(members: dict[str, bytes]) -> None:
        manifest = json.loads(members[f"{RUN}/manifest.json"])
        manifest["outputs"]["rounds.parquet"]["rows"] = rows
        members[f"{RUN}/manifest.json"] = json.dumps(manifest).encode()

    for whole in (capsule, public):
        hostile = forged(whole, tmp_path / "h.capsule", change, manifest=False)
        with pytest.raises(CheckFailed, match="rows: expected a whole number up to 250,000,000"):
            audit_capsule(hostile)


@pytest.mark.parametrize("text", [b"[" * 10**6, b'{"a":' * 10**5, b"9" * 10**6, b" " * (17 << 20)])
def test_a_manifest_that_is_deep_or_long_is_refused(
    text: bytes, capsule: Path, base: Base, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(base.run.directory, tmp_path / "run"))
    (copy / "manifest.json").write_bytes(text)
    with pytest.raises(Failure, match=r"manifest\.json: expected"), limited_time():
        diff(str(copy), base.run.run_id, base.warehouse)


def test_a_long_list_of_members_is_refused(tmp_path: Path) -> None:
    many = tmp_path / "many.zip"
    with zipfile.ZipFile(many, "w") as archive:
        for place in range(MOST_LIST // 60_000 + 1):
            info = zipfile.ZipInfo(f"{place}")
            info.comment = b"x" * 60_000
            archive.writestr(info, b"")
    hostile = sealed(tmp_path / "h.capsule", many.read_bytes())
    with pytest.raises(CapsuleRefused, match="none that can be read"), limited_time():
        audit_capsule(hostile)
    with pytest.raises(CheckFailed, match="expected a zip of code"):
        pinned_code.contents(many)


@pytest.mark.parametrize(
    "other",
    [
        ("scores", pl.DataFrame({"application_no": ["1"]}), CheckFailed),
        ("rounds", pl.DataFrame({"x": [1]}), CheckFailed),
        ("accepted/housing", TABLES["a home of millions of years"][1], TooLarge),
    ],
)
def test_a_run_directory_of_other_tables_is_not_compared(
    other: tuple[str, pl.DataFrame, type[Failure]], base: Base, tmp_path: Path
) -> None:
    table, rows, wrong = other
    copy = Path(shutil.copytree(base.run.directory, tmp_path / "run"))
    write_table(rows, copy / f"{table}.parquet")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["outputs"][f"{table}.parquet"] = {
        "sha256": sha256(copy / f"{table}.parquet"), "rows": rows.height
    }  # fmt: skip
    write_json(manifest, copy / "manifest.json")
    with pytest.raises(wrong, match="expected"), limited_time():
        diff(str(copy), base.run.run_id, base.warehouse)


class limited_time:  # noqa: N801
    """Nothing hostile may take long."""

    def __enter__(self) -> None:
        self.start = time.process_time()

    def __exit__(self, *_: object) -> None:
        assert time.process_time() - self.start < SECONDS


def test_commands_stay_small_on_a_file_of_400_million_rows(
    capsule: Path, base: Base, many_rows: Path, tmp_path: Path
) -> None:
    """The commands as a user runs them, with so much memory and no more."""
    data = many_rows.read_bytes()

    def change(members: dict[str, bytes]) -> None:
        members[f"{RUN}/scores.parquet"] = data

    hostile = forged(capsule, tmp_path / "h.capsule", change, manifest=False)
    copy = Path(shutil.copytree(base.run.directory, tmp_path / "run"))
    (copy / "scores.parquet").write_bytes(data)
    for arguments in (
        ("audit", hostile),
        ("diff", copy, base.run.run_id, "--warehouse", base.warehouse),
    ):
        done = with_little_memory("-m", "flows.cli", *arguments)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert "expected at most 250,000,000 rows, found 400,000,000: not read" in done.stderr
        assert done.stderr.count("\n") == 1


def with_little_memory(*arguments: object) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True, text=True, check=False, preexec_fn=limit,
    )  # fmt: skip


def hostile_receipts(receipt: Json) -> Iterator[tuple[str, Callable[[Json], object]]]:
    facts = receipt["facts"]
    span = facts["insurance"][0]
    home = {"kind": "own", "district": 110111, "registered_on": None,
            "start_date": "0001-01-01", "end_date": "9999-12-31"}  # fmt: skip
    values = receipt["conditions"]["social_insurance"]["values"]
    tax = receipt["indicators"]["tax"]["values"]
    yield "a round of the year 300,000,000", lambda c: c.update(round=300_000_000)
    yield "the last year", lambda c: c.update(round=9999)
    yield (
        "endless insurance",
        lambda c: c["facts"]["insurance"].extend(
            [span | {"from": "0001-01", "to": "9999-12", "pension": "paid", "recorded_on": None}]
            * 9999
        ),
    )
    yield (
        "insurance backwards",
        lambda c: c["facts"]["insurance"].extend(
            [
                span | {"from": "0001-01", "to": "9999-12"},
                span | {"from": "9999-12", "to": "0001-01"},
            ]
        ),
    )
    yield "endless homes", lambda c: c["facts"]["housing"].extend([home] * 19_000)
    yield "very many homes", lambda c: c["facts"]["housing"].extend([home] * 60_000)
    yield (
        "a window without end",
        lambda c: c["conditions"]["social_insurance"]["values"].update(
            months=values["months"] | {"value": 10**17}
        ),
    )
    yield (
        "years without end",
        lambda c: c["indicators"]["tax"]["values"].update(years=tax["years"] | {"value": 10**17}),
    )
    yield (
        "a list for a number",
        lambda c: c["indicators"]["tax"]["values"].update(
            years=tax["years"] | {"value": [[]] * 100_000}
        ),
    )
    delay = {
        "retirement_class": facts["retirement_class"],
        "born_from": "1900-01-01",
        "birth_months_per_month": 0,
        "months_at_most": 1,
    }
    delays = receipt["conditions"]["retirement_age"]["values"]["delays"] | {"value": [delay]}
    yield (
        "a division by zero",
        lambda c: c["conditions"]["retirement_age"]["values"].update(delays=delays),
    )
    yield "no receipt", lambda c: c.clear()


def test_a_receipt_made_to_take_hours_takes_none(
    published: tuple[Path, Outcome], verifier: ModuleType
) -> None:
    number = pl.read_parquet(Path(published[1].directory) / "scores.parquet")["application_no"][3]
    whole = receipt(published[0], 2020, number)
    for name, change in hostile_receipts(whole):
        odd = deepcopy(whole)
        change(odd)
        with limited_time():
            assert verifier.check(odd), name


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a":' * 30 + b"1" + b"}" * 30, "at most 20 lists and objects within each other"),
        (b'{"a":1' + b"0" * 23 + b"1}", f"whole numbers up to {10**24:,}"),
        (b'{"a":"' + b"x" * 20_000 + b'"}', "at most 10,000 characters in a text"),
        (b'{"' + b"x" * 20_000 + b'":1}', "at most 10,000 characters in a name"),
        (b'{"a":' + b"1." * 10**6 + b"}", "cannot be read"),
        (b'{"a":"' + b"x" * (17 << 20) + b'"}', "at most 16,777,216 bytes in a receipt"),
        (b"\n" * 10 + b" " * (17 << 20), "at most 16,777,216 bytes in a receipt"),
        (b"{\x1b[2J}", "cannot be read"),
    ],
)
def test_a_file_no_receipt_has_the_shape_of_is_told_in_a_line(
    content: bytes, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "r.json").write_bytes(content)
    done = with_little_memory("-I", "-S", VERIFIER, tmp_path / "r.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.strip().isprintable()


def test_a_receipt_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    odd = {"format": 2, "application_no": "1\x1b[2J\x9b\u202e\n0 checked", "a\x1bb": 1}
    (tmp_path / "r.json").write_text(json.dumps(odd))
    done = with_little_memory("-I", "-S", VERIFIER, tmp_path / "r.json")
    assert done.returncode == 1
    assert all(line.isprintable() for line in done.stdout.splitlines())
    assert len(done.stdout.splitlines()) == 2
