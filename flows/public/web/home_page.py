"""What the first page shows: year by year the round shown here, where there is none the official figures."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flows.common.settings import DATA
from flows.public.rounds.shown_round import Shown
from flows.public.web.addresses import SERVER, Addresses
from flows.public.web.pages import page
from flows.run.beside_runs import published
from flows.run.report import charts
from transforms.rounds import rounds

Content = dict[str, Any]

# a figure of a round -> its name among the official results
FIGURES = {
    "line": "cutoff",
    "settled": "settled",
    "tied": "tied_at_cutoff",
    "highest": "highest",
}


def home_page(shown: Shown, at: Addresses = SERVER) -> str:
    """The rounds year by year."""
    years = sorted({*official(), *shown, *shown.hidden}, reverse=True)
    rows = [year_row(year, shown) for year in years if at.served or year in shown]
    lines = {row["year"]: row["line"] for row in rows if row["line"] is not None}
    return page(
        "home.html",
        at,
        rows=rows,
        chart=charts.over_years(lines) if len(lines) > 1 else None,
        named=[row["year"] for row in rows if not row["source"]],
        rehearsal=any(each.rehearsal for each in shown.values()),
        preliminary=any(shown[year].preliminary for year in shown),
    )


def year_row(year: int, shown: Shown) -> Content:
    """The figures of a year: ours, else the official ones; by name only where nothing may be shown."""
    found: Content
    if year in shown:
        ours = shown[year]
        source: str | None = "preliminary" if ours.preliminary else "ours"
        found = {name: getattr(ours, name) for name in FIGURES}
    else:
        theirs = {} if year in shown.hidden else official()[year]
        source = "official" if FIGURES["line"] in theirs else None
        found = {name: theirs.get(key) for name, key in FIGURES.items()}
    return {"year": year, "source": source, **found}


@lru_cache(maxsize=1)
def official() -> Mapping[int, Mapping[str, Any]]:
    """What is known of the official result of every round that has a file; points in centipoints."""
    stated = published(DATA)
    return {year: stated.get(year, {}) for year in rounds(DATA / "rounds")}
