"""The page of a run: figures, edge cases, nothing from outside, nothing about one person."""

import re
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.common.points import in_points
from flows.run.report import write_report
from flows.run.report.charts import HEIGHT
from flows.run.report.written_numbers import difference, number
from flows.run.score import publish_table, segments
from schemas.feeds import FEEDS
from schemas.results import CONDITIONS, INDICATORS, columns_of
from transforms.ranking import line, ranking

YEAR = 2020
COUNTS = ("files", "rows", "accepted", "quarantined", "duplicates", "strangers")


@dataclass(frozen=True)
class Made:
    """A run to report on; totals in centipoints, eligible applicants first."""

    totals: list[int]
    quota: int = 6000
    ineligible: int = 0
    rejects: tuple[tuple[str, str, str, int], ...] = ()  # feed, column, check, row

    def write(self, work: Path) -> Path:
        """The tables of the run, validated by their models."""
        work.mkdir(parents=True, exist_ok=True)
        people = len(self.totals) + self.ineligible
        numbers = pl.DataFrame(
            {
                "round": pl.Series([YEAR] * people, dtype=pl.Int32),
                "application_no": [f"A{number:09}" for number in range(people)],
                "needs_review": [False] * people,
            },
            schema_overrides={"application_no": pl.String, "needs_review": pl.Boolean},
        )
        points = numbers.with_columns(
            pl.Series("total", self.totals + [0] * self.ineligible, dtype=pl.Int64)
        )
        zero = pl.lit(0, pl.Decimal(9, 2))
        publish_table(
            work,
            "scores",
            points.with_columns(in_points(pl.col("total"))).with_columns(
                *(zero.alias(name) for name in INDICATORS[1:]), employment="total"
            ),
        )
        eligible = pl.Series(
            "eligible",
            [True] * len(self.totals) + [False] * self.ineligible,
            dtype=pl.Boolean,
        )
        held = [pl.lit(value=True).alias(name) for name in CONDITIONS[1:]]
        publish_table(
            work,
            "eligibility",
            numbers.with_columns(*held, eligible, eligible.alias(CONDITIONS[0])),
        )
        ranked = ranking(
            points.filter(eligible).select("application_no", "total"), self.quota, YEAR
        )
        shown = ranked.with_columns(
            pl.lit(YEAR, pl.Int32).alias("round"), in_points(pl.col("total"))
        )
        publish_table(work, "ranking", shown)
        publish_table(work, "segments", segments(shown))
        publish_table(work, "rounds", self.round_row(people, ranked))
        publish_table(work, "rejects", self.reject_rows())
        publish_table(work, "feeds", self.feed_rows(people))
        publish_table(work, "clauses", clause_rows())
        return work

    def round_row(self, people: int, ranked: pl.DataFrame) -> pl.DataFrame:
        """What the round came to."""
        drawn = line(ranked)
        row = pl.DataFrame(
            {
                "round": YEAR,
                "edition": "2020",
                "policy_date": date(2020, 7, 17),
                "reference_date": date(2019, 12, 31),
                "quota": self.quota,
                "run_id": "0123456789abcdef",
                "rechecked": True,
                "applications": people,
                "eligible": drawn.eligible,
                "settled": drawn.settled,
                "cutoff": drawn.cutoff,
                "tied_at_cutoff": drawn.tied_at_cutoff,
                "highest": max(self.totals, default=None),
            },
            schema_overrides={"round": pl.Int32, "cutoff": pl.Int64, "highest": pl.Int64},
        )
        return row.with_columns(in_points(pl.col("cutoff", "highest")))

    def reject_rows(self) -> pl.DataFrame:
        """Failed checks; the masked values and application numbers may not reach the page."""
        texts = dict.fromkeys(columns_of("rejects"), pl.String)
        rows = [
            (YEAR, feed, "part-0", row, column, check, "字字99", "A000000000")
            for feed, column, check, row in self.rejects
        ]
        schema = texts | {"round": pl.Int32, "row_number": pl.Int64}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def feed_rows(self, people: int) -> pl.DataFrame:
        """A delivery: every feed with a row for each applicant."""
        return pl.DataFrame(
            {
                "round": YEAR,
                "feed": sorted(FEEDS),
                "department": "人力社保",
                "files": 1,
                "rows": people,
                "accepted": people,
                **dict.fromkeys(("quarantined", "duplicates", "strangers"), 0),
            },
            schema_overrides={"round": pl.Int32, **dict.fromkeys(COUNTS, pl.Int64)},
        )


