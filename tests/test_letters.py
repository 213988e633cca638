"""Notices: what each kind of applicant reads, for that applicant alone, complete or absent.

What a page says is kept in tests/letters as text.  Where a change of it is wanted, renew the files with
`RENEW_LETTERS=1 .venv/bin/pytest tests/test_letters.py` and read their diff as an addressee would.
"""

import gzip
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest
from commands import here
from deciding import YEAR, ARound
from notices import FIRMS, IDS, PEOPLE, Reading, notified
from test_calculator import browser, require_accessible

from flows.common.failures import BadUsage, CheckFailed
from flows.common.languages import Language
from flows.common.settings import DATA, luohu_version
from flows.explain.receipts import proved
from flows.explain.receipts.bulk import write_receipts
from flows.explain.words import Words
from flows.ledger.file import read
from flows.process.appeals.standing import PENDING, RESULTS, WITHDRAWN, pending
from flows.process.appeals.withdrawing import withdraw
from flows.process.places.sanctions import sanction
from flows.process.places.settle import Settling, settle
from flows.process.places.standing import CANCELLED, LAPSED, REGISTERED
from flows.process.places.standing import WITHDRAWN as GIVEN_UP
from flows.process.rules import rules
from flows.public.letters import write as writing
from flows.public.letters.common import WORDS, words_of_letters
from flows.public.letters.folder import file_of
from flows.public.letters.write import Written, write_letters
from flows.run.stages import Outcome
from schemas.feeds import FEEDS
from transforms.editions import editions

Json = dict[str, Any]
KEPT = Path(__file__).parent / "letters"
RENEW = "RENEW_LETTERS"
# points, counts and results that stand on more than one line
BROKEN_CELLS = """() => [...document.querySelectorAll("td.n, .rules td:nth-child(2)")].filter((cell) => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  return range.getClientRects().length > 1;
}).map((cell) => cell.textContent)"""
# an application number, an id of an appeal, the id of the run
PLAIN_LATIN = re.compile(r"2021-[a-z]+(-[a-z0-9]+)*|计算编号 [0-9a-f]+")


def letters(of: ARound, out: Path, **more: Any) -> dict[str, str]:
    """Kind of applicant -> page."""
    write_letters(of.warehouse, YEAR, out, data=of.data, **more)
    return {
        path.stem.removeprefix(f"{YEAR}-"): path.read_text(encoding="utf-8")
        for path in sorted(out.iterdir())
    }


@pytest.fixture(scope="module")
def preliminary(tmp_path_factory: pytest.TempPathFactory) -> ARound:
    """The round with an appeal that is open and others that are not; in a rehearsal."""
    found = notified(tmp_path_factory.mktemp("notified"))
    number = f"{YEAR}-appeal-open"
    found.claim(number, "residence", "2021-05-20T09:00")
    found.claim(number, "tax", "2021-06-07T10:00")
    refused = found.claim(number, "social_insurance", "2021-06-08T10:00")
    given_up = found.claim(number, "age", "2021-06-09T10:00")
    withdraw(found.asked("appeal withdraw", "2021-06-10T10:00"), given_up)
    found.decide(refused, "refused", "2021-06-16T10:00")
    return found


@pytest.fixture(scope="module")
def official(preliminary: ARound, tmp_path_factory: pytest.TempPathFactory) -> ARound:
    """The round published: one place was used, one cancelled; a finding is about somebody without one."""
    found = preliminary.copy(tmp_path_factory.mktemp("official"))
    for appeal in pending(read(found.warehouse), YEAR):
        found.decide(appeal.id, "refused", "2021-07-02T10:00")
    found.publish()
    names = {"by": "王芳", "and_by": "张伟"}
    found_on = date(2021, 7, 20)
    for kind in ("tied", "appeal-open"):
        asked = found.asked("sanction", "2021-07-21", **names)
        sanction(asked, f"{YEAR}-{kind}", found_on, "材料不实")
    (serial,) = (
        each["serial"] for each in found.ranking() if each["application_no"] == f"{YEAR}-tied-too"
    )
    settle(
        found.asked("settle", "2021-08-02"), [Settling(serial, "registered", date(2021, 8, 1), 1)]
    )
    return found


