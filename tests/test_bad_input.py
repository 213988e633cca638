"""Every bad-input rule of data contract 1, through the command a user types."""

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path

import duckdb
import polars as pl
import pytest
from commands import here
from newer import written_by_a_newer_duckdb

from flows.common.settings import HOME
from flows.run.quarantine import too_many

Spoil = Callable[[Path], None]


def files(feeds: Path, feed: str) -> list[Path]:
    return sorted((feeds / feed).iterdir())


def change(feeds: Path, feed: str, how: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    path = files(feeds, feed)[0]
    how(pl.read_parquet(path)).write_parquet(path)


def as_csv(feeds: Path, feed: str, text: Callable[[str], str | bytes]) -> None:
    frames = [pl.read_parquet(path) for path in files(feeds, feed)]
    shutil.rmtree(feeds / feed)
    (feeds / feed).mkdir()
    told = text(pl.concat(frames).write_csv(datetime_format="%Y-%m-%dT%H:%M:%S"))
    data = told.encode() if isinstance(told, str) else told
    (feeds / feed / "all.csv").write_bytes(data)


def cut_in_half(feeds: Path) -> None:
    path = files(feeds, "social_insurance")[0]
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def half_of_rows_bad(share: float) -> Spoil:
    def spoil(feeds: Path) -> None:
        change(
            feeds,
            "tax",
            lambda rows: (
                rows.with_row_index("n")
                .with_columns(
                    income_kind=pl.when(pl.col("n") < pl.len() * share)
                    .then(pl.lit("gift"))
                    .otherwise("income_kind")
                )
                .drop("n")
            ),
        )

    return spoil


# what is done to a delivery -> what the message must name
REFUSED: dict[str, tuple[Spoil, list[str]]] = {
    "folder_missing": (lambda f: shutil.rmtree(f / "honours"), ["honours", "folder"]),
    "folder_empty": (
        lambda f: [path.unlink() for path in files(f, "honours")] and None,
        ["honours", "*.parquet", "nothing to read"],
    ),
    "csv_empty": (
        lambda f: as_csv(f, "honours", lambda _: ""),
        ["honours/part-0 (各主管部门)", "header"],
    ),
    "parquet_cut_in_half": (cut_in_half, ["social_insurance", "whole Parquet file"]),
    "csv_in_gbk": (
        lambda f: as_csv(f, "employers", lambda text: text.encode("gbk")),
        ["employers", "part-0", "UTF-8", "GBK"],
    ),
    "column_renamed": (
        lambda f: change(f, "tax", lambda rows: rows.rename({"amount_fen": "amount"})),
        [
            "tax/part-0 (税务)",
            "missing column amount_fen",
            "1 unknown column (column 4 like 'aaaaaa')",
        ],
    ),
    "column_missing": (
        lambda f: change(f, "tax", lambda rows: rows.drop("amount_fen")),
        ["tax", "missing column amount_fen"],
    ),
    "column_extra": (
        lambda f: change(f, "tax", lambda rows: rows.with_columns(note=pl.lit("x"))),
        ["tax", "1 unknown column (column 5 like 'aaaa')"],
    ),
    "dates_as_text": (
        lambda f: change(
            f, "tax", lambda rows: rows.with_columns(pl.col("treasury_date").cast(pl.String))
        ),
        ["tax", "treasury_date", "to be a date", "found String"],
    ),
    "money_as_float": (
        lambda f: change(
            f, "tax", lambda rows: rows.with_columns(pl.col("amount_fen").cast(pl.Float64))
        ),
        ["tax", "amount_fen", "to be a whole number", "found Float64"],
    ),
    "csv_row_too_short": (
        lambda f: as_csv(f, "tax", lambda text: text + "only,two\n"),
        ["tax/part-0", "expected 4 fields in every row", "found 2 in row", "the header counted"],
    ),
    "gzip_cut_in_half": (
        lambda f: (
            (
                as_csv(f, "tax", lambda text: gzip.compress(text.encode())[:-200]),
                (f / "tax" / "all.csv").rename(f / "tax" / "all.csv.gz"),
            )
            and None
        ),
        ["tax/part-0"],
    ),
    "ten_percent_bad": (half_of_rows_bad(0.1), ["tax", "income_kind", "a known value", "5.00 %"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_feed_is_refused(name: str, copied: Path, published: tuple, tmp_path: Path) -> None:
    spoil, expected = REFUSED[name]
    warehouse = tmp_path / "warehouse"
    shutil.copytree(published[0], warehouse)
    before = (warehouse / "luohu.duckdb").read_bytes()
    spoil(copied)
    done = here("run", 2020, "--feeds", copied, "--warehouse", warehouse, "--direct")
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    for word in expected:
        assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert (warehouse / "luohu.duckdb").read_bytes() == before
    assert not (warehouse / ".work").exists()


def test_every_refused_feed_is_named_at_once(copied: Path, tmp_path: Path) -> None:
    shutil.rmtree(copied / "honours")
    shutil.rmtree(copied / "awards")
    done = here("run", 2020, "--feeds", copied, "--warehouse", tmp_path / "w", "--direct")
    assert done.returncode == 2
    assert "honours (" in done.stderr
    assert "awards (" in done.stderr


def test_five_percent_exactly_is_not_too_much(copied: Path, tmp_path: Path) -> None:
    rows = pl.concat(pl.read_parquet(path) for path in files(copied, "tax_violations"))
    template = rows.head(1)
    many = pl.concat([template] * 40)
    for path in files(copied, "tax_violations"):
        path.unlink()
    bad = many.with_row_index("n").with_columns(
        person_id=pl.when(pl.col("n") < 2).then(pl.lit("x")).otherwise("person_id")
    )
    bad.drop("n").write_parquet(copied / "tax_violations" / "a.parquet")
    run = ("run", 2020, "--feeds", copied, "--warehouse", tmp_path / "w", "--direct")
    run += ("--no-recheck",)
    assert here(*run).returncode == 0
    assert here(*run, "--max-rejects", "0.0499").returncode == 2


@pytest.mark.parametrize("given", ["2", "-0.1", "many", "1/0"])
def test_max_rejects_is_a_share(given: str, copied: Path, tmp_path: Path) -> None:
    done = here(
        "run", 2020, "--feeds", copied, "--warehouse", tmp_path, "--max-rejects", given, "--direct"
    )
    assert done.returncode == 2
    assert "expected a share from 0 to 1" in done.stderr or "No such option" in done.stderr


def one_bad(rows: pl.DataFrame, column: str, value: object) -> pl.DataFrame:
    return pl.concat(
        [rows, rows.head(1).with_columns(pl.lit(value, rows.schema[column]).alias(column))]
    )


ROWS = {
    "null_key": ("social_insurance", "person_id", None, "not_null"),
    "wrong_check_character": ("tax", "person_id", "11010119800101001X", "id_number"),
    "month_on_the_15th": ("social_insurance", "month", date(2019, 3, 15), "first_day"),
    "unknown_code": ("housing", "kind", "hotel", "known_value"),
}


@dataclass(frozen=True)
class Told:
    """A run of a delivery with the bad rows, and where each stands."""

    warehouse: Path
    at: dict[str, tuple[str, int]]  # file and row

    def rejects(self, feed: str, file: str, row: int) -> list[tuple[str, str, str | None]]:
        """Column, check and masked value of what was told about a row."""
        with duckdb.connect(str(self.warehouse / "luohu.duckdb"), read_only=True) as database:
            return database.execute(
                "SELECT column_name, check_name, masked_value FROM rejects"
                " WHERE feed = ? AND file = ? AND row_number = ?",
                [feed, file, row],
            ).fetchall()


@pytest.fixture(scope="module")
def told(delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One run tells about them all: each bad row is quarantined on its own."""
    folder = tmp_path_factory.mktemp("bad")
    feeds = Path(shutil.copytree(delivery, folder / "feeds"))
    at = {}
    for name, (feed, column, value, _) in ROWS.items():
        change(feeds, feed, lambda rows, column=column, value=value: one_bad(rows, column, value))
        path = files(feeds, feed)[0]
        at[name] = (f"{feed}/part-0", pl.read_parquet(path).height)
    change(feeds, "social_insurance", lambda rows: one_bad(rows, "work_district", "110199"))
    path = files(feeds, "social_insurance")[0]
    at["differing"] = ("social_insurance/part-0", pl.read_parquet(path).height)
    change(feeds, "applications", lambda rows: pl.concat([rows, rows.head(1).with_columns(LONE)]))
    done = here("run", 2020, "--feeds", feeds, "--warehouse", folder / "w", "--direct")
    assert done.returncode == 0, done.stderr
    return Told(folder / "w", at)


LONE = (
    pl.lit("2020LONE").alias("application_no"),
    pl.lit("110101198001010010").alias("person_id"),
    pl.lit(date(1980, 1, 1)).alias("birth_date"),
    pl.lit("91110105MA00000012").alias("employer_id"),  # in no employers row either
)


@pytest.mark.parametrize("name", ROWS)
def test_row_is_quarantined_and_masked(name: str, told: Told) -> None:
    feed, column, value, check = ROWS[name]
    found = told.rejects(feed, *told.at[name])
    assert (column, check) in {(each[0], each[1]) for each in found}
    assert str(value) not in {each[2] for each in found}


def test_two_differing_rows_for_one_month_are_both_left_out(told: Told) -> None:
    file, row = told.at["differing"]
    for each in (1, row):
        checks = [check for _, check, _ in told.rejects("social_insurance", file, each)]
        assert checks == ["conflicting_duplicate"]


def test_an_applicant_in_no_other_feed_is_scored_and_not_eligible(told: Told) -> None:
    with duckdb.connect(str(told.warehouse / "luohu.duckdb"), read_only=True) as database:
        scored = database.execute(
            "SELECT s.total, s.age, e.employer, e.eligible FROM scores s JOIN eligibility e"
            " USING (round, application_no) WHERE application_no = '2020LONE'"
        ).fetchall()
    assert [(str(a), str(b), c, d) for a, b, c, d in scored] == [("20.00", "20.00", False, False)]
    explained = here("explain", 2020, "2020LONE", "--warehouse", told.warehouse)
    assert explained.returncode == 0
    assert "Not eligible" in explained.stdout


def test_quota_larger_than_the_applicants_settles_all_eligible(published: tuple) -> None:
    _, outcome = published
    assert outcome.line.settled == outcome.line.eligible < 6000


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("run", 1999, "--feeds", "x"), "rounds: 2018, 2019, 2020"),
        (("run", 2020, "--feeds", "nowhere"), "nowhere"),
        (("run", 2020), "expected a delivery of every feed, found none of applications"),
        (("explain", 2020, "1", "--warehouse", "nowhere"), "luohu run"),
        (("simulate", 1999, "--out", "x"), "rounds: 2018, 2019, 2020"),
    ],
)
def test_bad_usage_says_what_was_expected(
    arguments: tuple[object, ...], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = here(*arguments, *(["--direct"] if arguments[0] == "run" else []))
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_explain_says_which_rounds_and_applications_there_are(published: tuple) -> None:
    warehouse = published[0]
    assert "rounds: 2020" in here("explain", 2018, "1", "--warehouse", warehouse).stderr
    assert "no application 1" in here("explain", 2020, "1", "--warehouse", warehouse).stderr


@pytest.mark.skipif(
    os.geteuid() == 0, reason="root may write anywhere: tried as another user below"
)
def test_read_only_warehouse(copied: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = here("run", 2020, "--feeds", copied, "--warehouse", tmp_path / "w", "--direct")
    tmp_path.chmod(0o700)
    assert done.returncode == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.parametrize(
    "size", ["4500k", pytest.param("6m", marks=pytest.mark.soak), "7500k", "read-only"]
)
def test_disk_full_or_read_only_leaves_the_old_publication(
    size: str, copied: Path, published: tuple, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    options = "size=64m" if size == "read-only" else f"size={size}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("this machine does not let tests mount a disk")
    try:
        shutil.copy(published[0] / "luohu.duckdb", disk)
        before = (disk / "luohu.duckdb").read_bytes()
        if size == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        done = here("run", 2020, "--feeds", copied, "--warehouse", disk, "--direct")
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        expected = "No space left" if size != "read-only" else "can be written to"
        assert expected in done.stderr
        assert (disk / "luohu.duckdb").read_bytes() == before
        assert {path.name for path in disk.iterdir()} <= {
            "luohu.duckdb",
            "runs",
            ".publishing.lock",
        }
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_simulate_refuses_a_folder_in_use(copied: Path) -> None:
    done = here("simulate", 2020, "--out", copied, "--applicants", 10)
    assert done.returncode == 2
    assert str(copied) in done.stderr


def test_help_teaches_by_example() -> None:
    for command in ("simulate", "run", "explain"):
        done = here(command, "--help")
        assert done.returncode == 0
        assert f"luohu {command} 2020" in done.stdout
    assert sys.executable
    assert HOME


@pytest.mark.parametrize("how", ["newer", "damaged"])
def test_a_database_of_the_future_or_none_is_told_and_left_alone(
    how: str, published: tuple, tmp_path: Path
) -> None:
    database = tmp_path / "luohu.duckdb"
    shutil.copy(published[0] / "luohu.duckdb", database)
    if how == "newer":
        written_by_a_newer_duckdb(database)
        expected = "written by a newer version"
    else:
        database.write_bytes(b"not a database")
        expected = "expected a database, found a file DuckDB cannot read"
    before = database.read_bytes()
    commands = [("explain", 2020, "1"), ("capsule", 2020, "--out", tmp_path / "a")]
    for arguments in commands[: 2 if how == "newer" else 1]:
        done = here(*arguments, "--warehouse", tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"luohu: {database}: {expected}")
        assert len(done.stderr.splitlines()) == 1
    assert database.read_bytes() == before
    assert list(tmp_path.iterdir()) == [database]


def test_a_round_file_with_a_missing_value_is_told_before_anything_is_read(
    delivery: Path, tmp_path: Path
) -> None:
    shutil.copytree(HOME / "data", tmp_path / "data")
    path = tmp_path / "data" / "rounds" / "2020.toml"
    path.write_text(path.read_text().replace("quota = 6000\n", ""))
    done = here("run", 2020, "--feeds", delivery, "--warehouse", tmp_path / "w", "--direct",
                 "--data", tmp_path / "data")  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "luohu: rounds/2020.toml lacks quota\n"
    assert not (tmp_path / "w").exists()


def test_a_current_database_that_cannot_be_read_is_named(copied: Path, tmp_path: Path) -> None:
    (tmp_path / "luohu.duckdb").write_bytes(b"not a database")
    done = here("run", 2020, "--feeds", copied, "--warehouse", tmp_path, "--direct")
    assert done.returncode == 2
    assert "luohu.duckdb" in done.stderr
    assert "damaged" in done.stderr
    assert (tmp_path / "luohu.duckdb").read_bytes() == b"not a database"


def test_a_refusal_for_bad_rows_tells_of_the_row_it_names() -> None:
    """Count, place and shape are of one check: the shape is that of the first row, not the commonest."""
    rows = pl.DataFrame(
        {
            "file": ["housing/part-0"] * 5,
            "row_number": [4, 9, 12, 20, 31],
            "column_name": [
                "district",
                "district",
                "district",
                "person_id, month",
                "person_id, month",
            ],
            "check_name": ["six_digits"] * 3 + ["conflicting_duplicate"] * 2,
            "masked_value": ["9999", "", "", None, None],
        }
    )
    message = too_many("housing", rows, 5, 50, Fraction(1, 20))
    assert (
        "expected six digits, came text like '9999' (first of 3: housing/part-0 row 4)" in message
    )
    assert "to be equal (first of 2: housing/part-0 row 20)" in message
