"""Values no calendar and no purse holds are bad rows: the round goes on, and so do its receipts."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as arrow
import pytest
from commands import edited
from pyarrow import parquet

from flows.common.settings import DATA, Order
from flows.explain.receipts.bulk import VERIFIER, write_receipts
from flows.run.stages import Outcome, ingest_stage, run

FAR = 2**31 - 1  # the day that says infinity
Rows = Callable[[arrow.Table], arrow.Table]


def put(column: str, values: arrow.Array) -> Rows:
    """Write values over the first cells of a column."""

    def spoil(table: arrow.Table) -> arrow.Table:
        rest = table.column(column).slice(len(values)).chunks
        place = table.column_names.index(column)
        cells = arrow.chunked_array([values, *rest])
        return table.set_column(place, table.schema.field(column), cells)

    return spoil


def texts(*values: bytes) -> arrow.Array:
    """Texts as they lie in a file, UTF-8 or not."""
    binary = arrow.array(values, arrow.large_binary())
    return arrow.LargeStringArray.from_buffers(len(values), *binary.buffers()[1:])


def days(*values: int) -> arrow.Array:
    """Dates by their number of days since 1970."""
    return arrow.array(values, arrow.int32()).view(arrow.date32())


# feed -> what is written over its first rows, and which check says so in how many rows
ODD: dict[str, tuple[Rows, str, str, int]] = {
    "residence_permits": (put("valid_from", days(FAR, -FAR, -800_000)), "valid_from", "within_limits", 3),
    "housing": (put("start_date", days(1_970_000_000, 3_000_000)), "start_date", "within_limits", 2),
    "tax": (put("amount_fen", arrow.array([2**63 - 1, -(2**63), 10**15 + 1])), "amount_fen", "within_limits", 3),
    "financings": (put("amount_fen", arrow.array([2**62])), "amount_fen", "within_limits", 1),
    "honours": (put("title", texts(b"\xff\xfe", b"\xc3", b"a\x00b")), "title", "utf_8", 2),
    "applications": (
        put("submitted_at", arrow.array([2**63 - 1], arrow.int64()).view(arrow.timestamp("us"))),
        "submitted_at", "within_limits", 1,
    ),
    "employers": (put("name", texts(b"\xe4\xb8", b"\x1b[2J")), "name", "utf_8", 1),
    "awards": (put("programme", texts(b"\x80")), "programme", "utf_8", 1),
    "social_insurance": (put("pension", texts(b"\xffpaid")), "pension", "utf_8", 1),
}  # fmt: skip


@pytest.fixture(scope="module")
def odd(delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A round in which every feed that can has such values, and somebody paid 10^15 very often."""
    folder = tmp_path_factory.mktemp("odd")
    feeds = Path(shutil.copytree(delivery, folder / "feeds"))
    for feed, (spoil, *_) in ODD.items():
        path = sorted((feeds / feed).iterdir())[0]
        parquet.write_table(spoil(parquet.read_table(path)), path, store_schema=False)
    somebody = pl.read_parquet(feeds / "applications")["person_id"].drop_nulls()[50]
    years = [2017, 2018, *[2019] * 10_000]
    pl.DataFrame(
        {
            "person_id": [somebody] * len(years),
            "treasury_date": [date(year, 5, 5) for year in years],
            "income_kind": ["wage", "wage", *["comprehensive"] * 10_000],
            "amount_fen": [10**15] * len(years),
        }
    ).write_parquet(feeds / "tax" / "z.parquet")
    outcome = run(Order(2020, feeds, folder / "w", max_rejects="1"))
    return folder / "w", outcome


@pytest.mark.parametrize("feed", ODD)
def test_an_odd_value_is_one_bad_row(feed: str, odd: tuple[Path, Outcome]) -> None:
    _, column, check, rows = ODD[feed]
    rejects = pl.read_parquet(Path(odd[1].directory) / "rejects.parquet")
    found = rejects.filter(
        (pl.col("feed") == feed)
        & (pl.col("column_name") == column)
        & (pl.col("check_name") == check)
        & (pl.col("file") == f"{feed}/part-0")
    )
    assert found["row_number"].to_list() == list(range(1, rows + 1))


def test_a_lost_value_is_told_once(odd: tuple[Path, Outcome]) -> None:
    rejects = pl.read_parquet(Path(odd[1].directory) / "rejects.parquet")
    told = rejects.group_by("file", "row_number", "column_name").agg(pl.col("check_name"))
    for checks in told["check_name"]:
        assert not {"not_null"} & set(checks) or len(checks) == 1


