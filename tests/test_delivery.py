"""What lies in a delivery is read, is known litter, or is refused by name: nothing is passed over.

Each fault was once taken silently: half the insurance ignored, 200 of 300 applicants swallowed by one
quote, another file's types checked.
"""

import bz2
import gzip
import io
import lzma
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from pyarrow import parquet

from flows.common.failures import FeedRefused
from flows.common.settings import Order
from flows.run.delivery import SHOWABLE, folder_of
from flows.run.file_bytes import bytes_of
from flows.run.ingest import folders_of
from flows.run.read_files import require_all_rows
from flows.run.stages import Outcome, ingest_stage, run

Spoil = Callable[[Path], object]
NAME = "钟无忌测试"
ID = "110101198001010010"


def only(feeds: Path, feed: str) -> Path:
    """The one file of a feed."""
    (path,) = (feeds / feed).iterdir()
    return path


def second(name: str, content: bytes = b"x") -> Spoil:
    """Put another entry beside the file of a feed."""
    return lambda feeds: (feeds / "tax" / name).write_bytes(content)


def refused(feeds: Path, out: Path) -> str:
    """The message of a delivery that is refused."""
    out.mkdir()
    with pytest.raises(FeedRefused) as refusal:
        ingest_stage(Order(2020, feeds, out), out)
    assert not list(out.rglob("*.parquet"))
    return str(refusal.value)


def as_csv(feeds: Path, feed: str, name: str = "part-0.csv") -> Path:
    """Deliver a feed as one CSV file."""
    path = only(feeds, feed)
    target = path.with_name(name)
    text = pl.read_parquet(path).write_csv(datetime_format="%Y-%m-%dT%H:%M:%S").encode()
    target.write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    path.unlink()
    return target


