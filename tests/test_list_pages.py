"""/rounds/YEAR/list: the page and its files as a server gives them and as they lie in a folder; attacked, by keyboard, on a phone."""

import csv
import io
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import duckdb
import httpx
import pytest
import uvicorn
from in_browser import browser, require_accessible, tab_to
from in_process import application, asked

from flows.public.listing.found import found
from flows.public.listing.query import Query, read_query
from flows.public.rounds.in_memory import rounds_of
from flows.public.rounds.listed import list_csv, list_xlsx, listing_of
from flows.public.rounds.shown_round import ShownRound
from flows.public.web.addresses import in_folder, static
from flows.public.web.list_page import list_html
from flows.run.stages import Outcome

LIST = "/rounds/2020/list"
SCRIPT = "<script>alert(1)</script>"
PLANTED = [
    (SCRIPT, '"><img src=x onerror=alert(1)>'), ("=1+1", "＝cmd|' /C calc'!A0"), ("买买提·艾力", "北京甲乙丙有限公司"),
    ("买买提・艾力", None), ("同名", "甲公司"), ("同名", "乙公司"), ("\u202e倒写", "a\tb"), ("ＡＢＣ", "长" * 200),
    ("{{ 7*7 }}", "%s"), ("ß", "𠮷野家"), ("&amp;", "'x"), ("欧阳", "北京 Straße Co., Ltd."),
]  # fmt: skip


def changed(database: Path, *statements: str) -> None:
    with duckdb.connect(str(database)) as connection:
        for each in statements:
            connection.execute(each)


