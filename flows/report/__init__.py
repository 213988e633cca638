"""The page of a run, `report.html`: what the round came to, in Chinese first and in English.

One file without script or network: officials mail it, print it and put it on a website.  It holds
counts and means only and nothing about one person.  Equal tables give equal bytes.
"""

from html import escape
from pathlib import Path
from typing import Any

import polars as pl

from flows.common.by_name import read_table
from flows.common.points import centipoints
from flows.report.data import conditions_section, delivery_section, titles
from flows.report.figures import Pair, around_line, bars, distribution, mean_points
from flows.report.page import (
    NONE,
    PAGE,
    STYLE,
    both,
    difference,
    figure,
    legend,
    number,
    paragraph,
    section,
    table,
)
from schemas.results import INDICATORS

READ = ("rounds", "scores", "eligibility", "ranking", "segments", "rejects", "feeds", "clauses")
SETTLED = ("settled", "达到落户分值", "at or above the line")
TIED = ("tied", "恰为落户分值", "exactly the line")
BELOW = ("below", "低于落户分值", "below the line")

Row = dict[str, Any]
Tables = dict[str, pl.DataFrame]


def write_report(work: Path) -> None:
    """Write `report.html` from the tables in the work folder."""
    tables = {name: read_table(work / f"{name}.parquet") for name in READ}
    made = tables["rounds"].row(0, named=True)
    sections = (
        summary(made),
        scores_section(made, tables["ranking"]),
        places_section(made, tables["segments"]),
        means_section(tables),
        conditions_section(tables["clauses"], tables["eligibility"]),
        delivery_section(tables["feeds"], tables["rejects"]),
    )
    page = PAGE.substitute(
        style=STYLE,
        year=made["round"],
        edition=escape(made["edition"]),
        policy_date=made["policy_date"],
        reference_date=made["reference_date"],
        run_id=escape(made["run_id"]),
        sections="\n".join(sections),
    )
    (work / "report.html").write_text(page, encoding="utf-8", newline="\n")


def summary(made: Row) -> str:
    """The key figures and how the line came about."""
    figures = (
        ("line", "落户分值", "The line, points", made["cutoff"]),
        ("", "申报人数", "Applications", made["applications"]),
        ("", "符合条件", "Eligible", made["eligible"]),
        ("", "落户规模", "Quota", made["quota"]),
        ("", "落户人数", "Settled", made["settled"]),
        ("", "恰为落户分值", "Tied at the line", made["tied_at_cutoff"]),
        ("", "最高积分", "Highest total", made["highest"]),
    )
    cards = "\n".join(
        f'<div class="{kind}"><dt>{both(zh, en)}</dt><dd>{number(value)}</dd></div>'
        for kind, zh, en, value in figures
    )
    return section("主要结果", "Key figures", f"<dl>\n{cards}\n</dl>", paragraph(*outcome(made)))


def outcome(made: Row) -> tuple[str, str]:
    """In a sentence: how the line came about."""
    eligible, quota, settled, tied = (
        made[name] for name in ("eligible", "quota", "settled", "tied_at_cutoff")
    )
    line = number(made["cutoff"])
    if not eligible:
        zh = "无人符合全部申请条件，未形成落户分值。"
        en = "Nobody met all conditions: there is no line."
    elif made["cutoff"] is None:
        zh = "落户规模为 0，未形成落户分值。"
        en = "The quota is 0: there is no line."
    elif eligible <= quota:
        zh = (
            f"符合条件的 {eligible:,} 人未超过落户规模 {quota:,} 人，全部落户；"
            f"其中最低分 {line} 分为落户分值。"
        )
        en = (
            f"Eligible applicants ({eligible:,}) do not exceed the quota ({quota:,}): all settle,"
            f" and the lowest total, {line}, is the line."
        )
    else:
        zh = (
            f"排在第 {quota:,} 位者积 {line} 分，即为落户分值；恰为此分者 {tied:,} 人，"
            f"同分同落，实际落户 {settled:,} 人，比落户规模多 {settled - quota:,} 人。"
        )
        en = (
            f"Place {quota:,} has {line} points, which is the line. Exactly that total: {tied:,};"
            f" equal totals settle alike, so {settled:,} settle,"
            f" {settled - quota:,} more than the quota."
        )
    return zh, en


