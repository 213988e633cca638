"""The page of a run, `report.html`: what the round came to, in Chinese first and in English.

One file without script or network: officials mail it, print it and put it on a website.  It holds
counts and means only and nothing about one person.  Equal tables give equal bytes.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from flows.common.by_name import read_table
from flows.common.points import centipoints
from flows.common.vocabulary import vocabulary
from flows.run.report import charts
from flows.run.report.written_numbers import difference, number
from schemas.feeds import FEEDS
from schemas.results import INDICATORS

if TYPE_CHECKING:
    from jinja2 import Template

READ = ("rounds", "scores", "eligibility", "ranking", "segments", "rejects", "feeds", "clauses")
COUNTS = ("rows", "accepted", "quarantined", "duplicates", "strangers")

Tables = dict[str, pl.DataFrame]
Named = tuple[str, str]  # Chinese, English
Cells = tuple[Any, ...]  # of a row of a table; the first heads it


def write_report(work: Path) -> None:
    """Write `report.html` from the tables in the work folder."""
    tables = {name: read_table(work / f"{name}.parquet") for name in READ}
    page = template().render(
        round=tables["rounds"].row(0, named=True),
        charts=drawn(tables),
        segments=segments(tables),
        means=means(tables),
        conditions=conditions(tables["clauses"], tables["eligibility"]),
        feeds=feeds(tables["feeds"]),
        rejects=rejects(tables["rejects"], tables["feeds"]["feed"]),
        height=charts.HEIGHT, top=charts.TOP, row_height=charts.ROW,
    )  # fmt: skip
    (work / "report.html").write_text(page + "\n", encoding="utf-8", newline="\n")


@cache
def template() -> "Template":
    """The page's template; compiling it costs as much as a small run does, so once a process."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(
        loader=PackageLoader("flows.run.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    pages.filters.update(number=number, difference=difference, points=points)
    return pages.get_template("report.html")


def points(value: int, places: int = 2) -> str:
    """Centipoints as points."""
    return number(Decimal(value) / 100) if places else f"{value // 100:,}"


def drawn(tables: Tables) -> dict[str, charts.Chart | None]:
    """The charts of totals, where there is something for them."""
    totals = tables["ranking"].select(centipoints("total")).to_series()
    line = tables["rounds"].select(centipoints("cutoff")).item()
    return {
        "everyone": None if totals.is_empty() else charts.everyone(totals, line),
        "near": None if line is None else charts.near(totals, line),
    }


def segments(tables: Tables) -> list[Cells]:
    """The totals at the thousandth places, and how far they are from the line."""
    line = tables["rounds"]["cutoff"].item()
    return [
        ((f"第 {place:,} 位", f"place {place:,}"), total, line and difference(total - line))
        for place, total in tables["segments"].select("place", "total").iter_rows()
    ]


def means(tables: Tables) -> dict[str, Any] | None:
    """Mean points of ranked people on either side of the line, by indicator and in total."""
    if tables["ranking"].is_empty():
        return None
    above, below = (side_means(tables, settled=settled) for settled in (True, False))
    named = titles(tables["clauses"], "indicator", INDICATORS) | {"total": ("总积分", "Total")}
    pairs = [(above.get(name), below.get(name)) for name in named]
    bars, across = charts.pairs([(int(100 * (a or 0)), int(100 * (b or 0))) for a, b in pairs[:-1]])
    rows = [
        (title, a, b, None if a is None or b is None else difference(a - b))
        for title, (a, b) in zip(named.values(), pairs, strict=True)
    ]
    return {"rows": rows, "bars": bars, "across": across}


def side_means(tables: Tables, *, settled: bool) -> dict[str, Decimal]:
    """Mean points on one side of the line, half up to cents; nothing where nobody is."""
    side = tables["ranking"].filter(pl.col("settled") == settled).select("application_no")
    rows = side.join(tables["scores"], on="application_no", validate="1:1")
    if rows.is_empty():
        return {}
    sums = rows.select(centipoints(name).sum() for name in (*INDICATORS, "total"))
    return {
        name: (Decimal(total) / rows.height / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
        for name, total in sums.row(0, named=True).items()
    }


def titles(clauses: pl.DataFrame, kind: str, names: Sequence[str]) -> dict[str, Named]:
    """Chinese and English title of conditions or indicators; the column where it has none."""
    rows = clauses.filter(pl.col("kind") == kind).select("name", "title_zh", "title").iter_rows()
    known = {name: (zh, en) for name, zh, en in rows}
    return {name: known.get(name, (name, name)) for name in names}


def conditions(clauses: pl.DataFrame, held: pl.DataFrame) -> list[Cells]:
    """How many applications meet and fail each condition of the edition."""
    names = clauses.filter(pl.col("kind") == "condition")["name"].to_list()
    return [
        (title, held.height - failing, failing)
        for name, title in titles(clauses, "condition", names).items()
        for failing in [int((~held[name]).sum())]
    ]


def feeds(delivered: pl.DataFrame) -> list[Cells]:
    """What the departments delivered, in the order of the data contract, and all of it together."""
    rows = {row["feed"]: row for row in delivered.iter_rows(named=True)}
    return [
        *(
            (called("feed", name), rows[name]["department"], *(rows[name][each] for each in COUNTS))
            for name in in_order(rows)
        ),
        (("合计", "Total"), "", *(int(delivered[each].sum()) for each in COUNTS)),
    ]


def rejects(rows: pl.DataFrame, delivered: pl.Series) -> list[Cells]:
    """Quarantined rows by feed and failed check, the columns it failed in, and how many."""
    found = (
        rows.group_by("feed", "check_name")
        .agg(
            columns=pl.col("column_name").unique().sort().str.join(", "),
            rows=pl.struct("file", "row_number").n_unique(),
        )
        .sort("rows", "check_name", descending=[True, False])
    )
    return [
        (called("feed", feed), called("expected", check), columns, count)
        for each in in_order({*delivered, *found["feed"]})
        for feed, check, columns, count in found.filter(pl.col("feed") == each).iter_rows()
    ]


def in_order(names: Iterable[str]) -> list[str]:
    """Feeds in the order of the data contract, then those it does not know."""
    place = {feed: at for at, feed in enumerate(FEEDS)}
    return sorted(names, key=lambda name: (place.get(name, len(place)), name))


def called(kind: str, name: str) -> Named:
    """What a feed or a check is called; its own name where nobody gave it one."""
    zh, en = (vocabulary(language)[kind].get(name, name) for language in ("zh", "en"))
    return zh, en
