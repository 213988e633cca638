"""The page of an applicant: complete in both languages, true to the receipt, and without a word of
Latin in the Chinese one."""

import dataclasses
import fcntl
import io
import json
import os
import pty
import random
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import cases
import polars as pl
import pytest
from commands import here
from redelivery import Delivery
from reference import hostile
from rich.cells import cell_len
from test_against_reference import specification

from flows.common.languages import Language
from flows.common.points import in_text
from flows.common.settings import DATA, Order
from flows.explain.law import law
from flows.explain.months import homes, insurance, row
from flows.explain.page import IN_A_PIPE, WIDEST, said_of_all, show, standing
from flows.explain.receipts import proved, receipt
from flows.explain.receipts.bulk import write_receipts
from flows.explain.receipts.facts import DAYS, ROWS
from flows.explain.what_if import nearest
from flows.explain.what_if.kinds import KINDS
from flows.explain.words import Words, holes, money, points
from flows.explain.working import decimal, named
from flows.explain.wrap import CLOSING, wrapped
from flows.kept.past_run import past_run
from flows.run.check_rows import EXPECTED
from flows.run.stages import Outcome, run
from schemas.columns import CODES, INSURANCES
from schemas.feeds import FEEDS
from transforms.conditions import CONDITIONS
from transforms.indicators import INDICATORS
from transforms.policy import Edition, Rule, params
from transforms.rounds import Round
from transforms.scorecard import prepared

Json = dict[str, Any]
Published = tuple[Path, Outcome]
WORDS = {language: Words(language) for language in Language}
EDITIONS = {"trial": 2019, "2020": 2024}  # rounds that show all an edition knows
# the years' sums stand in the parts of the years
TOLD_ELSEWHERE = {"tax": {"fen_1", "fen_2", "fen_3"}}
for education in (
    "education",
    "education_from_enrolment",
):  # told by the rule that takes study back
    TOLD_ELSEWHERE[education] = {"study_from", "window_months", "months_studied"}
LATIN = re.compile(r"[A-Za-z]")
NAMES_AND_CODES = re.compile(r"\b[a-z_]+/|\bpart-[0-9]+\b|\b[0-9a-f]{16,64}\b")


def edition(name: str) -> tuple[Edition, Round]:
    order = Order(EDITIONS[name], Path())
    assert order.edition().name == name
    return order.edition(), order.round()


def rules() -> Iterator[tuple[Rule, Edition, Round]]:
    for name in EDITIONS:
        in_force, made = edition(name)
        for rule in (*in_force.conditions.values(), *in_force.indicators.values()):
            yield rule, in_force, made