def scores_section(made: Row, ranking: pl.DataFrame) -> str:
    """All totals of eligible applicants, and every single total around the line."""
    heading = "积分分布", "Distribution of scores"
    if ranking.is_empty():
        return section(*heading, paragraph("无人参加排名。", "Nobody is ranked."))
    totals = ranking.select(centipoints("total")).to_series()
    line = None if made["cutoff"] is None else int(made["cutoff"] * 100)
    points = bars(totals, line)[0] // 100
    title = (
        f"符合条件者的总积分，每条 {points} 分",
        f"Totals of eligible applicants, {points} point{'s'[: points > 1]} a bar",
    )
    everyone = distribution(totals, line, " ".join(title))
    if line is None:
        return section(*heading, figure(everyone, *title))
    near = (
        "落户分值上下 1.5 分，每个分值一条",
        "Within 1.5 points of the line, a bar for each total",
    )
    zoomed = around_line(totals, line, " ".join(near))
    return section(
        *heading,
        figure(everyone, *title, legend(SETTLED, BELOW)),
        figure(zoomed, *near, legend(SETTLED, TIED, BELOW)),
    )


def places_section(made: Row, segments: pl.DataFrame) -> str:
    """The totals at the thousandth places."""
    heading = "各区段分值", "Scores by place"
    if segments.is_empty():
        few = paragraph("参加排名者不足 1,000 人。", "Fewer than 1,000 people are ranked.")
        return section(*heading, few)
    places, totals = segments["place"], segments["total"].to_list()
    rows = [(both("总积分", "Total points"), *totals)]
    if made["cutoff"] is not None:
        gaps = (difference(total - made["cutoff"]) for total in totals)
        rows.append((both("与落户分值之差", "From the line"), *gaps))
    heads = (both("名次", "Place"), *(f"{place:,}" for place in places))
    caption = both("每 1,000 位的分值", "The total at every thousandth place")
    return section(*heading, table(caption, heads, rows))


def means_section(tables: Tables) -> str:
    """Mean points by indicator, above and below the line."""
    heading = "各指标平均积分", "Mean points by indicator"
    above, below = (means(tables, settled=settled) for settled in (True, False))
    if above is None and below is None:
        return section(*heading, paragraph("无人参加排名。", "Nobody is ranked."))
    named = titles(tables["clauses"], "indicator", INDICATORS) | {"total": ("总积分", "Total")}
    pairs = {
        name: Pair(*title, mean_of(above, name), mean_of(below, name))
        for name, title in named.items()
    }
    heads = (
        both("指标", "Indicator"),
        both("达到落户分值", "At or above the line"),
        both("低于落户分值", "Below the line"),
        both("差", "Difference"),
    )
    *rows, total = (
        (both(each.title_zh, each.title), each.above, each.below, gap(each))
        for each in pairs.values()
    )
    title = ("符合条件者的平均积分", "Mean points of eligible applicants")
    svg = mean_points([pairs[name] for name in INDICATORS], " ".join(title))
    return section(
        *heading,
        figure(svg, *title, legend(SETTLED, BELOW)),
        table(both(*title), heads, rows, total=total),
    )


def mean_of(side: dict[str, float] | None, name: str) -> float | None:
    """A mean of one side of the line; none where nobody is."""
    return None if side is None else side[name]


def gap(pair: Pair) -> str:
    """What the one side has more than the other."""
    if pair.above is None or pair.below is None:
        return NONE
    return difference(round(pair.above, 2) - round(pair.below, 2))


def means(tables: Tables, *, settled: bool) -> dict[str, float] | None:
    """Mean points of ranked people on one side of the line; exact sums, so the same every time."""
    side = tables["ranking"].filter(pl.col("settled") == settled).select("application_no")
    rows = side.join(tables["scores"], on="application_no", validate="1:1")
    if rows.is_empty():
        return None
    sums = rows.select(centipoints(name).sum() for name in (*INDICATORS, "total"))
    return {name: total / rows.height / 100 for name, total in sums.row(0, named=True).items()}
