"""/calculator: from an empty page to points, gap, year and the better of study or work; without script, by keyboard, on a phone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from forms import Page, Reader
from in_browser import browser, require_accessible, tab_to
from people import facts_of
from web_server import Web, running

from flows.common.points import in_text
from flows.explain.coming_years import lines_of
from flows.public.answer import answer
from flows.public.children import last_round
from flows.public.facts import read_facts
from flows.public.forward import forward
from flows.public.study_or_work import study_or_work
from flows.public.web.calculator import steps
from flows.public.web.fields import KINDS

pytestmark = pytest.mark.server
Facts = dict[str, Any]
JOURNEY: list[tuple[str, dict[str, str]]] = [
    ("next", {"round": "2026", "application.birth_date": "19840501", "application.retirement_class": "male_60"}),
    ("next", {"social_insurance.0.from": "2010年1月", "social_insurance.0.to": "2026-03",
              "social_insurance.0.work_district": "110112"}),
    ("add:housing", {"housing.0.kind": "rent", "housing.0.district": "110105",
                     "housing.0.start_date": "2010.3.1", "housing.0.end_date": "2016/4/30"}),
    ("next", {"housing.1.kind": "own", "housing.1.district": "110112", "housing.1.start_date": "20160510"}),
    ("next", {"education.0.level": "master", "education.0.held": "both", "education.0.graduated_on": "20120701"}),
    ("next", {"tax.0.amount_fen": "120,000", "tax.1.amount_fen": "98000.50", "tax.2.amount_fen": "130000"}),
    ("next", {}),
    ("next", {}),
]  # fmt: skip
FOUND: Facts = {
    "round": 2026,
    "application": {
        "birth_date": "1984-05-01",
        "retirement_class": "male_60",
        "claims_education": True,
    },
    "feeds": {
        "social_insurance": [
            {"from": "2010-01-01", "to": "2026-03-01", "work_district": "110112", "status": "paid"}
        ],
        "housing": [
            {
                "kind": "rent",
                "district": "110105",
                "start_date": "2010-03-01",
                "end_date": "2016-04-30",
            },
            {"kind": "own", "district": "110112", "start_date": "2016-05-10"},
        ],
        "education": [
            {
                "level": "master",
                "has_diploma": True,
                "has_degree": True,
                "graduated_on": "2012-07-01",
            }
        ],
        "tax": [
            {"treasury_date": f"{year}-12-31", "income_kind": "comprehensive", "amount_fen": fen}
            for year, fen in ((2023, 12_000_000), (2024, 9_800_050), (2025, 13_000_000))
        ],
    },
}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with running(tmp_path_factory.mktemp("web")) as server:
        yield server


def plain(facts: Facts) -> Facts:
    """Facts without rows that are listed in another order of keys."""
    return json.loads(json.dumps(facts, sort_keys=True))


@pytest.fixture(scope="module")
def reader(web: Web) -> Reader:
    """Somebody who filled all steps in."""
    found = Reader(web.url)
    for button, fields in JOURNEY:
        found.press(button, fields)
    return found


def test_from_an_empty_page_to_points_without_script(reader: Reader) -> None:
    facts = read_facts(json.dumps(FOUND))
    expected, years, choice = answer(facts), forward(facts), study_or_work(facts)
    assert plain(json.loads(reader.page.fields["facts"])) == plain(FOUND)
    text = reader.page.text
    assert f"模拟总积分 {expected['total']}" in text
    assert f"2026年落户分值 {expected['lines'][-1]['line']}" in text
    assert f"还差 {expected['gap'].lstrip('-')}" in text
    for each in expected["indicators"].values():
        assert f" {each} " in text
    for each in expected["receipt"]["indicators"].values():
        assert each["title_zh"] in text
    for each in years["years"][:13]:
        assert f"{each['year']}年 {each['total']} {each['line']}" in text
    assert f"申报教育背景有利，多 {choice['claimed']['by']} 分" in text
    assert "已扣除此后的 3 个月" in text
    assert "不作任何决定" in text
    assert in_text(lines_of().growth) in text


def test_lines_grow_as_one_chooses_and_a_child_comes_along_until(reader: Reader) -> None:
    other = Reader(reader.url.removesuffix("/calculator"))
    other.page = reader.page
    text = other.press("here", {"growth": "0", "child": "20120901"})
    first = forward(read_facts(json.dumps(FOUND)), 0, 12)["first"]
    assert f"照此推算， {first}年度 达到落户分值" in text
    assert f"最晚可以在 {last_round('2012-09-01')}年度 随迁" in text
    assert other.page.fields["child"] == "2012年9月1日"
    wrong = other.press("here", {"growth": "a lot", "child": "2012-02-30"})
    assert "应为分数" in wrong
    assert "应为日历上的日期" in wrong


def test_what_is_saved_scores_as_shown_and_comes_back(reader: Reader, web: Web) -> None:
    saved = reader.save()
    assert answer(read_facts(saved))["total"] in reader.page.text
    other = Reader(web.url)
    assert "已载入" in other.load(saved)
    assert other.page.fields["facts"] == reader.page.fields["facts"]
    assert answer(read_facts(saved))["total"] in other.page.text


def test_points_follow_each_step_with_clause_and_working(web: Web) -> None:
    somebody = Reader(web.url)
    text = somebody.press("here", JOURNEY[0][1])
    assert "年龄 20.00 分" in text
    assert "《办法》第五条第七项" in text
    text = somebody.press("next")
    assert "上一步的得分" in text
    text = somebody.press("here", JOURNEY[1][1])
    assert "按时缴纳社会保险 192 个月 × 0.25 分 = 48.00 分" in text
    assert "共 195 个月，其中 3 个月在2025年12月31日之后，已扣除" in text
    assert "还差" in text


def test_what_is_wrong_is_told_beside_the_field(web: Web) -> None:
    somebody = Reader(web.url)
    text = somebody.press("next")
    assert "请改正 2 处" in text
    assert "出生日期：没有填写" in text
    text = somebody.press("next", {"application.birth_date": "1984年2月30日"})
    assert somebody.page.fields["application.birth_date"] == "1984年2月30日"
    assert "出生日期：应为日历上的日期" in text
    somebody.press("next", JOURNEY[0][1])
    text = somebody.press("here", {**JOURNEY[1][1], "social_insurance.0.from": "2027-01"})
    assert "结束月份早于开始月份" in text
    text = somebody.press("to:result")
    assert "还不能计算" in text
    assert "to:work" in somebody.page.buttons


def test_a_row_goes_and_all_is_cleared(web: Web, reader: Reader) -> None:
    somebody = Reader(web.url)
    somebody.load(reader.save())
    somebody.press("to:home")
    somebody.press("drop:housing.0")
    facts = json.loads(somebody.page.fields["facts"])
    assert facts["feeds"]["housing"] == FOUND["feeds"]["housing"][1:]
    files = {name: (None, value) for name, value in somebody.page.fields.items()}
    cleared = httpx.post(somebody.url, files=files | {"go": (None, "clear")})
    assert (cleared.status_code, cleared.headers["location"]) == (303, "/calculator")
    assert json.loads(Page(httpx.get(somebody.url).text).fields["facts"])["feeds"] == {}


def test_shares_in_a_firm_count_as_the_rules_have_it(web: Web, reader: Reader) -> None:
    somebody = Reader(web.url)
    somebody.load(reader.save())
    somebody.press("to:innovation")
    somebody.press("add:shareholdings")
    code = "91110105MA00000012"
    somebody.press(
        "add:financings",
        {"shareholdings.0.employer_id": code, "shareholdings.0.share_bp": "12.5",
         "shareholdings.0.held_from": "20200101", "shareholdings.0.tech": "high_tech",
         "shareholdings.0.works_there": "yes"},
    )  # fmt: skip
    text = somebody.press(
        "here",
        {"financings.0.employer_id": code, "financings.0.received_on": "20240301",
         "financings.0.amount_fen": "20000000"},
    )  # fmt: skip
    assert "创新创业 4.00 分" in text
    text = somebody.press("here", {"shareholdings.0.works_there": "no"})
    assert "创新创业 0.00 分" in text


def test_facts_somebody_loads_stay_as_they_came(web: Web, small: Path) -> None:
    """Through every step without a touch, of people with all kinds of rows and rows of five statuses."""
    people = facts_of(small, 2020)
    facts = max(people.values(), key=lambda each: len(json.dumps(each["feeds"])))
    somebody = Reader(web.url)
    total = answer(read_facts(json.dumps(facts)))["total"]
    assert f"模拟总积分 {total}" in somebody.load(json.dumps(facts))
    for step in steps()[:-1]:
        somebody.press(f"to:{step['name']}")
    assert f"模拟总积分 {total}" in somebody.press("to:result")
    after = json.loads(somebody.page.fields["facts"])["feeds"]
    assert {feed: rows for feed, rows in after.items() if rows} == {
        feed: rows for feed, rows in facts["feeds"].items() if rows
    }


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"round": []}', '{"feeds": {"tax": 1}}', '{"feeds": {"tax": [1]}}', '{"x": 1}',
     '{"feeds": {"tax": [{"<script>": 1}]}}', '{"application": {"name": "x"}}', "[" * 100_000, "\xff"],
)  # fmt: skip
def test_a_file_of_something_else_is_not_loaded(text: str, web: Web) -> None:
    shown = Reader(web.url).load(text.encode("latin-1"))
    if text == '{"round": []}':
        assert "已载入" in shown
    else:
        assert "没有载入" in shown


def test_no_form_fails_it(web: Web) -> None:
    """Hostile hidden facts, names, numbers and buttons: a page comes back, and nothing runs in it."""
    script = "<script>alert(1)</script>"
    rows = [
        {
            "kind": script,
            "district": [1],
            "start_date": {"a": 1},
            "end_date": 5,
            "registered_on": True,
        }
    ]
    facts = {
        "round": 10**30,
        "application": {"birth_date": [], "claims_education": "x"},
        "feeds": {"housing": rows},
    }
    hostile: list[dict[str, str]] = [
        {"facts": json.dumps(facts), "step": "home", "go": "here", "housing.told": "1"},
        {"facts": json.dumps(facts), "step": "home", "go": "add:housing"},
        {"facts": json.dumps(facts), "step": "home", "go": "drop:housing.0", "housing.told": "1", "housing.0.kind": script},
        {"facts": json.dumps(facts), "step": "result", "go": "here", "growth": "9" * 50, "child": script},
        {"facts": json.dumps({"round": 2026, "application": {}, "feeds": {"social_insurance": [{"month": 3, "pension": [1]}]}}),
         "step": "work", "go": "here", "social_insurance.told": "1", "social_insurance.0.from": script},
        {"step": "tax", "go": "next", "tax.told": "1", "tax.999.year": "٣٤٥٦", "tax.0.amount_fen": "1e9", "tax.x.year": "1"},
        {"facts": '"\\ud800"', "step": script, "go": script},
        {"facts": '{"round": 2026, "application": {"birth_date": "\\ud800"}}', "go": "to:result", "step": "about"},
        {"step": "about", "round": "²", "application.birth_date": "１９８４０５０１", "go": "here"},
        {"feeds": "x", "go": "save"},
        {},
    ]  # fmt: skip
    for fields in hostile:
        files = {name: (None, value) for name, value in fields.items()} or {"a": (None, "b")}
        given = httpx.post(f"{web.url}/calculator", files=files, timeout=60)
        assert given.status_code == 200, fields
        assert script not in given.text
    for content, kind in (
        (b"x", "multipart/form-data; boundary=y"),
        (b"x", "multipart/form-data"),
        (b"{}", "application/json"),
    ):
        given = httpx.post(f"{web.url}/calculator", content=content, headers={"content-type": kind})
        assert given.status_code in {200, 400}


def test_fields_read_what_people_type() -> None:
    day, month, yuan = KINDS["day"], KINDS["month"], KINDS["yuan"]
    for text in ("20160501", "2016-05-01", "2016-5-1", "2016.5.1", "2016年5月1日", "2016/05/01"):
        assert day.read(text) == "2016-05-01", text
    for text in ("201601", "2016-01", "2016-1", "2016.1", "2016年1月", "2016年01月", "2016-01-01"):
        assert month.read(text) == "2016-01-01", text
    for text, fen in (("1", 100), ("1.5", 150), ("12,000.05", 1_200_005), ("-3.20", -320)):
        assert yuan.read(text) == fen
        assert yuan.read(yuan.write(fen)) == fen
    for kind in KINDS.values():
        for text in ("", "x", "1.234", "二〇一六", "١", "-", "1" * 60):
            again = kind.write(kind.read(text))
            assert kind.read(again) == kind.read(text), (kind, text)
    assert day.write("2016-05-01") == "2016年5月1日"
    assert month.write("2016-05-01") == "2016年5月"


# in a browser


def typed(page: Any, text: str) -> None:
    """Type into what has the focus; a choice is made by its first letters or by arrows."""
    page.keyboard.type(text)


def choose(page: Any, selector: str, steps_down: int) -> None:
    tab_to(page, selector)
    for _ in range(steps_down):
        page.keyboard.press("ArrowDown")


def enter(page: Any, selector: str) -> None:
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_by_keyboard_alone_on_a_phone(web: Web) -> None:
    """Every step looked at by axe at 360 px; months counted and points shown while one types."""
    with browser() as started:
        page = started.new_page(viewport={"width": 360, "height": 740}, locale="zh-CN")
        troubles: list[str] = []
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"{web.url}/calculator")
        require_accessible(page, "empty")
        enter(page, ".buttons button[value='next']")
        assert page.evaluate("document.activeElement.matches('.summary')")
        require_accessible(page, "wrong")
        tab_to(page, "#application-birth_date")
        typed(page, "19840501")
        choose(page, "#application-retirement_class", 1)
        enter(page, ".buttons button[value='next']")
        tab_to(page, "#social_insurance-0-from")
        typed(page, "201001")
        tab_to(page, "#social_insurance-0-to")
        typed(page, "202603")
        assert page.inner_text(".count") == "共 195 个月，其中 3 个月在2025年12月31日之后，已扣除"
        choose(page, "#social_insurance-0-work_district", 9)
        page.wait_for_selector("#points .total b:text-is('73.29')")
        require_accessible(page, "work")
        enter(page, ".buttons button[value='next']")
        choose(page, "#housing-0-kind", 1)
        choose(page, "#housing-0-district", 9)
        assert page.is_hidden("#housing-0-registered")
        tab_to(page, "#housing-0-start_date")
        typed(page, "20160501")
        with page.expect_navigation():
            page.keyboard.press("Enter")  # within a field: points, and nothing is lost
        require_accessible(page, "home")
        enter(page, ".buttons button[value='next']")
        choose(page, "#education-0-level", 3)
        choose(page, "#education-0-held", 1)
        tab_to(page, "#education-0-graduated_on")
        typed(page, "20120701")
        page.wait_for_selector("#choice table")
        require_accessible(page, "education")
        for where in ("tax", "innovation", "standing", "result"):
            enter(page, ".buttons button[value='next']")
            require_accessible(page, where)
        assert page.inner_text(".figure.main b") == "109.80"
        assert troubles == []


def test_wide_and_on_paper(web: Web, reader: Reader, tmp_path: Path) -> None:
    with browser() as started:
        path = tmp_path / "facts.json"
        path.write_text(reader.save(), encoding="utf-8")
        for width in (768, 1440):
            page = started.new_page(viewport={"width": width, "height": 900}, locale="zh-CN")
            page.goto(f"{web.url}/")
            require_accessible(page, "first page")
            page.goto(f"{web.url}/calculator")
            page.set_input_files("#file", path)
            with page.expect_navigation():
                page.click("button[value='load']")
            require_accessible(page, "loaded")
            right = page.evaluate(
                "[...document.querySelectorAll('.when td:nth-child(2)')]"
                ".map(each => getComputedStyle(each).textAlign)"
            )
            assert set(right) == {"right"}
            with page.expect_download() as download:
                page.click("button[value='save']")
            assert json.loads(Path(download.value.path()).read_text("utf-8")) == json.loads(
                reader.save()
            )
            page.emulate_media(media="print")
            for hidden in (".steps", ".buttons", ".keep.load"):
                assert not page.is_visible(hidden), hidden
            assert page.is_visible(".figure.main")
            assert page.pdf(format="A4").startswith(b"%PDF")
            page.close()