@pytest.fixture(scope="module")
def warehouse(
    small_published: tuple[Path, Outcome], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A published round of some 130 people, among them odd ones."""
    folder = tmp_path_factory.mktemp("list")
    database = Path(shutil.copy(small_published[0] / "luohu.duckdb", folder))
    more = (
        "INSERT INTO public_list SELECT * EXCLUDE i REPLACE (serial + 1000 * i AS serial, name || i AS name,"
        " total - i AS total, employment - i AS employment) FROM public_list, range(1, 40) AS t(i)"
        " ORDER BY ALL LIMIT 110"
    )
    changed(
        database, more,
        "UPDATE rounds SET state = 'published', published_at = TIMESTAMP '2020-10-15 09:00:00'",
    )  # fmt: skip
    with duckdb.connect(str(database)) as connection:
        serials = connection.execute("SELECT serial FROM public_list ORDER BY serial").fetchall()
        assert len(serials) > 110
        for (serial,), (name, employer) in zip(serials, PLANTED, strict=False):
            connection.execute(
                "UPDATE public_list SET name = ?, employer = ? WHERE serial = ?", [name, employer, serial]
            )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def this_round(warehouse: Path) -> ShownRound:
    return rounds_of(warehouse)[2020]


def get(
    warehouse: Path, address: str, method: str = "GET", preliminary: bool = False
) -> httpx.Response:
    (answer,) = asked(application(warehouse, preliminary), address, method=method)
    return answer


def serials(page: str) -> list[int]:
    return [int(each) for each in re.findall(r"<tr><td>(\d{9})</td>", page)]


def expected(this_round: ShownRound, **given: str) -> list[int]:
    listing = listing_of(this_round)
    return [listing.rows[place].serial for place in found(listing, read_query(given))]


def links(page: str, pattern: str) -> list[str]:
    return [unescape(each) for each in re.findall(rf'<a href="([^"]*)"[^>]*{pattern}', page)]


# --- who may see it ---


def test_only_published_rounds_have_a_list(
    small_published: tuple[Path, Outcome], warehouse: Path, tmp_path: Path
) -> None:
    unpublished = small_published[0]
    for kind in ("", ".csv", ".xlsx"):
        assert get(unpublished, LIST + kind).status_code == 404
        assert get(tmp_path, LIST + kind).status_code == 404  # no warehouse at all
        assert get(unpublished, LIST + kind, preliminary=True).status_code == 200
    page = get(unpublished, LIST, preliminary=True).text
    assert "初步结果，尚未公示" in page
    assert "公示名单" not in page
    shown = get(warehouse, LIST)
    assert shown.status_code == 200
    assert "初步结果" not in shown.text
    assert "2020年10月15日" in shown.text


@pytest.mark.parametrize(
    "address",
    ["/rounds/2019/list", "/rounds/02020/list", "/rounds/２０２０/list", "/rounds/-1/list", "/rounds/99999999999/list",
     "/rounds/2020 /list", "/rounds/2020/list/", "/rounds/2020/list.pdf", "/rounds/2020/List", "/rounds//list",
     "/rounds/2020/list.csv/x", "/rounds/%2e%2e/list", "/rounds/2020%2f..%2f2020/list", "/rounds/2020/..%2flist",
     "/rounds/2020/list.csv%00", "/rounds/2020/%2e%2e/%2e%2e/etc/passwd", "/rounds/2020\\..\\list", "/rounds/2e3/list"],
)  # fmt: skip
@pytest.mark.parametrize("preliminary", [True, False])
def test_an_odd_address_is_no_page(address: str, preliminary: bool, warehouse: Path) -> None:
    given = get(warehouse, address, preliminary=preliminary)
    assert given.status_code == 404
    assert "没有这个页面" in given.text


def test_head_and_post(warehouse: Path) -> None:
    for kind in ("", ".csv", ".xlsx"):
        whole, head = get(warehouse, LIST + kind), get(warehouse, LIST + kind, method="HEAD")
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(whole.content)))
        assert get(warehouse, LIST + kind, method="POST").status_code == 405


# --- what one asks ---


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("page=0", "一共 "), ("page=99999", "一共 "), (f"page={'9' * 60}", "一共 "), (f"page={'9' * 5000}", "一共 "),
        ("page=-1", "一共 "), ("page=abc", "页码应为数字"), ("page=1.5", "页码应为数字"), ("page=٣", "页码应为数字"),
        ("page=1&page=abc", "页码应为数字"), ("size=51", "每页可以显示"), (f"size={10**30}", "每页可以显示"), ("size=-1", "每页可以显示"),
        ("sort=x", "没有这种排序"), (f"sort={SCRIPT}", "没有这种排序"), ("sort=--name", "没有这种排序"),
        (f"q={'x' * 5000}", "最多 100 个字"), (f"q={'张' * 101}", "最多 100 个字"), ("points_from=a", "应为数字"),
        (f"points_to={SCRIPT}", "应为数字"), (f"points_from={'9' * 5000}", "应为数字"), ("points_from=97.135", "应为数字"),
        ("born_from=20200", "应为四位年份"), ('born_to="><img src=x>', "应为四位年份"), ("born_from=%FF", "应为四位年份"),
        ("points_from=2&points_to=1", "没有人符合"), ("born_from=1990&born_to=1980", "没有人符合"), ("q=查无此人", "没有查到"),
        (f"q={SCRIPT}x", "没有查到"), ("q=%FF%FE%80", "没有查到"), ("q=%00", "共 "), ("q=%E2%80%AE", "共 "), ("q=%C2%B7&q=", "共 "),
        ("q[]=1&&&=&a", "共 "), ("%", "共 "), ("?????", "共 "), ("&".join(["a=1"] * 2000), "共 "), ("q=%ED%A0%80", "没有查到"),
        ("page=２", "第 51 至 100 人"), ("q=%F0%9F%98%80", "没有查到"), ("q='; DROP TABLE public_list; --", "没有查到"),
    ],
)  # fmt: skip
def test_no_query_fails_it(query: str, says: str, warehouse: Path) -> None:
    given = get(warehouse, f"{LIST}?{query}")
    assert given.status_code == 200
    assert says in given.text, query[:50]
    assert "<script>alert" not in given.text
    assert "<img" not in given.text
    assert len(given.text) < 90_000
    files = [get(warehouse, f"{LIST}{kind}?{query}") for kind in (".csv", ".xlsx")]
    assert [each.status_code for each in files] == [200, 200]


def test_odd_names_are_shown_and_do_nothing(warehouse: Path) -> None:
    page = get(warehouse, f"{LIST}?size=200").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&#34;&gt;&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "倒写" in page


@pytest.mark.parametrize("given", [
    {}, {"q": "同名", "sort": "-employer"}, {"points_from": "60", "points_to": "90.5", "sort": "total"},
    {"born_from": "1978", "born_to": "1985", "sort": "born", "size": "50"}, {"sort": "-name"}, {"q": "2020", "sort": "-total"},
])  # fmt: skip
def test_pages_hold_each_hit_once_and_keep_what_was_asked(
    given: dict[str, str], warehouse: Path, this_round: ShownRound
) -> None:
    address: str | None = (
        f"{LIST}?{'&'.join(f'{name}={quote(value)}' for name, value in given.items())}"
    )
    shown: list[int] = []
    while address:
        page = get(warehouse, address).text
        shown += serials(page)
        following = links(page, 'rel="next"')
        address = following[0] if following else None
        if address:
            kept = dict(parse_qsl(urlsplit(address).query))
            assert (
                Query(**vars(read_query(kept)) | {"page": 1}).looked_for
                == read_query(given).looked_for
            )
    assert shown == expected(this_round, **given)
    everybody = get(
        warehouse,
        f"{LIST}?{'&'.join(f'{name}={quote(value)}' for name, value in {**given, 'size': '0'}.items())}",
    )
    assert serials(everybody.text) == shown
    of_csv = get(
        warehouse,
        f"{LIST}.csv?{'&'.join(f'{name}={quote(value)}' for name, value in given.items())}",
    ).text
    assert [int(row[0]) for row in list(csv.reader(io.StringIO(of_csv)))[1:]] == shown


def test_each_column_sorts_both_ways(warehouse: Path, this_round: ShownRound) -> None:
    page = get(warehouse, f"{LIST}?size=200&q=2").text
    heads = re.findall(r'data-column="(\w+)" aria-sort="(\w+)"><a href="([^"]*)"', page)
    assert [(name, way) for name, way, _ in heads] == [
        ("serial", "ascending"), *((name, "none") for name in ("name", "born", "employer", "total"))
    ]  # fmt: skip
    for name, _, address in heads:
        once = get(warehouse, unescape(address)).text
        (again,) = re.findall(rf'data-column="{name}" aria-sort="\w+"><a href="([^"]*)"', once)
        twice = get(warehouse, unescape(again)).text
        ways = {}
        for text, of in ((once, address), (twice, again)):
            (way,) = re.findall(rf'data-column="{name}" aria-sort="(\w+)"', text)
            assert text.count('aria-sort="none"') == 4
            sort = {"ascending": name, "descending": f"-{name}"}[way]
            assert serials(text) == expected(this_round, sort=sort, q="2"), of
            ways[way] = serials(text)
        assert len(ways) == 2


# --- files ---


def test_files_come_with_names_and_do_not_change(warehouse: Path, this_round: ShownRound) -> None:
    made = {"csv": list_csv(this_round), "xlsx": list_xlsx(this_round)}
    for kind, content in made.items():
        given = get(warehouse, f"{LIST}.{kind}")
        assert given.content == content
        assert given.headers["x-content-type-options"] == "nosniff"
        disposition = given.headers["content-disposition"]
        assert disposition.isascii()
        assert disposition.startswith(
            f"attachment; filename=\"luohu-2020-list.{kind}\"; filename*=UTF-8''"
        )
        assert (
            unquote(disposition.partition("UTF-8''")[2]) == f"北京市积分落户2020年度公示名单.{kind}"
        )
    assert get(warehouse, f"{LIST}.csv").headers["content-type"] == "text/csv; charset=utf-8"
    assert get(warehouse, f"{LIST}.xlsx").headers["content-type"].endswith("spreadsheetml.sheet")
    at_once = asked(
        application.__wrapped__(warehouse),
        *[f"{LIST}.xlsx?q=同名"] * 4,
        f"{LIST}.xlsx?q=艾力",
        f"{LIST}?q=艾力",
    )
    assert len({each.content for each in at_once[:4]}) == 1
    assert at_once[3].content != at_once[4].content


def test_a_publication_shows_at_the_next_request(warehouse: Path, tmp_path: Path) -> None:
    database = Path(shutil.copy(warehouse / "luohu.duckdb", tmp_path))
    (serial,) = expected(rounds_of(tmp_path)[2020], q="欧阳")
    for kind in ("", ".csv", ".xlsx"):
        get(tmp_path, f"{LIST}{kind}?q=欧阳")
    new = Path(shutil.copy(database, tmp_path / "new"))
    changed(new, f"UPDATE public_list SET name = '司马' WHERE serial = {serial}")
    os.replace(new, database)
    assert serials(get(tmp_path, f"{LIST}?q=欧阳").text) == []
    assert serials(get(tmp_path, f"{LIST}?q=司马").text) == [serial]
    assert "司马" in get(tmp_path, f"{LIST}.csv?q=司马").text
    assert get(tmp_path, f"{LIST}.csv?q=欧阳").text.count("\n") == 1


# --- in a browser ---


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def address(warehouse: Path) -> Iterator[str]:
    """The application behind a socket, without the processes that score."""
    with socket.create_server(("127.0.0.1", 0)) as at:
        config = uvicorn.Config(
            application.__wrapped__(warehouse), lifespan="off", log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([at],))
        thread.start()
        yield f"http://127.0.0.1:{at.getsockname()[1]}{LIST}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def folder(this_round: ShownRound, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page in a folder of files."""
    out = tmp_path_factory.mktemp("folder")
    for name, content in static().items():
        (out / name).write_bytes(content)
    (out / "2020").mkdir()
    page = out / "2020" / "list.html"
    page.write_text(list_html(this_round, in_folder(1, None)), encoding="utf-8")
    return page.as_uri()


def opened(chromium: Any, address: str, width: int, **more: Any) -> tuple[Any, list[str]]:
    page = chromium.new_page(viewport={"width": width, "height": 800}, locale="zh-CN", **more)
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(address)
    return page, troubles


def seen(page: Any) -> list[int]:
    rows: list[int] = page.evaluate(
        "[...document.querySelectorAll('.list tbody tr')].map(row => Number(row.cells[0].textContent))"
    )
    return rows


def test_by_keyboard_alone_on_a_phone(chromium: Any, address: str, this_round: ShownRound) -> None:
    page, troubles = opened(chromium, address, 360)
    require_accessible(page, "all")
    tab_to(page, "#q")
    page.keyboard.type("同名")
    page.wait_for_selector(".list tbody tr:nth-child(2):last-child")
    assert page.inner_text("#hits").strip() == "查到 2 人"
    assert page.evaluate("document.activeElement.id") == "q"
    assert page.evaluate("new URLSearchParams(location.search).get('q')") == "同名"
    assert seen(page) == expected(this_round, q="同名")
    tab_to(page, "#born_from")
    page.keyboard.type("x")
    page.wait_for_selector("#born_from[aria-invalid]")
    with page.expect_navigation():
        page.keyboard.press("Enter")  # without waiting for the script
    assert "应为四位年份" in page.inner_text("#born_from-error")
    tab_to(page, ".list summary")
    page.keyboard.press("Enter")
    assert page.locator(".list details[open] li").count() == 10
    assert page.is_visible(".list details[open] li")
    require_accessible(page, "wrong, and a row open")
    assert troubles == []
    page.close()


def test_served_without_script(chromium: Any, address: str, this_round: ShownRound) -> None:
    page, _ = opened(chromium, address, 768, java_script_enabled=False)
    page.fill("#points_to", "80")
    page.select_option("#sort", "-name")
    with page.expect_navigation():
        page.click("button.primary")
    assert seen(page) == expected(this_round, points_to="80", sort="-name")[:50]
    with page.expect_navigation():
        page.click(".list [data-column='total'] a")
    assert seen(page) == expected(this_round, points_to="80", sort="-total")[:50]
    with page.expect_navigation():
        page.click(".pages a[rel='next']")
    assert seen(page) == expected(this_round, points_to="80", sort="-total")[50:100]
    page.click(".list summary >> nth=1")
    assert page.locator(".list details[open] li").count() == 10
    page.close()


def test_in_a_folder_without_script_the_whole_table_is_there(
    chromium: Any, folder: str, this_round: ShownRound
) -> None:
    page, _ = opened(chromium, folder, 1440, java_script_enabled=False)
    assert seen(page) == expected(this_round)
    assert page.is_hidden("#ask")
    assert page.is_visible("noscript p")
    page.click(".list summary >> nth=100")
    assert page.locator(".list details[open] li").count() == 10
    page.close()


@pytest.mark.slow
def test_in_a_folder_a_script_finds_what_the_server_finds(
    chromium: Any, folder: str, this_round: ShownRound
) -> None:
    page, troubles = opened(chromium, folder, 1440)
    assert seen(page) == expected(this_round)[:50]
    for given in (
        {"q": "同名"}, {"q": "艾力"}, {"q": "买买提．艾力"}, {"q": " abc "}, {"q": "ＳＴＲＡＳＳＥ co"}, {"q": "ß"}, {"q": "２０２０"},
        {"q": "\u200b欧 阳"}, {"q": SCRIPT}, {"q": "没有这个人"}, {"points_from": "７０", "points_to": "90.5分"},
        {"born_from": "1978年", "born_to": "1985", "sort": "born"}, {"points_from": "x", "born_to": "1980"},
        {"points_from": "2", "points_to": "1"}, *({"sort": f"{way}{name}"} for way in ("", "-") for name in
        ("serial", "name", "born", "employer", "total")),
    ):  # fmt: skip
        page.evaluate(
            "asked => { location.hash = new URLSearchParams(asked) }", {"size": "0", **given}
        )
        page.evaluate("new Promise(done => setTimeout(done, 0))")
        assert seen(page) == expected(this_round, **given), given
        for name in read_query(given).faults:
            assert page.is_visible(f"#{name}-error"), given
        count = len(expected(this_round, **given))
        assert (
            str(count) in page.inner_text("#hits") or page.inner_text("#hits").strip() == "没有查到"
        )
        assert page.is_visible("#nobody") == (not count)
        told = page.inner_text("#conditions") if page.is_visible("#conditions") else ""
        assert bool(told) == bool(read_query(given).in_words()), given
    page.evaluate("location.hash = ''")
    page.fill("#q", "2")
    page.click(".list [data-column='total'] a")
    page.wait_for_selector(".list [data-column='total'][aria-sort='descending']")
    page.click(".pages a[aria-label='第 2 页']")
    page.wait_for_selector(".pages a[aria-label='第 2 页'][aria-current='page']")
    assert page.evaluate("document.activeElement.id") == "hits"  # and not lost with the link
    assert seen(page) == expected(this_round, q="2", sort="-total")[50:100]
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert seen(page) == expected(this_round, q="2", sort="-total")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="print")
    assert not page.locator("#hits small").is_visible()  # which part of them a screen shows
    for hidden in (".ask", ".ways", ".pages"):
        assert page.locator(hidden).first.is_hidden(), hidden
    assert page.pdf(format="A4").startswith(b"%PDF")
    assert troubles == []
    require_accessible(page, "folder")  # reads style once more, which files may not
    page.close()
