"""The published list (公示名单): what is found, in which order, on which page, and the same rows as files."""

import csv
import io
import re
import unicodedata
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shown import shown_round

from flows.common.points import in_text
from flows.public.listing.csv_file import list_csv
from flows.public.listing.found import found, named_pages, part_of
from flows.public.listing.held_list import DOWN, KEYS, Listing, Row
from flows.public.listing.plain import folded, plain
from flows.public.listing.query import EVERYBODY, FIELDS, Query, read_query
from flows.public.listing.xlsx_file import About, list_xlsx
from flows.public.rounds import listed as lists
from flows.public.rounds.listed import listing_of

TITLES = ("合法稳定就业", "守法记录")
HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "O'Brien & \"Söhne\", Ltd.",
    "=1+1", "+1", "-1", "@SUM(A1)", "＝cmd|' /C calc'!A0", "＋1", "－1", "＠x", "﹦1", "  =1+1", "\t=1+1", "\r\n=1",
    "\u3000＝1", "\u200b=1", "\ufeff+1", "\u202e-1", "'", "'=1", "http://x.cn/", "mailto:a@b.cn", "1", "007", "1e5",
    "TRUE", "_x0041_", "a,b", 'say ""', "\u202eabc", "a\x00b\x07c", "a\ufffeb", "\u2028x", "长" * 300, "x" * 40_000,
    "买买提·艾力", "𠮷野家", "Ｆｕｌｌ　Ｗｉｄｔｈ", "ﬁn", "Straße", "{{ 7*7 }}", "%s", "\\N", "#REF!", "NULL", " ", "",
    "<r>&</r>", "<r></r>", "<r><t>x</t></r>", "<r>_x0041_ </r>",
]  # fmt: skip
NAMES = st.text(alphabet="张三李四·．.=＝-+@'\"<&,\t\n \u3000aAＡßİ\u200b\u202e𠮷", max_size=6)
ROUND = datetime(2020, 10, 15, 9)  # noqa: DTZ001 (of Beijing, as the database has it)
ABOUT = About("北京市积分落户2020年度公示名单", (("年度", "2020"),), ROUND)


def listed(people: list[tuple[str, str | None]]) -> Listing:
    """A list of people by name and employer, through the frame that a database gives."""
    frame = pl.DataFrame(
        {
            "serial": [202000001 + place for place in range(len(people))],
            "name": [name for name, _ in people],
            "birth_month": [f"{1970 + place % 7}-{1 + place % 12:02}" for place in range(len(people))],
            "employer": [employer for _, employer in people],
            "total": [f"{100 - place // 3}.{place % 2}7" for place in range(len(people))],
            "employment": ["60.50"] * len(people),
            "law": [None if place % 2 else "-30.00" for place in range(len(people))],
        },
        schema_overrides={"name": pl.String, "employer": pl.String},
    )  # fmt: skip
    points = pl.col("total", "employment", "law").cast(pl.Decimal(9, 2))
    of_round = frame.with_columns(points)
    return Listing.of(of_round, dict(zip(("employment", "law"), TITLES, strict=True)))


@pytest.fixture(scope="module")
def hostile() -> Listing:
    return listed(
        [(text, HOSTILE[-place]) for place, text in enumerate(HOSTILE)] + [("张三", None)] * 2
    )


# --- what is found ---


def is_found(row: Row, query: Query) -> bool:
    """Said once more, slowly."""
    needle = folded(query.q)
    year = int(row.birth_month.split("-")[0])
    return (
        (not needle or any(needle in folded(text) for text in (str(row.serial), row.name, row.employer)))
        and (query.points_from is None or row.total >= query.points_from)
        and (query.points_to is None or row.total <= query.points_to)
        and (query.born_from is None or year >= query.born_from)
        and (query.born_to is None or year <= query.born_to)
    )  # fmt: skip


def in_order(rows: list[Row], sort: str) -> list[Row]:
    """By a key, and those that are alike by serial, whichever way."""
    values = {
        "serial": lambda row: row.serial, "name": lambda row: row.name.encode("gb18030"),
        "born": lambda row: row.birth_month, "total": lambda row: row.total,
        "employer": lambda row: row.employer.encode("gb18030"),
    }  # fmt: skip
    key = values[sort.removeprefix("-")]
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return [
        row
        for value in sorted(groups, reverse=sort.startswith("-"))
        for row in sorted(groups[value], key=lambda row: row.serial)
    ]


