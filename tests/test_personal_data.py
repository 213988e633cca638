"""Planted identities turn up where they may, and nowhere else.

Each run's files, the analysts' database, Prefect's database, the logs and messages are searched for
the ID numbers and names of the delivery.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pytest
from commands import luohu

NAME = "钟无忌测试"
ID = "110101198001010010"
ALLOWED = {"restricted/people.parquet", "public_list.parquet"}


def planted(copied: Path) -> None:
    """An applicant of that name and number, with bad rows in several feeds and columns shifted."""
    path = sorted((copied / "applications").iterdir())[0]
    rows = pl.read_parquet(path)
    own = rows.head(1).with_columns(
        application_no=pl.lit("2020PLANTED"),
        person_id=pl.lit(ID),
        name=pl.lit(NAME),
        birth_date=pl.date(1980, 1, 1),
    )
    shifted = own.with_columns(application_no=pl.lit(ID), person_id=pl.lit(NAME), name=pl.lit(ID))
    pl.concat([rows, own, shifted]).write_parquet(path)
    path = sorted((copied / "housing").iterdir())[0]
    rows = pl.read_parquet(path)
    bad = rows.head(1).with_columns(person_id=pl.lit(ID), kind=pl.lit(NAME), district=pl.lit(ID))
    pl.concat([rows, bad]).write_parquet(path)
    path = sorted((copied / "honours").iterdir())[0]
    rows = pl.read_parquet(path)
    bad = pl.DataFrame(
        {
            "person_id": [NAME, ID],
            "title": ["", ""],
            "awarded_on": [None, None],
            "revoked_on": [None, None],
        },
        schema=rows.schema,
    )
    pl.concat([rows] * 20 + [bad]).write_parquet(path)


def texts(path: Path) -> str:
    if path.suffix == ".parquet":
        return pl.read_parquet(path).with_columns(pl.all().cast(pl.String)).write_csv()
    return path.read_bytes().decode("utf-8", errors="replace")


@dataclass(frozen=True)
class Ran:
    """A run of the planted delivery on Prefect's embedded server."""

    warehouse: Path
    home: Path
    told: str
    cut_off: bool


@pytest.fixture(scope="module")
def ran(delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """In a network namespace whose only device is its own loopback, where the machine allows one."""
    folder = tmp_path_factory.mktemp("planted")
    feeds = Path(shutil.copytree(delivery, folder / "feeds"))
    planted(feeds)
    warehouse, home = folder / "warehouse", folder / "prefect"
    command = [
        sys.executable, "-m", "flows.cli", "run", "2020",
        "--feeds", str(feeds), "--warehouse", str(warehouse),
    ]  # fmt: skip
    apart = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    cut_off = (
        shutil.which("ip") is not None
        and shutil.which("unshare") is not None
        and subprocess.run([*apart, "true"], check=False, capture_output=True).returncode == 0
    )
    done = subprocess.run(
        [*apart, *command] if cut_off else command,
        env=os.environ | {"PREFECT_HOME": str(home), "PREFECT_API_URL": "", "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Ran(warehouse, home, done.stdout + done.stderr, cut_off)


def test_nothing_reaches_outside_the_machine(ran: Ran) -> None:
    if not ran.cut_off:
        pytest.skip("this machine does not let tests make a network namespace")
    assert (ran.warehouse / "luohu.duckdb").exists()


def test_identities_stay_in_the_restricted_table(ran: Ran) -> None:
    run = next(ran.warehouse.glob("runs/2020/*"))
    holds = {
        path.relative_to(run).as_posix()
        for path in run.rglob("*")
        if path.is_file() and (ID in texts(path) or NAME in texts(path))
    }
    assert holds <= ALLOWED
    assert "restricted/people.parquet" in holds
    assert (run / "restricted" / "people.parquet").stat().st_mode & 0o077 == 0
    assert run.stat().st_mode & 0o077 == 0
    for path in ran.home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert ID.encode() not in data, path
            assert NAME.encode() not in data, path
    assert ID not in ran.told
    assert NAME not in ran.told


def test_the_analysts_file_holds_names_in_the_public_list_only(ran: Ran) -> None:
    with duckdb.connect(str(ran.warehouse / "luohu.duckdb"), read_only=True) as database:
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
    done = luohu("run", 2020, "--feeds", copied, "--warehouse", tmp_path, "--direct")
    assert done.returncode == 2
    assert "honours" in done.stderr
    assert ID not in done.stderr
    assert NAME not in done.stderr