def test_the_sum_of_very_many_payments_is_exact(odd: tuple[Path, Outcome]) -> None:
    rows = pl.read_parquet(Path(odd[1].directory) / "evidence.parquet")
    tax = [json.loads(each) for each in rows.filter(indicator="tax")["evidence"]]
    assert max(each["fen_1"] for each in tax if each) >= 10**19


def test_receipts_of_such_a_round_check(odd: tuple[Path, Outcome], tmp_path: Path) -> None:
    out = tmp_path / "receipts.jsonl"
    written = write_receipts(odd[0], 2020, out, None)
    done = subprocess.run(
        [sys.executable, VERIFIER, out, "--root", written.root],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_time_that_microseconds_cannot_hold(delivery: Path, copied: Path, tmp_path: Path) -> None:
    path = sorted((copied / "applications").iterdir())[0]
    rows = pl.read_parquet(path).with_columns(pl.col("submitted_at").cast(pl.Datetime("ms")))
    table = rows.to_arrow()
    far = arrow.array([2**62], arrow.int64()).view(arrow.timestamp("ms"))
    parquet.write_table(put("submitted_at", far)(table), path, store_schema=False)
    outcome = run(Order(2020, copied, tmp_path / "w", recheck=False))
    rejects = pl.read_parquet(Path(outcome.directory) / "rejects.parquet")
    first = rejects.filter(feed="applications", row_number=1)
    assert first.select("column_name", "check_name").rows() == [("submitted_at", "parse")]


def test_an_end_in_9999_means_open(copied: Path, tmp_path: Path, published: tuple) -> None:
    """The same points whether a home is held without an end or to 9999-12-31."""
    for feed, column in (("housing", "end_date"), ("residence_permits", "valid_to")):
        for path in (copied / feed).iterdir():
            rows = pl.read_parquet(path)
            rows.with_columns(pl.col(column).fill_null(date(9999, 12, 31))).write_parquet(path)
    outcome = run(Order(2020, copied, tmp_path / "w", recheck=False))
    for table in ("scores", "eligibility", "ranking"):
        name = f"{table}.parquet"
        now = pl.read_parquet(Path(outcome.directory) / name)
        assert now.equals(pl.read_parquet(Path(published[1].directory) / name)), table


# a cell of CSV -> the check that says so, and its shape
CELLS = {
    ("tax", "treasury_date", "0000-01-01"): ("within_limits", "9999-99-99"),
    ("tax", "treasury_date", "1899-12-31"): ("within_limits", "9999-99-99"),
    ("tax", "amount_fen", "1000000000000001"): ("within_limits", "9999999999999999"),
    ("applications", "submitted_at", "2020-12-31T23:59:60"): ("parse", "9999-99-99A99:99:99"),
    ("applications", "birth_date", "2030-01-01"): ("not_after_received_on", "9999-99-99"),
    ("applications", "name", "\u00ad\ufe0f\u3164"): ("not_blank", "字字字"),
    ("applications", "name", "110101.19800101\u200b0010"): ("without_id_number", "999999.99999999字9999"),
    ("employers", "name", "110101/19800101/0010"): ("without_id_number", "999999/99999999/9999"),
}  # fmt: skip


@pytest.mark.parametrize("cell", CELLS)
def test_an_odd_cell_is_told_by_its_shape(
    cell: tuple[str, str, str], copied: Path, tmp_path: Path
) -> None:
    feed, column, text = cell
    data = Path(shutil.copytree(DATA, tmp_path / "data"))
    edited(data / "rounds" / "2020.toml", "\nquota", "\nreceived_on = 2029-12-31\nquota")
    path = next((copied / feed).iterdir())
    rows = pl.read_parquet(path).with_columns(pl.all().cast(pl.String))
    bad = rows.head(1).with_columns(pl.lit(text).alias(column))
    if column == "submitted_at":
        rows = rows.with_columns(pl.col(column).str.replace(" ", "T"))
    path.unlink()
    pl.concat([bad, rows[1:]]).write_csv(path.with_suffix(".csv"))
    order = Order(2020, copied, tmp_path, data, max_rejects="1")
    ingest_stage(order, tmp_path)
    first = pl.read_parquet(tmp_path / "rejects.parquet").filter(feed=feed, row_number=1)
    found = first.filter(column_name=column).select("check_name", "masked_value").rows()
    assert CELLS[cell] in found