QUERIES = st.builds(
    Query,
    q=st.one_of(st.just(""), st.text(alphabet="张三李·．2０1aＡ ß", max_size=3).map(str.strip)),
    points_from=st.none() | st.integers(9000, 10100),
    points_to=st.none() | st.integers(9000, 10100),
    born_from=st.none() | st.integers(1969, 1977),
    born_to=st.none() | st.integers(1969, 1977),
    sort=st.sampled_from([*KEYS, *(f"{DOWN}{name}" for name in KEYS)]),
    size=st.sampled_from([50, 100, EVERYBODY]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(NAMES, st.none() | NAMES), max_size=12), st.integers(0, 11), QUERIES)
def test_what_is_found_is_what_plain_python_finds(
    people: list[tuple[str, str | None]], times: int, query: Query
) -> None:
    listing = listed(people * times)
    expected = in_order([row for row in listing.rows if is_found(row, query)], query.sort)
    hits = found(listing, query)
    assert [listing.rows[place] for place in hits] == expected
    parts = [part_of(len(hits), Query(size=query.size, page=page)) for page in range(1, 9)]
    shown = [hits[part.first : part.last] for part in parts[: parts[0].pages]]
    assert [place for each in shown for place in each] == hits  # each once
    for part in parts[parts[0].pages :]:
        assert part == parts[parts[0].pages - 1]  # the nearest page


@settings(max_examples=60, deadline=None)
@given(QUERIES, st.integers(1, 500))
def test_an_address_asks_what_it_was_written_for(query: Query, page: int) -> None:
    address = query.address(page=page)
    again = read_query(dict(parse_qsl(address.removeprefix("?"))))
    assert again.looked_for == query.looked_for
    assert (again.size, again.page, again.faults.keys() - {"points_to", "born_to"}) == (
        query.size,
        page,
        set(),
    )
    assert again.address() == address


@pytest.mark.parametrize(
    ("typed", "name"),
    [("艾力", "买买提·艾力"), ("买买提・艾力", "买买提·艾力"), ("买买提•艾力", "买买提·艾力"), ("买买提．艾力", "买买提·艾力"),
     ("  张三 ", "张三"), ("张 三", "张三"), ("张三", "张　三"), ("ａｂｃ", "Abc"), ("ABC", "ａｂｃ"), ("strasse", "Straße"),
     ("２０２０００００１", "x"), ("000001", "x"), ("\u200b张三", "张三"), ("张\x00三", "张三"), ("ﬁ", "FIN")],
)  # fmt: skip
def test_search_forgives_how_something_is_set(typed: str, name: str) -> None:
    listing = listed([(name, "某公司"), ("王五", "别的公司")])
    assert found(listing, read_query({"q": typed})) == [0]


def test_fields_do_not_run_into_each_other() -> None:
    listing = listed([("张三", "四方公司")])
    for text in ("三四", "1张", "张三\n四方", "三 四"):
        assert found(listing, read_query({"q": text})) == [], text


@pytest.mark.parametrize("name", ["points_from", "points_to"])
def test_points_are_read_as_people_set_them(name: str) -> None:
    for text, value in {"97": 9700, "97.1": 9710, "97.13": 9713, " ９７．１３ ": 9713, "97.": 9700, "-10.21": -1021,
                        "97.13分": 9713, "0": 0, "": None, "9" * 14: int("9" * 14) * 100}.items():  # fmt: skip
        query = read_query({name: text})
        assert (getattr(query, name), query.faults) == (value, {}), text
    for text in (
        "a",
        "1e3",
        "97.135",
        "1,000",
        "--1",
        "٩٧",
        "九十七",
        "∞",
        "0x1",
        "9" * 15,
        "9" * 5000,
        "1 or 1=1",
        "\x00a",
    ):
        query = read_query({name: text})
        assert getattr(query, name) is None, text
        assert query.faults.keys() == {name}, text


def test_pages_are_named_with_what_is_near() -> None:
    def named(page: int, hits: int = 6000) -> list[int | None]:
        return named_pages(part_of(hits, Query(page=page)))

    assert named(1) == [1, 2, 3, None, 120]
    assert named(60) == [1, None, 58, 59, 60, 61, 62, None, 120]
    assert named(4) == [1, 2, 3, 4, 5, 6, None, 120]
    assert named(5) == [1, None, 3, 4, 5, 6, 7, None, 120]
    assert named(120) == [1, None, 118, 119, 120]
    assert named(-3, 0) == [1]
    assert named(10**60) == named(120)


# --- files ---


def taken_off(text: str) -> str:
    """A text as it was before it was made safe, as the documentation says."""
    return text.removeprefix("'")


