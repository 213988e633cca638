"""/ and /rounds/YEAR: what may be seen, and nothing else; whatever is asked, no error."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import polars as pl
import pytest
from deciding import YEAR, ARound
from in_browser import browser, require_accessible
from in_process import application
from in_process import asked as asked_of
from web_server import Web, running

from flows.cli.web import by_name_only
from flows.common.failures import DatabaseUnreadable
from flows.public.rounds import in_memory
from flows.public.rounds import read as reading
from flows.public.rounds.in_memory import rounds_of
from flows.public.rounds.outside import outside
from flows.public.rounds.place_of_total import where
from flows.public.site.write import write_site
from flows.public.web.round_page import publicity, said


def asked(
    warehouse: Path, *addresses: str, method: str = "GET", preliminary: bool = False
) -> list[httpx.Response]:
    """What the application of a warehouse answers."""
    return asked_of(application(warehouse, preliminary), *addresses, method=method)


def outsiders(found: ARound) -> set[str]:
    """Names, ID numbers and application numbers of whoever is not on the list; of the others no number."""
    rows = pl.read_parquet(found.part("applications"))
    listed = {row["name"] for row in found.rows("SELECT name FROM public_list")}
    assert 0 < len(listed) < rows.height
    names = {name for name in rows["name"].to_list() if name not in listed}
    return {*names, *map(str, rows["person_id"]), *map(str, rows["application_no"])}


@pytest.mark.slow
def test_an_unpublished_round_appears_by_name_only(announced: ARound) -> None:
    first, announcement = asked(announced.warehouse, "/", f"/rounds/{YEAR}")
    assert announcement.status_code == 404
    assert f"尚未公示：{YEAR}年度" in first.text
    line = announced.rows("SELECT cutoff FROM rounds")[0]["cutoff"]
    assert str(line) not in first.text
    assert "100.88" not in first.text  # not the official one of that year, either
    assert f"/rounds/{YEAR}" not in first.text
    assert "97.13" in first.text
    assert "官方公布" in first.text


def test_what_shows_by_name_only_is_said_at_the_start(
    announced: ARound, announced_published: ARound, tmp_path: Path
) -> None:
    (line,) = by_name_only(announced.warehouse)
    assert line.startswith(f"not published, so shown by name only: {YEAR}; --preliminary ")
    assert by_name_only(announced_published.warehouse) == by_name_only(tmp_path) == []


def test_with_preliminary_it_is_shown_with_a_banner(announced: ARound) -> None:
    addresses = ("/", f"/rounds/{YEAR}", f"/rounds/{YEAR}?total=80", f"/rounds/{YEAR}/list")
    pages = asked(announced.warehouse, *addresses, preliminary=True)
    line = announced.rows("SELECT cutoff FROM rounds")[0]["cutoff"]
    for page in pages:
        assert page.status_code == 200
        assert "初步结果" in page.text
        assert "尚未公示" in page.text
    assert str(line) in pages[0].text
    assert str(line) in pages[1].text


def test_a_publication_shows_at_the_next_request(
    announced: ARound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read once for each state of the database; what was read while it changed is not kept."""
    found = announced.copy(tmp_path)
    reads: list[Path] = []
    read = in_memory.read

    def counted(warehouse: Path, **given: Any) -> Any:
        reads.append(warehouse)
        shown = read(warehouse, **given)
        if len(reads) == 2:  # a publication while it is read
            found.publish()
        return shown

    monkeypatch.setattr(in_memory, "read", counted)
    page = f"/rounds/{YEAR}"
    assert [each.status_code for each in asked(found.warehouse, page, page, "/")] == [404, 404, 200]
    assert len(reads) == 1
    database = found.warehouse / "luohu.duckdb"
    database.touch()  # another state with the same content
    after = asked(found.warehouse, page, "/")
    assert [each.status_code for each in after] == [200, 200]
    assert len(reads) == 3
    database.unlink()
    assert [each.status_code for each in asked(found.warehouse, page, "/")] == [404, 200]
    database.write_bytes(b"no database")
    broken = asked(found.warehouse, page, "/", "/rounds/x")
    assert [each.status_code for each in broken] == [503, 503, 404]
    assert str(found.warehouse) not in broken[0].text


