"""Planted identities turn up where they may, and nowhere else.

Each run's files, the analysts' database, Prefect's database, the logs and messages are searched for
the ID numbers and names of the delivery.
"""

import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest
from commands import here, luohu
from planted import ID, NAME, Planted

from flows.common.by_name import read_table
from schemas.text import is_without_id_number

ALLOWED = {"restricted/people.parquet", "restricted/file_names.json", "public_list.parquet"}
# where text stands that is no person's by its column, for whoever may read the accepted rows
FREE_TEXT = {"accepted/awards.parquet", "accepted/honours.parquet", "accepted/employers.parquet"}


@pytest.mark.parametrize(
    "between", ["", " ", "-", "_", ".", "/", "–", "·", "\u3000", "\u200b", "\u2060", "\u00ad"]
)
@pytest.mark.parametrize("zero", ["0", "０", "٠", "𝟎"])
def test_a_right_number_in_a_name_is_found_however_it_is_set(zero: str, between: str) -> None:
    number = between.join(chr(ord(zero) + int(digit)) for digit in ID)
    rows = pl.DataFrame({"name": [f"{NAME}{number}", f"{number}号", NAME, number[:-1], "1" * 40]})
    found = rows.select(is_without_id_number(pl.col("name"))).to_series().to_list()
    assert found == [False, False, True, True, True]


def texts(path: Path) -> str:
    if path.suffix == ".parquet":
        return read_table(path).with_columns(pl.all().cast(pl.String)).write_csv()
    return path.read_bytes().decode("utf-8", errors="replace")


@pytest.mark.server
def test_nothing_reaches_outside_the_machine(planted_run: Planted) -> None:
    if not planted_run.cut_off:
        pytest.skip("this machine does not let tests make a network namespace")
    assert (planted_run.warehouse / "luohu.duckdb").exists()


@pytest.mark.server
def test_identities_stay_in_the_restricted_table(planted_run: Planted) -> None:
    run = next(planted_run.warehouse.glob("runs/2020/*"))
    holds = {
        path.relative_to(run).as_posix()
        for path in run.rglob("*")
        if path.is_file() and (ID in texts(path) or NAME in texts(path))
    }
    assert holds <= ALLOWED | FREE_TEXT
    assert {"restricted/people.parquet", "restricted/file_names.json"} <= holds
    for name in FREE_TEXT & holds:
        assert ID not in texts(run / name), name
    assert (run / "restricted" / "people.parquet").stat().st_mode & 0o077 == 0
    for path in run.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0 or path.name == "report.html", path
    assert run.stat().st_mode & 0o066 == 0  # the database's readers go through, to the page alone
    for path in planted_run.home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert ID.encode() not in data, path
            assert NAME.encode() not in data, path
    assert ID not in planted_run.told
    assert NAME not in planted_run.told


@pytest.mark.server
def test_the_analysts_file_holds_names_in_the_public_list_only(planted_run: Planted) -> None:
    with duckdb.connect(str(planted_run.warehouse / "luohu.duckdb"), read_only=True) as database:
        columns = database.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()
        for table, column in columns:
            if (table, column) == ("public_list", "name"):
                continue
            hits = database.execute(
                f'SELECT count(*) FROM {table} WHERE CAST("{column}" AS VARCHAR) LIKE ?'
                f' OR CAST("{column}" AS VARCHAR) LIKE ?',
                [f"%{ID}%", f"%{NAME}%"],
            ).fetchall()
            assert hits == [(0,)], (table, column)
            if column == "masked_value":
                continue  # the mask of an ID number is seventeen nines
            numbers = database.execute(
                f"SELECT count(*) FROM {table} WHERE"
                f" regexp_matches(CAST(\"{column}\" AS VARCHAR), '(^|[^0-9])[0-9]{{17}}[0-9X]($|[^0-9])')"
            ).fetchall()
            assert numbers == [(0,)], (table, column)


def test_messages_of_a_refusal_hold_no_identity(copied: Path, tmp_path: Path) -> None:
    path = sorted((copied / "honours").iterdir())[0]
    rows = pl.read_parquet(path)
    bad = pl.DataFrame(
        {
            "person_id": [NAME, ID] * 50,
            "title": [""] * 100,
            "awarded_on": [None] * 100,
            "revoked_on": [None] * 100,
        },
        schema=rows.schema,
    )
    pl.concat([rows, bad]).write_parquet(path)
    done = here("run", 2020, "--feeds", copied, "--warehouse", tmp_path, "--direct")
    assert done.returncode == 2
    assert "honours" in done.stderr
    assert ID not in done.stderr
    assert NAME not in done.stderr


@pytest.fixture(scope="module")
def header_lost(delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A refused run through Prefect of a CSV without its header, and one with its line ends lost."""
    folder = tmp_path_factory.mktemp("header")
    feeds = Path(shutil.copytree(delivery, folder / "feeds"))
    (path,) = (feeds / "applications").iterdir()
    rows = pl.read_parquet(path).with_columns(person_id=pl.lit(ID), name=pl.lit(NAME))
    path.unlink()
    text = rows.write_csv(include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S")
    (feeds / "applications" / f"{NAME}.csv").write_text(text)
    (feeds / "applications" / f"{ID}.csv").write_text(text.replace("\n", ","))
    (feeds / "tax" / f"{ID} {NAME}.csv.bak").write_text(text)
    done = luohu(
        "run", 2020, "--feeds", feeds, "--warehouse", folder / "w",
        env={"PREFECT_HOME": str(folder / "prefect"), "PREFECT_API_URL": ""},
    )  # fmt: skip
    assert done.returncode == 2
    assert "entry 1 named like 999999999999999999 字字字字字.aaa.aaa" in done.stderr
    assert "applications/part-0" in done.stderr
    return folder, done.stdout + done.stderr


@pytest.mark.soak  # a server of its own; test_prefect asks the standing one the same
def test_a_lost_header_tells_nobody(header_lost: tuple[Path, str]) -> None:
    folder, message = header_lost
    found = [path for path in folder.rglob("*") if path.is_file() and "feeds" not in path.parts]
    assert any(path.name == "prefect.db" for path in found)
    for text in (message, *(texts(path) for path in found)):
        for personal in (ID, NAME, NAME.encode("unicode_escape").decode()):
            assert personal not in text