def leaves(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every key of a words file with the places its sentences leave open."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            for number, line in enumerate(value if isinstance(value, list) else [value]):
                yield f"{path}{key}.{number}", sorted(holes(line))


def page(warehouse: Path, year: int, number: str) -> dict[Language, str]:
    """The page in both languages, as a pipe gets it."""
    found, past = receipt(warehouse, year, number), past_run(warehouse, year, None)
    change = nearest(past, number)
    order = Order(year, past.directory, warehouse, past.directory / "pinned")
    made = {}
    for language, words in WORDS.items():
        with redirect_stdout(io.StringIO()) as out:
            show(found, change, law(order.edition(), words), words)
        made[language] = out.getvalue()
    return made


def flat(text: str) -> str:
    """A page without the breaks and blanks of its cells."""
    return re.sub(r"\s+", "", text)


# --- words ------------------------------------------------------------------------------------


def test_both_languages_have_the_same_words() -> None:
    en, zh = (dict(leaves(WORDS[language].tree)) for language in Language)
    assert list(en) == list(zh)
    assert en == zh
    assert len(en) > 300


def test_every_rule_condition_and_piece_of_evidence_has_words() -> None:
    """Evidence columns come from the rules themselves, whatever the data."""
    for rule, in_force, made in rules():
        for words in WORDS.values():
            assert rule.name in words.tree["fact"], rule.name
            assert rule.name in words.tree["none"], rule.name
        assert rule.clause_zh, rule.name
        facts = prepared(cases.feeds([]), in_force, made)
        module = {**CONDITIONS, **INDICATORS}[rule.name]
        p = params(module.Params, rule)
        evidence = module.evidence(facts, p, made)
        told = TOLD_ELSEWHERE.get(rule.name, set()) | {"person", "sort_key"}
        sentences = list(WORDS[Language.zh].tree["fact"][rule.name])
        if rule.name in INDICATORS:
            for part in module.parts(p, made).parts:
                name = named(part.name)[0]
                sentences.append(WORDS[Language.zh].tree["part"][name])
                told |= {f"{of}_{part.name}" for of in ("months", "counted")}  # of residence
        told |= {name for sentence in sentences for name in holes(sentence)}
        told |= {"position_years"} if "full_years" in told else set()
        assert set(evidence.collect_schema().names()) <= told, rule.name


def test_everything_delivered_has_words() -> None:
    """Feeds, columns, codes, titles, what a check expects, and the records of a receipt."""
    tree = WORDS[Language.zh].tree
    assert set(FEEDS) <= set(tree["feed"])
    assert {*ROWS, *DAYS, "employers", "tax", "shareholdings", "honours"} <= set(tree["record"])
    columns = {
        name: each for feed in FEEDS.values() for name, each in feed.schema().columns.items()
    }
    assert set(columns) == set(tree["column"])
    expected = {check.name for each in columns.values() for check in each.checks}
    expected = {EXPECTED.get(name, name) for name in expected}
    made_elsewhere = {"parse", "conflicting_duplicate", "not_after_received_on", "not_null"}
    made_elsewhere |= {"utf_8", "within_limits"}
    assert expected | made_elsewhere == set(tree["expected"])
    coded = {code for name in CODES for code in CODES[name] if isinstance(code, str)}
    in_force, _ = edition("2020")
    titles = set(in_force.indicators["honour"].values["titles"])
    unshown = {*CODES["sex"], *CODES["insurance_status"], *CODES["province"]}
    assert (coded - unshown) | titles | set(INSURANCES) <= set(tree["code"])
    assert set(EDITIONS) == set(tree["edition"])


def test_every_kind_of_change_has_words() -> None:
    assert {kind.name for kind in KINDS} <= set(WORDS[Language.en].tree["change"])


# --- how values are written -------------------------------------------------------------------


def test_numbers() -> None:
    assert [points(each) for each in (25, 100, 50, 350, -1200, 0)] == [
        "0.25",
        "1",
        "0.5",
        "3.5",
        "-12",
        "0",
    ]
    assert [money(each) for each in (10_000_000, 123_456_789, -5, 0)] == [
        "100,000",
        "1,234,567.89",
        "-0.05",
        "0",
    ]
    assert [in_text(each) for each in (9675, -263, 5)] == ["96.75", "-2.63", "0.05"]
    assert [decimal(*each) for each in ((8300, 1200), (700, 200), (-3150, 1200), (-100, 300))] == [
        "6.9166…",
        "3.5",
        "-2.625",
        "-0.3333…",
    ]


def test_dates_codes_and_nothing() -> None:
    en, zh = WORDS[Language.en], WORDS[Language.zh]
    assert (en.shown("on", "2019-12-01"), zh.shown("on", "2019-12-01")) == (
        "2019-12-01",
        "2019年12月1日",
    )
    assert (en.shown("last_month", "2019-12-01"), zh.shown("month", "2019-12")) == (
        "2019-12",
        "2019年12月",
    )
    assert (en.shown("level", "doctor"), zh.shown("held", value := True)) == ("doctor", "是")
    assert value
    assert zh.shown("end_date", None) == "今"
    with pytest.raises(KeyError):
        zh.say("why", "a reason nobody has heard of")


def test_lines_break_where_chinese_does() -> None:
    sentences = WORDS[Language.zh].tree["none"].values()
    texts = [*sentences, "持有 1,234.50 元，" * 30, "a long English line " * 9]
    for text in texts:
        for width in (14, 31):
            lines = wrapped(text, width).split("\n")
            assert flat("".join(lines)) == flat(text)
            assert max(map(cell_len, lines)) <= width
            assert not any(line[0] in CLOSING for line in lines)
            assert not any(
                re.search(r"\d$", a) and re.match(r"[\d.,]", b) for a, b in pairwise(lines)
            )


# --- pages of rounds --------------------------------------------------------------------------


def reasons(found: Json) -> set[str | None]:
    """Why insurance months of a receipt count or do not."""
    facts = found["facts"]
    return {span["why"] for span in [*facts["insurance"], *facts["insurance_outside"]]}


@dataclass(frozen=True)
class Hostile:
    """A published round of a hostile delivery, and the pages of some of its applicants."""

    warehouse: Path
    year: int

    @cached_property
    def receipts(self) -> dict[str, Json]:
        """The receipts of those whose months have most reasons, and of a seeded sample."""
        write_receipts(self.warehouse, self.year, self.warehouse / "receipts.jsonl")
        lines = (self.warehouse / "receipts.jsonl").read_text(encoding="utf-8").splitlines()
        found = sorted(map(json.loads, lines), key=lambda each: len(reasons(each)), reverse=True)
        chosen = [*found[:6], *random.Random(1).sample(found, 2)]
        return {each["application_no"]: each for each in chosen}

    @cached_property
    def pages(self) -> dict[str, dict[Language, str]]:
        return {number: page(self.warehouse, self.year, number) for number in self.receipts}


@pytest.fixture(scope="module", params=sorted(EDITIONS))
def hostile_round(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Hostile:
    folder, year = tmp_path_factory.mktemp(request.param), EDITIONS[request.param]
    data = Path(shutil.copytree(DATA, folder / "data"))
    path = data / "rounds" / f"{year}.toml"
    path.write_text(path.read_text().replace("quota = 6000", "quota = 10"))
    order = Order(year, folder / "feeds", folder, data, recheck=False)
    hostile.write_feeds(order.feeds, specification(order), 3, 40, dirty=True)
    run(order)
    return Hostile(folder, year)


@pytest.mark.slow
def test_chinese_pages_hold_no_latin_but_names_of_files_and_codes(hostile_round: Hostile) -> None:
    for number, made in hostile_round.pages.items():
        text = NAMES_AND_CODES.sub("", made[Language.zh]).replace(number, "")
        assert not [line for line in text.splitlines() if LATIN.search(line)]


@pytest.mark.slow
def test_pages_show_what_the_receipt_says(hostile_round: Hostile) -> None:
    """Points, parts before and after rounding, spans with their reasons, the standing, the sources."""
    for number, made in hostile_round.pages.items():
        found = hostile_round.receipts[number]
        for language, text in made.items():
            words, plain = WORDS[language], flat(text)
            assert found["total"] in text
            assert found["run_id"] in text
            assert flat(WORDS[language].tree["edition"][found["edition"]]) in plain
            assert not re.search("[0-9a-f]{40}", plain)  # digests are for machines
            for rule in found["indicators"].values():
                assert rule["points"] in text
                for part in rule["parts"]:
                    if part["numerator"]:
                        assert in_text(part["centipoints"]) in text
                        assert decimal(part["numerator"], part["denominator"] * 100) in plain
            spans = insurance(found["facts"])
            inside = [
                span
                for span in spans
                if span.why not in {"before_first_month", "after_reference_date"}
            ]
            counted = sum(span.months for span in inside if span.counts_as)
            assert counted == found["counted_months"]["counted"]
            assert (
                sum(span.months for span in inside) - counted
                == found["counted_months"]["uncounted"]
            )
            for span in [*spans, *homes(found["indicators"]["residence"])]:
                for cell in row(span, said_of_all(found), words):
                    assert flat(cell) in plain, span


def test_no_line_is_wider_than_the_terminal(
    hostile_round: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is narrow; a page in a pipe has one width."""
    for made in hostile_round.pages.values():
        for text in made.values():
            assert max(map(cell_len, text.splitlines())) <= IN_A_PIPE
    for columns, (number, made) in zip(
        (20, 40, 60, 100), hostile_round.pages.items(), strict=False
    ):
        monkeypatch.setenv("COLUMNS", str(columns))
        for language, text in page(hostile_round.warehouse, hostile_round.year, number).items():
            assert max(map(cell_len, text.splitlines())) <= columns
            shown = re.sub(r"[─\s·]|:|：", "", text)  # the same is told, in other lines
            assert len(shown) >= 0.9 * len(re.sub(r"[─\s·]|:|：", "", made[language]))


def test_whose_total_is_the_line_is_told_who_shares_it(hostile_round: Hostile) -> None:
    """And nobody else; nobody is above the line by nothing."""
    some = next(iter(hostile_round.receipts.values()))
    for above, settled, ranked, tied, told in (
        ("0.00", True, 80, 44, ["44"]),
        ("0.00", True, 80, 1, []),
        ("0.01", True, 80, 44, ["高 0.01"]),
        ("-35.00", False, 80, 44, ["低 35.00"]),
        ("0.00", True, 3, 3, ["名额没有用完"]),
    ):
        stands = some["standing"] | {
            "above_line": above, "settled": settled, "ranked": ranked, "rank": 1, "serial": 1,
            "line": "90.00", "tied_at_line": tied, "eligible": True,
        }  # fmt: skip
        conditions = {name: {**each, "holds": True} for name, each in some["conditions"].items()}
        found = {**some, "standing": stands, "conditions": conditions}
        text = standing(found, WORDS[Language.zh])
        assert all(each in text for each in told)
        assert ("同分" in text) == (told == ["44"])
        assert "0.00 分" not in text.replace("90.00", "")


def test_one_month_is_one_month(hostile_round: Hostile) -> None:
    zh, en = WORDS[Language.zh], WORDS[Language.en]
    values = {"units": 1, "first_month": "2008-12-01", "last_month": "2008-12-01"}
    assert zh.say("change", "own_home_months", **values).endswith("（2008年12月）")
    assert en.say("change", "own_home_months", **values).endswith("(2008-12)")
    assert "2008年12月至2009年1月" in zh.say(
        "change", "own_home_months", **{**values, "last_month": "2009-01-01"}
    )
    for made in hostile_round.pages.values():
        for text in made.values():
            for first, last in re.findall(
                r"([0-9年月日-]+) ?(?:至|to) ?([0-9年月日-]+)", flat(text)
            ):
                assert first != last


def test_every_clause_is_of_the_edition_it_is_shown_under() -> None:
    """Under one edition nobody reads of the other, and every act has its full name and number."""
    for name in EDITIONS:
        in_force, _ = edition(name)
        for language, words in WORDS.items():
            said = law(in_force, words)
            assert "北京市积分落户管理办法" in said.act
            assert re.search(r"京政办发〔\d+〕\d+号", said.act)
            other = "二〇二〇年办法|2020" if name == "trial" else "试行|[Tt]rial"
            clauses = " ".join(filter(None, said.clauses.values()))
            clauses = clauses.replace("release of 2020-07-16", "")
            if name == "trial" or language is Language.zh:
                assert not re.search(other, clauses), (name, language)
            assert "《操作管理细则》" not in clauses


def test_an_edition_nobody_has_seen_is_told_as_it_is_cited() -> None:
    in_force, _ = edition("2020")
    unseen = dataclasses.replace(
        in_force, name="2031", cite="《北京市某办法》京政办发〔2031〕1号; a note"
    )
    for words in WORDS.values():
        act = law(unseen, words).act
        assert "2031" in act
        assert "《北京市某办法》京政办发〔2031〕1号" in act
        assert "a note" not in act


def test_the_page_says_what_it_says_in_words_of_the_addressee(hostile_round: Hostile) -> None:
    for found, made in zip(
        hostile_round.receipts.values(), hostile_round.pages.values(), strict=True
    ):
        zh, en = flat(made[Language.zh]), flat(made[Language.en])
        for odd in ("参考日", "政策日期", "摘要：", "基点", "试行办法规定", "将为"):
            assert odd not in zh
        assert "referencedate:" not in en
        # what is told of the past is no advice
        suggests = "总积分会是" in zh
        assert suggests == ("过去的事情不能再改变" in zh) == ("cannotbechanged" in en)
        if found["standing"]["settled"]:
            assert not suggests


def test_hostile_rounds_have_much_to_tell(hostile_round: Hostile) -> None:
    """Otherwise the tests above would mean little."""
    found = hostile_round.receipts.values()
    assert len(set().union(*map(reasons, found))) >= 7
    assert {each["standing"]["settled"] for each in found} == {True, False}
    assert any(each["rejects"] for each in found)
    assert {each["standing"]["eligible"] for each in found} == {True, False}


# --- the command ------------------------------------------------------------------------------


def table(published: Published, name: str) -> pl.DataFrame:
    return pl.read_parquet(Path(published[1].directory) / f"{name}.parquet")


def explained(published: Published, number: str, *options: str) -> str:
    done = here("explain", 2020, number, "--warehouse", published[0], *options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_settled_applicant(published: Published) -> None:
    first = table(published, "ranking").row(0, named=True)
    en = explained(published, first["application_no"])
    zh = explained(published, first["application_no"], "--lang", "zh")
    assert str(first["serial"]) in en
    assert str(first["serial"]) in zh
    assert "settled" in en
    assert "取得落户资格" in flat(zh)
    assert "Places were left" in en  # fewer applied than the 6,000 there are


def test_an_ineligible_applicant_needing_review(published: Published) -> None:
    eligible = table(published, "eligibility").filter("eligible")["application_no"].implode()
    rejects = table(published, "rejects")
    marked = table(published, "scores").filter("needs_review")
    number = marked.filter(
        ~pl.col("application_no").is_in(eligible),
        pl.col("application_no").is_in(rejects["application_no"].drop_nulls().implode()),
    )["application_no"][0]
    en, zh = (explained(published, number, "--lang", language) for language in Language)
    assert "Not eligible" in en
    assert "没有参加排名" in flat(zh)
    assert "left out" in en
    assert "人工复核" in flat(zh)
    row = rejects.filter(application_no=number).row(0, named=True)
    assert row["file"] in en
    assert WORDS[Language.zh].say("expected", row["check_name"]) in zh


def test_a_quarantined_application(published: Published) -> None:
    rejects = table(published, "rejects").filter(feed="applications")
    accepted = table(published, "scores")["application_no"].implode()
    number = rejects.drop_nulls("application_no").filter(
        ~pl.col("application_no").is_in(accepted), pl.col("application_no") != ""
    )["application_no"][0]
    done = here("explain", 2020, number, "--warehouse", published[0], "--lang", "zh")
    assert done.returncode == 2
    assert "quarantined" in done.stderr
    assert not done.stdout


def test_an_unknown_application_round_or_language(published: Published) -> None:
    for arguments, told in (
        ((2020, "1"), "no application 1"),
        ((2018, "1"), "rounds: 2020"),
        ((2020, "1", "--lang", "fr"), "'en', 'zh'"),
    ):
        done = here("explain", *arguments, "--warehouse", published[0])
        assert done.returncode == 2
        assert told in done.stderr
        assert "Traceback" not in done.stderr


def test_json_is_the_receipt_and_asks_for_nothing_else(published: Published) -> None:
    number = table(published, "scores")["application_no"][0]
    assert json.loads(explained(published, number, "--json")) == proved(published[0], 2020, number)
    for options, told in (
        (("--json", "--what-if"), "found both"),
        (("--json", "--lang", "zh"), "--json without --lang, found --lang zh"),
        (("--what-if", "--lang", "en"), "--what-if without --lang, found --lang en"),
    ):
        done = here("explain", 2020, number, "--warehouse", published[0], *options)
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr
        assert done.stderr.count("\n") == 1


def test_explain_waits_for_nothing_it_does_not_use(published: Published) -> None:
    """A third of its time went to libraries that only a run needs."""
    number = table(published, "scores")["application_no"][0]
    code = (
        "import sys; from pathlib import Path; import flows.cli; from flows.explain import explain;"
        f"explain(Path({str(published[0])!r}), 2020, {number!r}, 'zh');"
        "print(*sorted({'pandera', 'prefect', 'hypothesis', 'numpy', 'pandas', 'matplotlib'}"
        " & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=cases.ROOT
    )
    assert done.stdout
    assert done.stderr.split() == []


def test_what_would_have_been_enough_for_machines(published: Published) -> None:
    """The changes of the page with their records; who is meant stays out."""
    sentenced = table(published, "eligibility").filter(
        ~pl.col("criminal_record"), pl.sum_horizontal(~pl.col(pl.Boolean)) == 2
    )["application_no"][0]
    text = explained(published, sentenced, "--what-if")
    found = json.loads(text)
    assert found["conditions_failing"] == ["criminal_record"]
    first, told = found["changes"][0], nearest(past_run(published[0], 2020, None), sentenced)
    assert (first["kind"], first["rank"]) == ("sentences_absent", told.reached[0].rank)
    (record,) = first["records"]
    assert (record["feed"], record["after"]) == ("criminal_records", None)
    assert record["before"].keys() == {"sentenced_on"}
    assert '"person' not in text
    done = here("explain", 2020, "1", "--what-if", "--warehouse", published[0])
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize(("columns", "widest"), [(60, 60), (200, WIDEST)])
def test_a_terminal_sets_the_width(columns: int, widest: int, published: Published) -> None:
    number = table(published, "rejects").drop_nulls("application_no")["application_no"]
    accepted = table(published, "scores")["application_no"]
    number = number.filter(number.is_in(accepted.implode()))[0]
    command = [sys.executable, "-m", "flows.cli", "explain", "2020", number, "--lang", "zh"]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    env = {**os.environ, "TERM": "xterm-256color"}
    env = {name: value for name, value in env.items() if name not in {"COLUMNS", "NO_COLOR"}}
    running = subprocess.Popen(
        [*command, "--warehouse", str(published[0])], stdout=theirs, stderr=theirs, env=env
    )
    os.close(theirs)
    text = b""
    with suppress(OSError):  # the other end of a terminal that was closed
        while piece := os.read(ours, 65536):
            text += piece
    os.close(ours)
    assert running.wait() == 0
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text.decode()).replace("\r", "").split("\n")
    assert "\x1b[1m" in text.decode()  # headings stand out
    assert widest - 4 <= max(map(cell_len, lines)) <= widest


def test_the_page_never_names_anybody(published: Published) -> None:
    people = pl.read_parquet(Path(published[1].directory) / "restricted" / "people.parquet")
    person = people.row(3, named=True)
    for language in Language:
        text = explained(published, person["application_no"], "--lang", language)
        assert person["person_id"] not in text
        assert person["name"] not in flat(text)


def test_accepted_rows_that_were_tampered_with_are_told(
    published: Published, tmp_path: Path
) -> None:
    warehouse = Path(shutil.copytree(published[0], tmp_path / "w"))
    path = next(warehouse.glob("runs/2020/*/accepted/detentions.parquet"))
    path.write_bytes(path.read_bytes() + b"x")
    done = here(
        "explain", 2020, table(published, "scores")["application_no"][0], "--warehouse", warehouse
    )
    assert done.returncode == 1
    assert "detentions.parquet" in done.stderr
    assert not done.stdout


@pytest.mark.slow
def test_the_change_told_settles_when_everything_is_delivered_and_run_again(
    delivery: Path, published: Published, tmp_path: Path
) -> None:
    """As a user would: the page, a delivery with the change, `luohu run`, the page again."""
    past = past_run(published[0], 2020, None)
    held = table(published, "eligibility")
    candidates = held.filter(
        ~pl.col("residence_permit"),
        pl.sum_horizontal(~pl.col(pl.Boolean)) == 2,  # it and eligible
    )["application_no"]
    sound = table(published, "scores").filter(~pl.col("needs_review"))["application_no"].implode()
    number = candidates.filter(candidates.is_in(sound))[0]
    before = explained(published, number)
    smallest = nearest(past, number).reached[0]
    assert smallest.change.kind == "residence_permit"
    assert flat("a residence permit valid on 2019-12-31") in flat(before)
    assert flat(f"{in_text(smallest.total)} points, place {smallest.rank}") in flat(before)
    feeds = Delivery(delivery, past.directory).with_changes([smallest.change], tmp_path / "feeds")
    done = here("run", 2020, "--feeds", feeds, "--warehouse", tmp_path / "w", "--direct")
    assert done.returncode == 0, done.stderr
    after = explained((tmp_path / "w", published[1]), number)
    assert flat(f"place {smallest.rank} of") in flat(after)
    assert flat("not settled") not in flat(after)