@pytest.fixture(scope="module")
def pages(preliminary: ARound, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return letters(preliminary, tmp_path_factory.mktemp("pages") / "letters")


@pytest.fixture(scope="module")
def final_pages(official: ARound, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return letters(official, tmp_path_factory.mktemp("final") / "letters")


def read_as(page: str) -> str:
    """The text of a page; what names run and version is another with each change of the code."""
    text = re.sub(r"计算编号 [0-9a-f]{16}", "计算编号 RUN", Reading(page).text)
    return text.replace(f"程序版本 {luohu_version()}", "程序版本 VERSION")


def require_kept(name: str, page: str) -> None:
    path, text = KEPT / f"{name}.txt", read_as(page)
    if os.environ.get(RENEW):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{name}: see {RENEW} above"


# --- what applicants read ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", PEOPLE)
def test_what_a_preliminary_letter_says(kind: str, pages: dict[str, str]) -> None:
    require_kept(kind, pages[kind])


@pytest.mark.parametrize(
    "kind", ["settled", "tied", "tied-too", "below", "retired", "under-review", "appeal-open"]
)
def test_what_a_published_letter_says(kind: str, final_pages: dict[str, str]) -> None:
    require_kept(f"published-{kind}", final_pages[kind])


def test_each_kind_is_what_it_is_called(pages: dict[str, str], final_pages: dict[str, str]) -> None:
    says = {
        "settled": ["初步结果：可以取得2021年度落户资格", "高"],
        "tied": ["恰好等于落户分值", "同分同落"],
        "tied-too": ["恰好等于落户分值", "同分同落"],
        "below": ["不能取得2021年度落户资格", "低"],
        "one-month-short": ["有缴费记录 83 个月，应有 84 个月", "缺少缴费记录的月份：2017年3月\n"],
        "under-review": ["须人工复核", "住房：类别（应为：规定的取值）"],
        "appeal-open": [
            "2021年6月7日就“纳税”提出的申诉",
            "正在办理",
            "不予支持",
            "已经撤回",
            "复查",
        ],
        "retired": ["2020年6月15日已达到法定退休年龄"],
        "not-eligible": ["居住证 0 张", "刑事犯罪记录 1 条", "没有正常纳税", "提供虚假材料"],
        "hostile": ["初步结果"],
    }
    assert set(says) == set(pages)
    for kind, sentences in says.items():
        for sentence in sentences:
            assert sentence in read_as(pages[kind]), (kind, sentence)
    assert "已于2021年7月21日取消" in final_pages["tied"]
    barred = (
        "因提供虚假材料（2021年7月20日认定），2021年度至2026年度不得申报积分落户。《办法》第十条"
    )
    assert [kind for kind, page in final_pages.items() if barred in page] == ["appeal-open", "tied"]
    assert "已于2021年8月1日办理落户" in final_pages["tied-too"]
    assert "正式结果，已于2021年7月12日公示" in final_pages["below"]
    for page in (*pages.values(), *final_pages.values()):
        for until in ("2021年6月4日8时至2021年6月11日20时", "2021年7月12日至2021年7月19日"):
            assert until in page
        assert "《北京市积分落户管理办法》（京政办发〔2020〕9号）" in page
        assert "演练" in page


def test_dates_nobody_knows_are_said_to_be_unknown(preliminary: ARound, tmp_path: Path) -> None:
    data = shutil.copytree(preliminary.data, tmp_path / "data")
    file = data / "rounds" / f"{YEAR}.toml"
    text = file.read_text(encoding="utf-8")
    for code in ("query", "registration"):
        text = re.sub(rf"\[phases\.{code}\]\n(.+\n){{3}}", "", text)
    text = text.replace("to = 2021-07-19\n", "")
    file.write_text(text, encoding="utf-8")
    of = preliminary._replace(data=data)
    page = letters(of, tmp_path / "out", application_no=f"{YEAR}-below")["below"]
    assert "申诉：审核结果查询期间（时间尚不确定，以受理部门的公告为准）" in page
    assert "2021年7月12日起，截止时间尚不确定" in page
    assert "<td>时间尚不确定，以受理部门的公告为准</td>" in page


def test_words_are_there_for_every_feed_rule_and_status() -> None:
    words = words_of_letters()
    own = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    assert not own.keys() & Words(Language.zh).tree.keys()
    in_short = {each for feed in FEEDS.values() for each in feed.department.split(", ")}
    assert own["department"].keys() == in_short
    of_rule = {
        rule: name
        for entry in editions(DATA / "policy")
        for listed in ("conditions", "indicators")
        for name, rule in entry[listed].items()
    }
    for rule, feeds in own["rests_on"].items():
        assert set(feeds) < set(rules(DATA).subject(of_rule[rule]).feeds), rule
    for status in (*RESULTS, WITHDRAWN, PENDING):
        assert words.say("appeal", status, decided_on=date(2021, 1, 2))
    for status in (REGISTERED, CANCELLED, GIVEN_UP, LAPSED):
        assert words.say("place", status, round=YEAR, since=date(2021, 1, 2))
    assert {str(each.kind) for each in rules(DATA).of("appeal file")} == {"review", "appeal"}


# --- nobody else, and nothing that steers ------------------------------------------------------


def test_a_letter_names_its_addressee_and_nobody_else(
    pages: dict[str, str], final_pages: dict[str, str]
) -> None:
    for kind, page in (*pages.items(), *final_pages.items()):
        text = Reading(page).text
        for other, (name, *_) in PEOPLE.items():
            assert (" ".join(name.split()) in text) == (other == kind), (kind, other)
            assert f"{YEAR}-{other}<" not in page or other == kind
        assert not any(number in page for number in IDS.values()), kind
        assert not re.search(r"[0-9]{17}|[0-9*]{14}|\*\*", text), kind
        assert "连同本人" not in text  # counts of who is tied tell who they are
        assert not re.search(r"[A-Za-z]{3,}", re.sub(PLAIN_LATIN, "", text)) or kind == "hostile"


def test_hostile_names_are_text(pages: dict[str, str]) -> None:
    page = pages["hostile"]
    assert "<bdi>&lt;b&gt;苏 &amp;amp;&#39;&#34; 安十&lt;/b&gt;</bdi>" in page
    assert "<script" not in page
    assert FIRMS[PEOPLE["hostile"][4]] in Reading(page).text


@pytest.mark.parametrize("number", ["../x", "a/b", "", "a" * 33, "x.html", "名", "a\nb"])
def test_no_path_is_made_of_what_is_no_application_number(number: str) -> None:
    with pytest.raises(CheckFailed, match="application number"):
        file_of(number)


def test_in_a_whole_round_nobody_reads_of_another(
    small_published: tuple[Path, Outcome], whole: dict[str, str]
) -> None:
    folder = Path(small_published[1].directory)
    people = pl.read_parquet(folder / "restricted" / "people.parquet").rows(named=True)
    assert whole.keys() == {each["application_no"] for each in people}
    for each in people:
        page = whole[each["application_no"]]
        assert f"<bdi>{each['name']}</bdi>" in page
        body = re.sub("<dt>申报单位</dt>.*|<dt>申请人</dt>.*", "", page)
        for other in people:
            assert other["name"] not in body
            assert other["person_id"] not in page
            assert other["application_no"] not in page or other == each


# --- what it says is what explain says ---------------------------------------------------------


@pytest.fixture(scope="module")
def whole(
    small_published: tuple[Path, Outcome], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Application number -> page, of a whole small round."""
    out = tmp_path_factory.mktemp("whole") / "letters"
    done = write_letters(small_published[0], 2020, out, data=DATA)
    found = {path.stem: path.read_text(encoding="utf-8") for path in out.iterdir()}
    assert done == Written(small_published[1].run_id, len(found), "preliminary")
    return found


def test_points_and_conditions_are_those_of_explain_json(
    small_published: tuple[Path, Outcome], whole: dict[str, str], tmp_path: Path
) -> None:
    require_agreement(small_published[0], 2020, whole, tmp_path)


def test_so_they_are_of_people_who_need_review(
    preliminary: ARound, pages: dict[str, str], tmp_path: Path
) -> None:
    found = {f"{YEAR}-{kind}": page for kind, page in pages.items()}
    require_agreement(preliminary.warehouse, YEAR, found, tmp_path)


def require_agreement(warehouse: Path, year: int, found: dict[str, str], tmp_path: Path) -> None:
    write_receipts(warehouse, year, tmp_path / "all.jsonl.gz")
    with gzip.open(tmp_path / "all.jsonl.gz", "rt", encoding="utf-8") as file:
        receipts = {each["application_no"]: each for each in map(json.loads, file)}
    assert receipts.keys() == found.keys()
    one = min(receipts)
    assert {**receipts[one], "proof": ...} == {**proved(warehouse, year, one), "proof": ...}
    for number, receipt in receipts.items():
        page = found[number]
        rows = dict(re.findall(r'<tr><th scope="row">([^<]+)</th><td[^>]*>([^<]+)</td>', page))
        for rule in receipt["indicators"].values():
            assert rows[rule["title_zh"]] == rule["points"], number
        for rule in receipt["conditions"].values():
            assert rows[rule["title_zh"]] == ("满足" if rule["holds"] else "不满足"), number
        assert rows["总积分"] == receipt["total"]
        assert f"<b>{receipt['total']}</b>" in page
        assert ("须人工复核" in page) == receipt["needs_review"]
        of = receipt["standing"]
        came = "不满足" if not of["eligible"] else "可以" if of["settled"] else "不能"
        assert f"初步结果：{came}" in page


# --- the folder ----------------------------------------------------------------------------------


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_same_run_same_bytes_for_the_owner_only(preliminary: ARound, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        letters(preliminary, tmp_path / "one")
        letters(preliminary, tmp_path / "other")
    finally:
        os.umask(before)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    assert len(contents(tmp_path / "one")) == len(PEOPLE)
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o700
    assert modes(tmp_path / "one") == {0o600}
    assert {path.name for path in tmp_path.iterdir()} == {"one", "other"}


def test_processes_write_the_same(
    preliminary: ARound, pages: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "CHUNK", 0)
    assert letters(preliminary, tmp_path / "out") == pages


def test_an_earlier_set_of_the_round_is_replaced_and_nothing_else(
    preliminary: ARound, small_published: tuple[Path, Outcome], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    letters(preliminary, out)
    (out / f"{YEAR}-tied.html").unlink()
    assert len(letters(preliminary, out)) == len(PEOPLE)
    with pytest.raises(BadUsage, match=r"letters of round 2020, found .*: 10 of its entries"):
        write_letters(small_published[0], 2020, out, data=DATA)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(BadUsage, match=": 1 of its entries") as refused:
        letters(preliminary, out)
    assert "notes" not in str(refused.value)
    (tmp_path / "link").symlink_to(out)
    for other in (tmp_path / "link", out / "notes.txt", tmp_path / "no" / "folder", Path("/")):
        with pytest.raises(BadUsage, match="--out"):
            letters(preliminary, other)
    assert (out / "notes.txt").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"out", "link"}


def test_one_letter_goes_beside_the_others(
    preliminary: ARound, pages: dict[str, str], tmp_path: Path
) -> None:
    number = f"{YEAR}-below"
    assert letters(preliminary, tmp_path / "one", application_no=number) == {
        "below": pages["below"]
    }
    path = tmp_path / "one" / f"{number}.html"
    path.write_bytes(path.read_bytes()[:1000])
    more = letters(preliminary, tmp_path / "one", application_no=f"{YEAR}-tied")
    assert more.keys() == {"below", "tied"}
    assert letters(preliminary, tmp_path / "one", application_no=number)["below"] == pages["below"]
    assert modes(tmp_path / "one") == {0o600}


def test_what_cannot_be_is_told_in_one_line(preliminary: ARound, tmp_path: Path) -> None:
    asked = ["letters", YEAR, "--out", tmp_path / "out"]
    at = ["--warehouse", preliminary.warehouse, "--data", preliminary.data]
    person = next(iter(IDS.values()))
    for more, expected in (
        ([*at, "--application-no", "2021-nobody"], f"round {YEAR} has no application 2021-nobody"),
        ([*at, "--application-no", person], "18 characters that are none"),
        ([*at, "--application-no", "../../x"], "7 characters that are none"),
        (["--warehouse", tmp_path / "w"], "expected a warehouse"),
        ([*at[:1], tmp_path, *at[2:]], "run `luohu run ROUND --feeds DIR` first"),
    ):
        done = here(*asked, *more)
        lines = [each for each in done.stderr.splitlines() if "rehearsal" not in each]
        assert (done.returncode, len(lines)) == (2, 1), done.stderr
        assert expected in lines[0]
        assert person not in done.stderr
        assert "Traceback" not in done.stderr
    done = here("letters", 2022, "--out", tmp_path / "out", *at)
    assert "holds no round 2022; rounds: 2021" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_it_wrote(preliminary: ARound, tmp_path: Path) -> None:
    done = here("letters", YEAR, "--out", tmp_path / "out", *preliminary.options())
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{len(PEOPLE)} letters of round {YEAR} (preliminary), run ")
    assert len(list((tmp_path / "out").iterdir())) == len(PEOPLE)
    assert "--application-no" in here("letters", "--help").stdout


def test_two_at_once(preliminary: ARound, pages: dict[str, str], tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as both:
        found = both.map(lambda _: letters(preliminary, tmp_path / "out"), range(2))
        assert [each == pages for each in found] == [True, True]
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


KILLED = """
import sys, time
from pathlib import Path
from flows.common.settings import DATA
from flows.explain.receipts import compose
from flows.public.letters import batches, write

put = batches.put
def slowly(*given):  # in its processes too: each reads this file first
    time.sleep(0.1)
    put(*given)
batches.put, compose.CHUNK, write.CHUNK = slowly, 7, 0

if __name__ == "__main__":
    write.write_letters(Path(sys.argv[1]), 2020, Path(sys.argv[2]), data=DATA)
"""


def test_killed_in_the_middle(
    small_published: tuple[Path, Outcome], whole: dict[str, str], tmp_path: Path
) -> None:
    """What was there stays, its processes end with it, and the next command cleans up."""
    warehouse, out, first = small_published[0], tmp_path / "letters", min(whole)
    write_letters(warehouse, 2020, out, data=DATA, application_no=first)
    before = contents(out)
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    process = subprocess.Popen([sys.executable, str(script), str(warehouse), str(out)])
    while len(list(tmp_path.glob(".letters.*.partial/*.html"))) < 10:
        assert process.poll() is None
        time.sleep(0.01)
    children = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert psutil.wait_procs(children, timeout=20)[1] == []
    assert contents(out) == before
    (left,) = tmp_path.glob(".letters.*.partial")
    assert stat.S_IMODE(left.stat().st_mode) == 0o700
    write_letters(warehouse, 2020, out, data=DATA)
    assert {name: page.decode() for name, page in contents(out).items()} == {
        f"{number}.html": page for number, page in whole.items()
    }
    assert {path.name for path in tmp_path.iterdir()} == {"letters", "killed.py"}


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_keeps_nothing(preliminary: ARound, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    how = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)]
    if subprocess.run(how, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let tests mount a disk")
    try:
        done = here("letters", YEAR, "--out", disk / "out", *preliminary.options())
        assert done.returncode == 2
        assert "No space left on device; nothing half was left" in done.stderr
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# --- on a screen and on paper --------------------------------------------------------------------


def test_on_a_phone_and_on_paper(
    pages: dict[str, str], final_pages: dict[str, str], tmp_path: Path
) -> None:
    with browser() as started:
        page = started.new_page(viewport={"width": 360, "height": 740}, locale="zh-CN")
        for name, content in (("appeal", pages["appeal-open"]), ("final", final_pages["settled"])):
            path = tmp_path / f"{name}.html"
            path.write_text(content, encoding="utf-8")
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto(path.as_uri())
            require_accessible(page, name)
            assert page.evaluate(BROKEN_CELLS) == []
            assert asked == [path.as_uri()]
        page.emulate_media(media="print")
        assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