def test_csv_holds_the_rows_and_no_formula(hostile: Listing) -> None:
    content = list_csv(hostile)
    assert content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    assert head == ["公示编号", "姓名", "出生年月", "单位", "总积分", *TITLES]
    assert len(rows) == len(hostile.rows)
    for cells, row in zip(rows, hostile.rows, strict=True):
        values = ["" if each is None else in_text(each) for each in (row.total, *row.indicators)]
        assert [cells[0], *cells[4:]] == [str(row.serial), *values]
        assert [taken_off(each) for each in cells[1:4]] == [row.name, row.birth_month, row.employer]
        for cell in cells[1:4]:
            first = unicodedata.normalize("NFKC", cell).strip("\u200b\ufeff \u3000")[:1]
            assert first not in {"=", "+", "-", "@"}, cell
            assert not re.search("[\x00-\x1f\x7f-\x9f\u200e\u202a-\u202e\u2066-\u2069]", cell)
    assert rows[-1][1:4] == ["张三", rows[-1][2], ""]
    numbers = pl.read_csv(content, schema_overrides={"姓名": pl.String, "单位": pl.String})
    assert numbers["公示编号"].dtype == pl.Int64
    assert numbers["总积分"].dtype == numbers["守法记录"].dtype == pl.Float64
    assert numbers["守法记录"][0] == -30
    assert numbers["姓名"].to_list()[-2:] == ["张三", "张三"]


def test_csv_of_what_was_found_keeps_its_order(hostile: Listing) -> None:
    places = found(hostile, read_query({"q": "张三", "sort": "-serial"}))
    rows = list(csv.reader(io.StringIO(list_csv(hostile, places).decode("utf-8-sig"), newline="")))
    assert [row[0] for row in rows[1:]] == [str(hostile.rows[place].serial) for place in places]
    assert len(places) == 2


SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def cells_of(book: zipfile.ZipFile, sheet: int) -> list[list[tuple[str, str]]]:
    """The cells of a sheet with their types, as they stand there."""
    shared = [
        "".join(part.text or "" for part in each.iter(f"{SHEET}t"))
        for each in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
    ]
    found_rows = []
    for row in ElementTree.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml")).iter(
        f"{SHEET}row"
    ):
        cells = []
        for cell in row:
            (value,) = [each.text or "" for each in cell if each.tag == f"{SHEET}v"] or [""]
            kind = cell.get("t", "n")
            cells.append((kind, shared[int(value)] if kind == "s" else value))
        found_rows.append(cells)
    return found_rows


def test_a_workbook_holds_texts_and_numbers_and_nothing_that_runs(hostile: Listing) -> None:
    content = list_xlsx(ABOUT, hostile.titles, hostile.rows)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert book.testzip() is None
        names = book.namelist()
        assert not [each for each in names if "rels" in each and "sheet" in each]  # no link
        assert not [each for each in names if "calcChain" in each or "external" in each]
        for name in names:
            ElementTree.fromstring(book.read(name))  # well-formed, whatever the names
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert not re.search("<f[ >]|hyperlink", sheet)
        assert 'state="frozen"' in sheet
        assert '<autoFilter ref="A1:G' in sheet
        head, *rows = cells_of(book, 1)
        assert head == [
            ("s", each) for each in ("公示编号", "姓名", "出生年月", "单位", "总积分", *TITLES)
        ]
        for cells, row in zip(rows, hostile.rows, strict=True):
            texts = [each[:32767] for each in (row.name, row.birth_month, row.employer) if each]
            assert [re.sub("_x005F_", "_", text) for kind, text in cells if kind == "s"] == texts
            points = [in_text(each) for each in (row.total, *row.indicators) if each is not None]
            assert [text for kind, text in cells if kind == "n"] == [str(row.serial), *points]
        about = [[text for _, text in cells] for cells in cells_of(book, 2)]
        assert ["年度", "2020"] in about
        assert {each[0] for each in about if each} >= {"公示编号", *TITLES}
        core = book.read("docProps/core.xml").decode()
        assert set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", core)) == {"2020-10-15T01:00:00Z"}
        assert {each.date_time for each in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_same_rows_are_the_same_bytes(hostile: Listing) -> None:
    again = listed([(row.name, row.employer) for row in hostile.rows])
    assert list_xlsx(ABOUT, again.titles, again.rows) == list_xlsx(
        ABOUT, hostile.titles, hostile.rows
    )


def test_what_is_shown_steers_nothing() -> None:
    for text in HOSTILE:
        assert not re.search(
            "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe]", plain(text)
        )
    assert plain("a\r\n\tb") == "a b"
    assert plain("买买提·艾力 <b>") == "买买提·艾力 <b>"
    assert set(Query().typed) == set(FIELDS)


def test_a_list_that_is_there_waits_for_nobody_who_makes_another() -> None:
    """Pages are filled where all answers are: a lock held meanwhile would stop every one of them."""
    this_round = shown_round([9000, 8000], quota=2)
    there = listing_of(this_round)
    with ThreadPoolExecutor(1) as pool, lists._turn:
        assert pool.submit(listing_of, this_round).result(timeout=20) is there