def clause_rows() -> pl.DataFrame:
    """Clauses of all but the last indicator, so that a missing title is seen too."""
    kinds = {"condition": CONDITIONS, "indicator": INDICATORS[:-1]}
    rows = [
        (YEAR, kind, name, f"Title of {name}", f"标题<{name}>", "Art. 5", "{}")
        for kind, names in kinds.items()
        for name in names
    ]
    schema = dict.fromkeys(columns_of("clauses"), pl.String) | {"round": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")


USUAL = Made(
    # 5,990 above the line, 54 at it, and the rest below
    totals=[9714 + place % 2704 for place in range(5990)]
    + [9713] * 54
    + [9712 - place % 7000 for place in range(6000)],
    ineligible=500,
    rejects=(
        ("housing", "district", "six_digits", 4),
        ("housing", "end_date", "in_order", 4),
        ("housing", "end_date", "in_order", 9),
        ("applications", "person_id", "id_number", 2),
        ("unheard_of", "some<column>", "new_check", 1),
    ),
)
NOBODY = Made(totals=[], ineligible=4)
CASES = {
    "usual": USUAL,
    "nobody_eligible": NOBODY,
    "no_applications": Made(totals=[]),
    "three": Made(totals=[9000, 8500, 8500]),
    "one": Made(totals=[9713]),
    "single_total": Made(totals=[9713] * 40, quota=10),
    "no_places": Made(totals=[9000, 8500, 10], quota=0),
    "all_settle": Made(totals=list(range(5000, 9000)), quota=4000),
    "far_below_zero": Made(totals=[12_000, 9713, -900_000], quota=2),
    "line_at_nothing": Made(totals=[0, 0, -3000], quota=1),
}


class Page(HTMLParser):
    """Text of a page, and whether every element that opens also closes."""

    VOID = ("meta", "br")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        """All text, one blank between pieces."""
        return re.sub(r"\s+", " ", " ".join(self.words))


def page_of(made: Made, work: Path) -> str:
    """The page of a run."""
    write_report(made.write(work))
    return (work / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a usual run."""
    return page_of(USUAL, tmp_path_factory.mktemp("usual"))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CASES)
def test_every_run_has_a_whole_page_of_its_own(name: str, tmp_path: Path) -> None:
    made = CASES[name]
    text = page_of(made, tmp_path)
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    assert set(re.findall(r"(?:href=\"|url\()#([^\")]+)", text)) <= set(page.ids)
    for outside in ("<script", "://", "src=", "@import", "<link"):
        assert outside not in text
    assert not re.search(r"\b(nan|None|inf|null)\b", text)
    for about_someone in ("A00000", "字字99", "part.csv"):
        assert about_someone not in text
    assert f"{len(made.totals) + made.ineligible:,}" in page.text


def test_the_same_tables_give_the_same_bytes(usual: str, tmp_path: Path) -> None:
    shuffled = replace(USUAL, rejects=USUAL.rejects[::-1])
    assert page_of(USUAL, tmp_path / "again") == usual
    assert page_of(shuffled, tmp_path / "shuffled") == usual


def test_key_figures(usual: str) -> None:
    text = Page(usual).text
    for told in (
        "落户分值 The line, points 97.13",
        "申报人数 Applications 12,544",
        "符合条件 Eligible 12,044",
        "落户规模 Quota 6,000",
        "落户人数 Settled 6,044",
        "恰为落户分值 Tied at the line 54",
        "最高积分 Highest total 124.17",
        "恰为此分者 54 人，同分同落，实际落户 6,044 人，比落户规模多 44 人",
        "积分截至 Facts up to 2019-12-31",
        "运行编号 Run 0123456789abcdef",
    ):
        assert told in text


def test_drawings_are_text_with_a_title(usual: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", usual, re.DOTALL)
    assert len(drawings) == 3
    for each in drawings:
        assert 'role="img"' in each
        assert re.search(r'aria-labelledby="(\w+)"[^>]*><title id="\1">[^<]+</title>', each)
        assert "font-family" not in each
    assert "落户分值 The line: 97.13" in drawings[0]
    assert "97.13：同分 54 人 tied" in drawings[1]
    assert "标题&lt;tax&gt;" in drawings[2]


def test_places_and_means(usual: str) -> None:
    text = Page(usual).text
    totals = sorted(USUAL.totals, reverse=True)
    places = range(1000, 6001, 1000)
    for place in places:
        total = totals[place - 1]
        apart = difference(Decimal(total - 9713) / 100)
        assert f"第 {place:,} 位 place {place:,} {total / 100:.2f} {apart}" in text
    above = [total for total in totals if total >= 9713]
    assert f"Title of employment {sum(above) / len(above) / 100:.2f}" in text
    assert "law law 0.00 0.00 0.00" in text  # no title: the column's name


def test_rejects_count_rows_by_feed_and_check(usual: str) -> None:
    text = Page(usual).text
    for told in (
        "住房 housing 先后顺序正确 in the right order end_date 2",
        "住房 housing 六位数字 six digits district 1",
        "申报信息 applications 正确的公民身份号码 a right ID number person_id 1",
        "unheard_of unheard_of new_check new_check some<column> 1",
    ):
        assert told in text


@pytest.mark.parametrize(
    ("name", "told", "drawings"),
    [
        ("nobody_eligible", "无人符合全部申请条件，未形成落户分值。", 0),
        ("no_applications", "无人符合全部申请条件，未形成落户分值。", 0),
        ("no_places", "落户规模为 0，未形成落户分值。", 2),
        ("three", "符合条件的 3 人未超过落户规模 6,000 人，全部落户", 3),
        ("all_settle", "lowest total, 50.00, is the line", 3),
        ("single_total", "恰为此分者 40 人，同分同落，实际落户 40 人，比落户规模多 30 人", 3),
    ],
)
def test_edge_cases_are_told(name: str, told: str, drawings: int, tmp_path: Path) -> None:
    text = page_of(CASES[name], tmp_path)
    assert told in Page(text).text
    assert text.count("<svg") == drawings
    assert "没有被隔离的行。" in text


def test_points_have_two_decimals_and_a_true_minus() -> None:
    shown: dict[Any, str] = {
        Decimal("-1234.50"): "−1,234.50",
        -0.001: "0.00",
        1_000: "1,000",
        None: "—",
    }
    assert {value: number(value) for value in shown} == shown
    assert difference(Decimal("0.50")) == "+0.50"
    assert difference(Decimal("-0.50")) == "−0.50"


@pytest.mark.parametrize("name", ["usual", "three", "far_below_zero", "all_settle"])
def test_every_bar_lies_on_the_chart_and_none_is_lost(name: str, tmp_path: Path) -> None:
    made = CASES[name]
    page = page_of(made, tmp_path)
    everyone, near, means = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    for chart in (everyone, near, means):
        bars = re.findall(r'<rect class="(\w+)" x="([\d.]+)%" y="(\d+)" width="([\d.]+)%"', chart)
        assert bars
        for _, x, _, width in bars:
            assert Decimal(0) <= Decimal(x) <= Decimal(x) + Decimal(width) <= Decimal("100.01")
    line = sorted(made.totals, reverse=True)[: made.quota][-1]
    shown = {total for total in made.totals if abs(total - line) <= 150}
    assert near.count("<rect") == len(shown)
    assert near.count('class="tied"') == 1
    heights = [int(height) for height in re.findall(r'height="(\d+)"/>', everyone)]
    assert max(heights) == HEIGHT
    assert min(heights) >= 1  # one person among thousands is seen