# what is put into a delivery -> what the message must say
STRANGE: dict[str, tuple[Spoil, list[str]]] = {
    "capital_ending": (second("part-1.CSV"), ["tax (税务)", "part-1.CSV", "another kind"]),
    "unfinished_transfer": (second("a.parquet.filepart"), ["a.parquet.filepart"]),
    "zipped": (second("a.csv.zip"), ["a.csv.zip"]),
    "text": (second("readme.txt"), ["readme.txt"]),
    "no_ending": (second("part-1"), ["part-1 (another kind of file)"]),
    "hidden": (second(".part.csv"), [".part.csv (hidden)"]),
    "hidden_partial": (second(".part.csv.partial"), ["hidden"]),
    "sub_folder": (lambda f: (f / "tax" / "2019.csv").mkdir(), ["2019.csv (a folder)"]),
    "litter_as_folder": (lambda f: (f / "tax" / "_SUCCESS").mkdir(), ["_SUCCESS (a folder)"]),
    "dangling_link": (
        lambda f: (f / "tax" / "b.csv").symlink_to("nowhere.csv"),
        ["b.csv (a link that leads nowhere)"],
    ),
    "circular_link": (
        lambda f: (f / "tax" / "b.csv").symlink_to("b.csv"),
        ["b.csv (a link that leads nowhere)"],
    ),
    "link_out": (
        lambda f: (f / "tax" / "b.parquet").symlink_to(
            shutil.copy(only(f, "tax"), f.parent / "elsewhere.parquet")
        ),
        ["b.parquet (a link that leaves the delivery)"],
    ),
    "folder_link_out": (
        lambda f: (
            (f / "tax").rename(f.parent / "tax-elsewhere"),
            (f / "tax").symlink_to(f.parent / "tax-elsewhere"),
        ),
        ["tax (税务): expected a folder", "a link that leaves the delivery"],
    ),
    "fifo": (lambda f: os.mkfifo(f / "tax" / "a.csv"), ["a.csv (neither a file nor a folder)"]),
    "feed_is_a_file": (
        lambda f: (shutil.rmtree(f / "tax"), (f / "tax").write_bytes(b"")),
        ["tax (税务): expected a folder"],
    ),
    "unknown_folder": (lambda f: (f / "Tax2").mkdir(), ["nothing else, found Tax2 (a folder)"]),
    "unknown_file": (lambda f: (f / "tax.csv").write_bytes(b"x"), ["nothing else, found tax.csv"]),
    "named_by_a_person": (second(f"{NAME}.csv.bak"), ["entry 2 named like 字字字字字.aaa.aaa"]),
    "named_by_a_number": (second(f"{ID}.csv.bak"), ["entry 1 named like 999999999999999999.aaa.aaa"]),
    "with_hyphens": (second("110101-19800101-0010.bak"), ["named like 999999-99999999-9999.aaa"]),
    "with_dots": (second("a.110101.19800101.0010"), ["named like a.999999.99999999.9999"]),
    "of_fifteen_digits": (second("110101-800101-001_.bak"), ["named like 999999-999999-999_.aaa"]),
    "of_two_days": (second("2020-01-01_2020-12-31.bak"), ["2020-01-01_2020-12-31.bak (another"]),
    "steering_a_terminal": (second("a\x1b[2J.txt"), ["named like a?[9A.aaa"]),
    "not_utf_8": (second(os.fsdecode(b"\xff.txt")), ["named like 字.aaa"]),
    "copied": (
        lambda f: shutil.copy(only(f, "tax"), f / "tax" / "z.parquet"),
        ["tax/part-1 (税务): expected a file of its own, found tax/part-0 again"],
    ),
    "csv_and_gz": (
        lambda f: (f / "tax" / "z.csv.gz").write_bytes(
            gzip.compress(as_csv(f, "tax").read_bytes())
        ),
        ["tax/part-1 (税务): expected a file of its own, found tax/part-0 again"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGE)
def test_nothing_is_passed_over(name: str, copied: Path, tmp_path: Path) -> None:
    spoil, expected = STRANGE[name]
    spoil(copied)
    message = refused(copied, tmp_path / "out")
    for words in expected:
        assert words in message
    for personal in (NAME, ID, "\x1b"):
        assert personal not in message
    assert len(message.splitlines()) == 1


def test_every_strange_entry_is_named_at_once(copied: Path, tmp_path: Path) -> None:
    (copied / "tax" / "a.txt").touch()
    (copied / "tax" / "b.txt").touch()
    (copied / "awards" / "c.txt").touch()
    (copied / "extra").mkdir()
    message = refused(copied, tmp_path / "out")
    assert all(name in message for name in ("a.txt", "b.txt", "c.txt", "extra"))


LITTER = (".DS_Store", "._part.csv", "Thumbs.db", "desktop.ini", "_SUCCESS", ".part.parquet.crc",
          ".gitkeep", ".nfs000000000001", "~$tax.csv")  # fmt: skip


def test_litter_is_passed_over_and_counted(
    copied: Path, published: tuple[Path, Outcome], tmp_path: Path
) -> None:
    for name in LITTER:
        (copied / "tax" / name).write_bytes(b"x")
    (copied / ".DS_Store").touch()
    outcome = run(Order(2020, copied, tmp_path / "w", recheck=False))
    assert folder_of(copied, "tax").litter == outcome.litter == len(LITTER)
    scores = (Path(outcome.directory) / "scores.parquet").read_bytes()
    assert scores == (Path(published[1].directory) / "scores.parquet").read_bytes()


def test_a_link_within_the_delivery_is_read(copied: Path) -> None:
    path = only(copied, "tax")
    (copied / "tax" / "b.parquet").symlink_to(path.name)
    (copied / "link").symlink_to(copied / "tax")
    assert [part.name for part in folder_of(copied, "tax").parts] == ["tax/part-0", "tax/part-1"]
    with pytest.raises(FeedRefused, match="nothing else, found link"):
        folders_of(copied)


def test_two_empty_files_are_no_repetition(copied: Path, tmp_path: Path) -> None:
    rows = pl.read_parquet(only(copied, "detentions"))
    for name in ("x.parquet", "y.parquet"):
        rows.clear().write_parquet(copied / "detentions" / name)
    (tmp_path / "out").mkdir()
    ingest_stage(Order(2020, copied, tmp_path / "out"), tmp_path / "out")


def test_equal_rows_of_different_files_count(copied: Path, tmp_path: Path) -> None:
    rows = pl.read_parquet(only(copied, "tax"))
    rows.head(5).write_parquet(copied / "tax" / "z.parquet")
    (tmp_path / "out").mkdir()
    ingest_stage(Order(2020, copied, tmp_path / "out"), tmp_path / "out")


@pytest.mark.parametrize("name", ["tax[1].parquet", "*.parquet", "a?.csv", "{a,b}.csv", "~.csv"])
def test_a_name_is_no_pattern(name: str, copied: Path, tmp_path: Path) -> None:
    """The other file's types were checked once, and yuan as floats were cut to fen."""
    good = only(copied, "tax")
    rows = pl.read_parquet(good)
    good.rename(good.with_name("tax1.parquet"))
    floats = rows.head(9).with_columns(pl.col("amount_fen").cast(pl.Float64) / 100)
    content = io.BytesIO()
    if name.endswith("parquet"):
        floats.write_parquet(content)
        expected = "column amount_fen to be a whole number, found Float64"
    else:
        floats.with_columns(pl.col("amount_fen") + 0.5).write_csv(content)
        expected = "a whole number, came text like"
    (copied / "tax" / name).write_bytes(content.getvalue())
    (tmp_path / "out").mkdir()
    with pytest.raises(FeedRefused, match=expected):
        ingest_stage(Order(2020, copied, tmp_path / "out", max_rejects="0"), tmp_path / "out")


def test_names_that_are_shown() -> None:
    assert SHOWABLE.fullmatch("tax[1]~2020-07.part_0.csv")
    for name in ("a b", "é", "a" * 65, "", "x110101198001010", "a\n", "a/b", "a'b"):
        assert not SHOWABLE.fullmatch(name), name


# --- Quotes in CSV ----------------------------------------------------------------------------------


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def before_field(line: bytes, field: int) -> bytes:
    """A line with a quote before one of its fields."""
    fields = line.split(b",")
    return b",".join([*fields[:field], b'"' + fields[field], *fields[field + 1 :]])


def stray(*places: tuple[int, int]) -> Callable[[list[bytes]], list[bytes]]:
    """Put quotes before fields of lines, the header being line 0."""

    def spoil(lines: list[bytes]) -> list[bytes]:
        for line, field in places:
            lines[line] = before_field(lines[line], field)
        return lines

    return spoil


QUOTES: dict[str, tuple[str, Callable[[list[bytes]], list[bytes]], str]] = {
    "one_in_applications": ("applications", stray((5, 2)), "opens in line 6 and never closes"),
    "two_far_apart": ("applications", stray((5, 2), (200, 4)), "opens in line 6 and swallows"),
    "two_in_tax": ("tax", stray((10, 2), (900, 1)), "opens in line 11 and swallows"),
    "next_line": ("tax", stray((10, 1), (11, 1)), "opens in line 11 and swallows"),
    "first_field": ("criminal_records", stray((2, 0), (4, 1)), "opens in line 3 and swallows"),
    "in_the_header": ("honours", stray((0, 1)), "a quote in it that never closes"),
    "after_a_name_with_a_comma": (
        "employers",
        lambda lines: [
            *lines[:5],
            before_field(lines[5].replace(b",", b',"Acme, Ltd",', 1).replace(b",true", b"", 1), 7),
            lines[6].rstrip() + b'"\n',
            *lines[7:],
        ],
        "opens in line 6 and swallows 2 whole lines",
    ),
    "in_the_last_line": ("tax", stray((-1, 3)), "never closes"),
    "an_even_number_of_quotes": (
        "tax",
        lambda lines: [*lines[:-1], before_field(lines[-1].replace(b",wage", b',wa"ge'), 3)],
        "never closes",
    ),
}


QUOTED = [
    *((name, "a.csv", b"\n") for name in QUOTES),
    ("next_line", "a.csv", b"\r\n"),
    ("in_the_last_line", "a.csv", b"\r\n"),
    ("two_far_apart", "a.csv.gz", b"\n"),
    ("in_the_header", "a.csv.gz", b"\n"),
]


@pytest.mark.parametrize(("name", "packed", "end"), QUOTED)
def test_a_stray_quote_is_refused_by_file_and_line(
    name: str, packed: str, end: bytes, copied: Path, tmp_path: Path
) -> None:
    feed, spoil, expected = QUOTES[name]
    path = as_csv(copied, feed)
    content = b"".join(spoil(lines_of(path))).replace(b"\n", end)
    path.unlink()
    data = gzip.compress(content) if packed.endswith("gz") else content
    path.with_name(packed).write_bytes(data)
    message = refused(copied, tmp_path / "out")
    assert f"{feed}/part-0" in message
    assert expected in message
    assert len(message) < 400


GOOD_NAMES = [
    '"张\n三"',
    '"张\r\n三"',
    '"a,b\n""c"""',
    'O"Brien',
    '"O""Brien"',
    '""',
    "'张'",
    '"张\t三"',
]


def test_a_quoted_line_break_is_one(copied: Path, tmp_path: Path) -> None:
    """Names as a spreadsheet writes them, and blank lines, are read as they are meant."""
    path = as_csv(copied, "applications")
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    place = header.split(",").index("name")
    for number, name in enumerate(GOOD_NAMES):
        cells = lines[number].split(",")
        lines[number] = ",".join([*cells[:place], name, *cells[place + 1 :]])
    text = "\n".join(["", "", header, *lines[:20], "", *lines[20:], "", ""])
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    (tmp_path / "out").mkdir()
    ingest_stage(Order(2020, copied, tmp_path / "out"), tmp_path / "out")
    names = pl.read_parquet(tmp_path / "out" / "restricted" / "people.parquet")["name"]
    assert {"张\n三", "张\r\n三", 'a,b\n"c"', 'O"Brien', "'张'", "张\t三"} < {*names}


def test_a_lost_row_is_missed(copied: Path) -> None:
    """The count of a reader is held against the lines of the file."""
    path = as_csv(copied, "tax")
    (part,) = folder_of(copied, "tax").parts
    rows = len(lines_of(path)) - 1
    require_all_rows(part, rows, bytes_of(part))
    for wrong in (rows - 1, rows + 1, 0):
        with pytest.raises(FeedRefused, match=f"expected {rows:,} rows, as counted"):
            require_all_rows(part, wrong, bytes_of(part))


# --- Files that are not what their names say ---------------------------------------------------------

# how a file of feed tax is named, what its CSV is made into, and what the message must say
KINDS: dict[str, tuple[str, Callable[[bytes], bytes], list[str]]] = {
    "text_as_gz": ("a.csv.gz", lambda text: text, ["compressed once", "text", "named .csv"]),
    "gz_of_gz": ("a.csv.gz", lambda text: gzip.compress(gzip.compress(text)), ["once", "gzip"]),
    "gz_of_nothing": ("a.csv.gz", lambda _: gzip.compress(b""), ["header line", "empty file"]),
    "no_gz_at_all": ("a.csv.gz", lambda _: b"", ["an empty file"]),
    "bz2_as_gz": ("a.csv.gz", bz2.compress, ["bytes of no known kind"]),
    "xz_as_csv": ("a.csv", lzma.compress, ["CSV in UTF-8", "bytes of no known kind"]),
    "database_as_csv": ("a.csv", lambda _: b"SQLite format 3\0" + bytes(99), ["no known kind"]),
    "text_as_parquet": ("a.parquet", lambda text: text, ["whole Parquet file", "text"]),
    "gz_as_parquet": ("a.parquet", gzip.compress, ["gzip, which belongs in a file named .csv.gz"]),
    "no_parquet_at_all": ("a.parquet", lambda _: b"", ["found an empty file"]),
    "parquet_as_csv": ("a.csv", lambda _: b"PAR1" + bytes(99), ["belongs in a file named .parquet"]),
    "parquet_as_gz": ("a.csv.gz", lambda _: b"PAR1" + bytes(99), ["Parquet"]),
    "utf_32": ("a.csv", lambda text: text.decode().encode("utf-32"), ["read as UTF-32"]),
    "nothing_but_a_mark": ("a.csv", lambda _: b"\xef\xbb\xbf", ["header line", "empty file"]),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_told_by_what_is_in_it(name: str, copied: Path, tmp_path: Path) -> None:
    called, made, expected = KINDS[name]
    path = as_csv(copied, "tax")
    content = made(path.read_bytes())
    path.unlink()
    path.with_name(called).write_bytes(content)
    message = refused(copied, tmp_path / "out")
    assert message.startswith("tax/part-0 (税务): expected ")
    assert all(words in message for words in expected), message
    assert len(message.splitlines()) == 1


def test_two_parquet_files_in_one_are_refused(copied: Path, tmp_path: Path) -> None:
    """A reader sees the first's rows by the second's footer, and nothing looks amiss."""
    path = only(copied, "tax")
    other = io.BytesIO()
    pl.read_parquet(path).with_columns(pl.col("amount_fen") * 2).write_parquet(other)
    path.write_bytes(path.read_bytes() + other.getvalue())
    same = path.read_bytes()[: -len(other.getvalue())]
    assert "tax/part-0" in refused(copied, tmp_path / "out")
    path.write_bytes(same + same)
    assert "found two, one written after the other" in refused(copied, tmp_path / "again")


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_text_written_as_differences_is_read(encoding: str, copied: Path, tmp_path: Path) -> None:
    """DuckDB and Spark write it so in the second version of Parquet."""
    for feed, column in (("applications", "name"), ("tax", "person_id")):
        path = only(copied, feed)
        told = parquet.read_table(path)
        parquet.write_table(told, path, use_dictionary=False, column_encoding={column: encoding})
    (tmp_path / "out").mkdir()
    ingest_stage(Order(2020, copied, tmp_path / "out"), tmp_path / "out")


# --- Headers and encodings --------------------------------------------------------------------------

HEADERS: dict[str, tuple[Callable[[bytes], bytes], list[str]]] = {
    "without_header": (lambda text: text.split(b"\n", 1)[1], ["missing column", "4 unknown columns"]),
    "line_ends_lost": (lambda text: text.replace(b"\n", b","), ["a first line of"]),
    "all_on_one_line": (lambda text: text.replace(b"\n", b""), []),
    "forty_thousand_columns": (
        lambda text: text.split(b"\n")[0] + b",x" * 9_000 + b"\n",
        ["9,000 unknown columns"],
    ),
    "many_more": (lambda text: b"x," * 40_000 + text, ["a first line of"]),
    "utf_16": (lambda text: text.decode().encode("utf-16"), ["UTF-8", "read as UTF-16"]),
    "utf_16_unmarked": (lambda text: text.decode().encode("utf-16-le"), ["read as UTF-16"]),
    "gzip_by_another_name": (gzip.compress, ["gzip", ".csv.gz"]),
    "quotes_in_a_name": (lambda text: text.replace(b"person_id", b'""person_id""'), ['aaaaaa_aa""']),
    "excel": (lambda text: b"PK\x03\x04" + text, ["Excel"]),
    "nothing_but_blank_lines": (lambda _: b"\n\n\r\n", ["a header line, found an empty file"]),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_is_told_by_shape(name: str, copied: Path, tmp_path: Path) -> None:
    change, expected = HEADERS[name]
    path = as_csv(copied, "tax")
    text = path.read_bytes()
    path.write_bytes(change(text))
    message = refused(copied, tmp_path / "out")
    assert message.startswith("tax/part-0 (税务): expected ")
    for words in expected:
        assert words in message
    for line in text.decode().splitlines()[1:50]:
        assert line.split(",")[0] not in message
    assert len(message.splitlines()) == 1
    assert len(message) < 500


def test_a_parquet_type_is_told_by_name_alone(copied: Path, tmp_path: Path) -> None:
    path = only(copied, "honours")
    rows = pl.read_parquet(path)
    inner = pl.struct(pl.lit(1).alias(f"{NAME}{ID}")).alias("title")
    rows.with_columns(inner).write_parquet(path)
    message = refused(copied, tmp_path / "out")
    assert "column title to be text, found Struct" in message
    assert NAME not in message


def test_thousands_of_columns_of_parquet_are_one_line(copied: Path, tmp_path: Path) -> None:
    path = only(copied, "tax")
    rows = pl.read_parquet(path).head(3)
    rows.with_columns(pl.lit(1).alias(f"x{n}") for n in range(4_000)).write_parquet(path)
    message = refused(copied, tmp_path / "out")
    assert "4,000 unknown columns (column 5 like 'a9', column 6 like 'a9', column 7" in message
    assert len(message) < 400


def test_a_column_without_any_value_has_no_type(copied: Path, tmp_path: Path) -> None:
    path = only(copied, "social_insurance")
    pl.read_parquet(path).with_columns(
        maternity=pl.lit(None), pension=pl.col("pension").cast(pl.Categorical)
    ).write_parquet(path)
    (tmp_path / "out").mkdir()
    ingest_stage(Order(2020, copied, tmp_path / "out"), tmp_path / "out")