def test_a_round_that_was_shown_before_is_not_read_again(
    announced_published: ARound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = announced_published.copy(tmp_path)
    counts: list[pl.Series] = []
    monkeypatch.setattr(
        reading, "outside", lambda *of, **given: counts.append(of[0]) or outside(*of, **given)
    )
    first = rounds_of(found.warehouse)[YEAR]
    database = found.warehouse / "luohu.duckdb"
    database.touch()
    assert rounds_of(found.warehouse)[YEAR] is first
    assert len(counts) == 1
    for change in (
        "UPDATE public_list SET employer = '' WHERE serial % 100000 = 1",
        "UPDATE manifests SET manifest_sha256 = repeat('0', 64)",
        "UPDATE clauses SET title_zh = title_zh || '。' WHERE name = 'age'",
        "UPDATE rounds SET published_at = published_at + INTERVAL 1 HOUR",
        "UPDATE ledger SET clock = 'system'",
        "DELETE FROM manifests",
    ):
        with duckdb.connect(database) as connection:
            connection.execute(change)
        counts.clear()
        again = rounds_of(found.warehouse)[YEAR]
        assert again is not first
        assert again.outside == first.outside
        assert len(counts) == 1
    database.touch()  # of a run that no manifest vouches for nothing is taken over
    assert rounds_of(found.warehouse)[YEAR] is not again


def test_a_rehearsal_says_that_it_is_one(announced_published: ARound, tmp_path: Path) -> None:
    found = announced_published.copy(tmp_path)
    pages = ("/", f"/rounds/{YEAR}", f"/rounds/{YEAR}/list")
    assert ["演练" in each.text for each in asked(found.warehouse, *pages)] == [True] * 3
    summary = write_site(found.warehouse, tmp_path / "drill", None).out / f"{YEAR}/summary.json"
    assert '"rehearsal": true' in summary.read_text(encoding="utf-8")
    with duckdb.connect(str(found.warehouse / "luohu.duckdb")) as connection:
        connection.execute("UPDATE ledger SET clock = 'system'")
    assert ["演练" in each.text for each in asked(found.warehouse, *pages)] == [False] * 3
    write_site(found.warehouse, tmp_path / "site", None)
    assert [
        path for path in (tmp_path / "site").rglob("*.*") if "演练".encode() in path.read_bytes()
    ] == []


@pytest.mark.parametrize(
    "change",
    ["ALTER TABLE rounds DROP COLUMN policy_date", "ALTER TABLE public_list DROP COLUMN employer",
     "ALTER TABLE rounds RENAME round TO year", "UPDATE rounds SET quota = NULL", "DROP TABLE segments",
     "UPDATE public_list SET birth_month = NULL WHERE serial % 2 = 0", "UPDATE public_list SET birth_month = '?'",
     "UPDATE public_list SET name = NULL", "DELETE FROM clauses", "UPDATE clauses SET title_zh = NULL",
     "DELETE FROM clauses WHERE name = 'age'", "INSERT INTO segments SELECT round, 1, NULL FROM rounds"],
)  # fmt: skip
def test_a_database_of_another_version_cannot_be_read(
    change: str, announced_published: ARound, tmp_path: Path
) -> None:
    database = Path(shutil.copy(announced_published.warehouse / "luohu.duckdb", tmp_path))
    with duckdb.connect(str(database)) as connection:
        connection.execute(change)
    answers = asked(
        tmp_path, "/", f"/rounds/{YEAR}", f"/rounds/{YEAR}/list", f"/rounds/{YEAR}/list.csv"
    )
    assert {(each.status_code, "现在读不到各年度的结果" in each.text) for each in answers} == {
        (503, True)
    }
    with pytest.raises(DatabaseUnreadable, match="expected the tables of a warehouse"):
        rounds_of(tmp_path)


def test_no_warehouse_is_no_error(tmp_path: Path) -> None:
    found = asked(tmp_path / "none", "/", "/rounds/2020")
    assert [each.status_code for each in found] == [200, 404]
    assert not rounds_of(tmp_path / "none")


def test_it_says_until_when_and_how_to_object(
    announced: ARound, announced_published: ARound, tmp_path: Path
) -> None:
    (page,) = asked(announced_published.warehouse, f"/rounds/{YEAR}")
    site = write_site(announced_published.warehouse, tmp_path / "site", None).out
    for text in (page.text, (site / f"{YEAR}/index.html").read_text(encoding="utf-8")):
        assert "公示期间：2021年7月12日至2021年7月19日。" in text
        assert "以书面形式提出，并署名" in text
    (early,) = asked(announced.warehouse, f"/rounds/{YEAR}", preliminary=True)
    assert "公示期间" not in early.text
    assert publicity(2020).startswith("2020年10月15日起，截止时间尚不确定")
    assert publicity(1999).startswith("时间尚不确定")


def test_the_figures_are_those_of_the_database(announced_published: ARound) -> None:
    (row,) = announced_published.rows("FROM rounds")
    first, page = asked(announced_published.warehouse, "/", f"/rounds/{YEAR}")
    assert f"{YEAR}年度积分落户公示" in page.text
    assert "2021年7月12日公示" in page.text
    for figure in (row["cutoff"], row["settled"], row["quota"], row["highest"], row["eligible"]):
        assert re.search(rf"<dd>{figure}(<small>|</dd>)", page.text), figure
    assert f'<td class="n" data-label="落户分值">{row["cutoff"]}</td>' in first.text
    assert f'href="/rounds/{YEAR}"' in first.text
    shown = rounds_of(announced_published.warehouse)[YEAR]
    means = announced_published.rows(
        "SELECT settled, round(avg(employment), 2) AS mean FROM ranking JOIN scores"
        " USING (round, application_no) GROUP BY settled"
    )
    for side in means:
        found = shown.means if side["settled"] else shown.outside.means
        assert abs(found["employment"] - 100 * side["mean"]) <= 1
    totals = [
        int(100 * row["total"])
        for row in announced_published.rows("SELECT total FROM ranking WHERE settled")
    ]
    for total in (min(totals), max(totals), max(totals) + 1):
        assert where(shown, total).place == 1 + sum(each > total for each in totals)


ADDRESSES = [
    "/", f"/rounds/{YEAR}", f"/rounds/{YEAR}?total=97.13", f"/rounds/{YEAR}?total=1", f"/rounds/{YEAR}?total=200",
    f"/rounds/{YEAR}?total=x", "/nothing", "/rounds/1999",
]  # fmt: skip


def test_nobody_outside_the_list_is_in_a_page_a_header_or_a_file(
    announced_published: ARound, announced: ARound, tmp_path: Path
) -> None:
    planted = outsiders(announced_published)
    written = write_site(announced_published.warehouse, tmp_path / "site", None)
    content = [path.read_bytes() for path in written.out.rglob("*") if path.is_file()]
    lists = [f"/rounds/{YEAR}/list{kind}" for kind in ("", ".csv", ".xlsx", "?q=某", "?size=all")]
    for warehouse, preliminary in (
        (announced_published.warehouse, False), (announced_published.warehouse, True), (announced.warehouse, True),
    ):  # fmt: skip
        for answer in asked(warehouse, *ADDRESSES, *lists, preliminary=preliminary):
            assert answer.status_code in (200, 404)
            content += [answer.content, repr(answer.headers).encode()]
    content += [answer.content for answer in asked(announced.warehouse, *ADDRESSES, *lists)]
    whole = b"\n".join(content).decode("utf-8", "replace")
    assert [each for each in planted if each in whole] == []
    everybody = {row["name"] for row in announced_published.rows("SELECT name FROM public_list")}
    assert everybody <= set(re.findall(r"某\d{4}·内部", whole))  # the search would have found them
    # and what is kept in memory for the pages has nobody, either
    shown = rounds_of(announced_published.warehouse)[YEAR]
    assert [each for each in planted if each in repr(vars(shown.outside))] == []


ODD = [
    "", "%ff%00", "9" * 3000, "1e3", "<script>alert(1)</script>", "%22%3E%3Cb%3E", "97.133", "１００", "-1", "nan",
    "97.13&total=3", "%u4e00", "{{7*7}}", "%0d%0aset-cookie:%20a=b",
]  # fmt: skip


def test_odd_totals_get_a_message_beside_the_field(announced_published: ARound) -> None:
    for odd, page in zip(
        ODD,
        asked(announced_published.warehouse, *(f"/rounds/{YEAR}?total={odd}" for odd in ODD)),
        strict=True,
    ):
        assert page.status_code == 200, odd
        assert 'class="answer"' in page.text or 'id="total-error"' in page.text, odd
        assert ("aria-invalid" in page.text) == ('id="total-error"' in page.text)
        assert "<script>alert" not in page.text
        assert "<b>" not in page.text
        assert "set-cookie" not in page.headers
        assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
def test_odd_addresses_are_no_pages(announced_published: ARound, method: str) -> None:
    odd = [
        f"/rounds/0{YEAR}", "/rounds/２０２１", "/rounds/-1", "/rounds/99999999999", f"/rounds/{YEAR}/", "/rounds/",
        f"/rounds/{YEAR}%00", f"/rounds/{YEAR}%2f..", "/rounds/..%2f..%2fetc%2fpasswd", f"/rounds/+{YEAR}",
        "/rounds/%F0%9F%98%80", f"/rounds/{YEAR}.0", "/rounds/luohu.duckdb", "/static/..%2fpages.py",
    ]  # fmt: skip
    for page in asked(announced_published.warehouse, *odd, method=method):
        assert page.status_code in ((404,) if method in ("GET", "HEAD") else (404, 405))
        assert (page.content == b"") == (method == "HEAD")


def test_head_and_post(announced_published: ARound) -> None:
    addresses = ("/", f"/rounds/{YEAR}")
    whole = asked(announced_published.warehouse, *addresses)
    for page, head in zip(
        whole, asked(announced_published.warehouse, *addresses, method="HEAD"), strict=True
    ):
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers == page.headers
    for page in asked(announced_published.warehouse, *addresses, method="POST"):
        assert page.status_code == 405


def test_a_round_without_a_place_is_announced(announced: ARound, tmp_path: Path) -> None:
    """Nobody on the list: no line, and of the highest person nothing, though `rounds` has it."""
    found = announced.copy(tmp_path)
    with duckdb.connect(str(found.warehouse / "luohu.duckdb")) as database:
        database.execute("UPDATE ranking SET settled = false, serial = NULL")
        database.execute("DELETE FROM public_list")
        database.execute(
            "UPDATE rounds SET quota = 0, settled = 0, cutoff = NULL, tied_at_cutoff = 0"
        )
    (row,) = found.rows("FROM rounds")
    addresses = ("/", f"/rounds/{YEAR}", f"/rounds/{YEAR}?total=90", f"/rounds/{YEAR}/list")
    pages = asked(found.warehouse, *addresses, preliminary=True)
    for page in pages:
        assert page.status_code == 200
        assert str(row["highest"]) not in page.text
    assert "本年度计划落户 0 人" in pages[1].text


# --- a real server and a real browser ---


@pytest.fixture(scope="module")
def web(announced: ARound) -> Iterator[Web]:
    with running(announced.warehouse, "--preliminary") as server:
        yield server


@pytest.mark.slow
def test_in_a_browser(web: Web, announced_published: ARound, tmp_path: Path) -> None:
    """By axe and at three widths; the mark on the chart; the folder's script says what the server says.

    The server shows the round while it is preliminary, the folder once it is announced_published.
    """
    shown = rounds_of(announced_published.warehouse)[YEAR]
    written = write_site(announced_published.warehouse, tmp_path / "site", "https://example.org/c")
    folder = written.out.as_uri()
    totals = [shown.line, shown.line - 1, shown.line + 137, shown.highest, 0, -250, 4321]
    with browser() as started:
        page = started.new_page(viewport={"width": 360, "height": 740}, locale="zh-CN")
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{web.url}/")
        require_accessible(page, "first page")
        page.click(f"a[href='/rounds/{YEAR}']")
        assert page.inner_text(".banner").startswith("初步结果，尚未公示")
        require_accessible(page, "announcement")
        page.fill("#total", "一百")
        page.click(".ask button")
        require_accessible(page, "wrong total")
        assert "请只填写数字" in page.inner_text("#total-error")
        assert page.title().startswith("错误：")
        page.fill("#total", "９０．５")
        page.click(".ask button")
        require_accessible(page, "standing")
        assert page.inner_text(".answer") == said(where(shown, 9050))
        assert page.text_content("text.you") == "您 90.50"
        for width in (768, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.goto(f"{folder}/index.html")
        require_accessible(page, "first page of the folder")
        page.click(f"a[href='{YEAR}/index.html']")
        assert page.url == f"{folder}/{YEAR}/index.html"
        page.click("summary")
        require_accessible(page, "announcement of the folder")
        for total in totals:
            page.fill("#total", f"{total / 100:.2f}")
            page.keyboard.press("Enter")
            assert page.inner_text(".answer") == said(where(shown, total))
        assert page.locator("line.you").count() == 1
        page.fill("#total", "1e3")
        page.keyboard.press("Enter")
        assert "请只填写数字" in page.inner_text("#total-error")
        require_accessible(page, "wrong total in the folder")
        assert wrong == []
        still = started.new_context(java_script_enabled=False).new_page()
        still.goto(f"{folder}/{YEAR}/index.html")
        assert still.is_hidden("#total")  # nobody would answer
        assert "需要启用脚本" in still.inner_text(".asking")
