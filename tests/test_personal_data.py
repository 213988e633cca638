"""Planted identities turn up where they may, and nowhere else.

Each run's files, the analysts' database, Prefect's database, the logs and messages are searched for
the ID numbers and names of the delivery.
"""

import subprocess
from pathlib import Path

import duckdb
import polars as pl
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


def test_identities_stay_in_the_restricted_table(copied: Path, tmp_path: Path) -> None:
    planted(copied)
    home, warehouse = tmp_path / "prefect", tmp_path / "warehouse"
    env = {"PREFECT_HOME": str(home), "PREFECT_API_URL": "", "TMPDIR": str(tmp_path)}
    done = luohu("run", 2020, "--feeds", copied, "--warehouse", warehouse, env=env)
    assert done.returncode == 0, done.stderr
    run = next(warehouse.glob("runs/2020/*"))
    holds = {
        path.relative_to(run).as_posix()
        for path in run.rglob("*")
        if path.is_file() and (ID in texts(path) or NAME in texts(path))
    }
    assert holds <= ALLOWED
    assert "restricted/people.parquet" in holds
    assert (run / "restricted" / "people.parquet").stat().st_mode & 0o077 == 0
    assert run.stat().st_mode & 0o077 == 0
    for path in home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert ID.encode() not in data, path
            assert NAME.encode() not in data, path
    for text in (done.stdout, done.stderr):
        assert ID not in text
        assert NAME not in text


def test_the_analysts_file_holds_names_in_the_public_list_only(
    copied: Path, tmp_path: Path
) -> None:
    planted(copied)
    assert (
        luohu("run", 2020, "--feeds", copied, "--warehouse", tmp_path, "--direct").returncode == 0
    )
    with duckdb.connect(str(tmp_path / "luohu.duckdb"), read_only=True) as database:
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


def test_nothing_reaches_outside_the_machine(copied: Path, tmp_path: Path) -> None:
    """The run works in a network namespace whose only device is its own loopback."""
    import os
    import shutil
    import sys

    import pytest

    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("a network namespace needs root, unshare and ip")
    inside = (
        f"ip link set lo up && {sys.executable} -m flows.cli run 2020 --feeds {copied}"
        f" --warehouse {tmp_path / 'w'}"
    )
    env = {**os.environ, "PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_API_URL": ""}
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", inside], capture_output=True, text=True, env=env, check=False
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("this machine does not let tests make a network namespace")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "w" / "luohu.duckdb").exists()
