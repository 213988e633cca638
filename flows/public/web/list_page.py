"""What the page of the list shows, on the server and in the static site: both fill one template."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from markupsafe import Markup

from flows.public.listing.found import Part, found, named_pages, part_of
from flows.public.listing.held_list import DOWN, Listing
from flows.public.listing.query import (
    EVERYBODY,
    MOST_TYPED,
    NO_POINTS,
    NO_YEAR,
    SIZES,
    TURNED,
    Query,
)
from flows.public.rounds.listed import listing_of
from flows.public.rounds.shown_round import ShownRound
from flows.public.web.addresses import SERVER, Addresses
from flows.public.web.pages import environment, page

TITLES = {
    "serial": "公示编号",
    "name": "姓名",
    "born": "出生年月",
    "employer": "单位",
    "total": "总积分",
}
UPWARD, DOWNWARD, NEITHER = "ascending", "descending", "none"  # as aria-sort has it
SIZES_IN_WORDS = {**{size: f"{size} 人" for size in SIZES}, EVERYBODY: "全部（可打印）"}
ORDERS = {
    "serial": "公示编号，从小到大",
    "-serial": "公示编号，从大到小",
    "-total": "总积分，从高到低",
    "total": "总积分，从低到高",
    "name": "姓名，常用字按拼音",
    "-name": "姓名，倒序",
    "born": "出生年月，从早到晚",
    "-born": "出生年月，从晚到早",
    "employer": "单位，常用字按拼音",
    "-employer": "单位，倒序",
}
HIGHEST_FIRST = {"total"}


def list_html(this_round: ShownRound, at: Addresses = SERVER, query: Query | None = None) -> str:
    """The page of a round's list: of what is looked for, or all of it where nobody answers questions."""
    listing = listing_of(this_round)
    asked = query or (Query() if at.served else Query(size=EVERYBODY))
    return page(
        "list.html",
        at,
        this_round=this_round,
        orders=ORDERS.items(),
        sizes=SIZES_IN_WORDS.items(),
        chosen_size=asked.size if at.served else Query.size,
        most_typed=MOST_TYPED,
        shapes={"points": NO_POINTS, "born": NO_YEAR},
        turned=TURNED,
        orders_of={} if at.served else places_by_text(listing),
        **content(listing, asked),
    )


def content(listing: Listing, query: Query) -> dict[str, Any]:
    """What was found, and the part of it that is shown."""
    hits = found(listing, query)
    part = part_of(len(hits), query)
    return {
        "query": query,
        "typed_wrong": any(name in query.faults for name in query.typed),
        "notes": notes(query, part),
        "everybody": len(listing.rows),
        "hits": len(hits),
        "hits_in_words": in_words(len(hits), query),
        "part_in_words": part_in_words(part),
        "conditions": query.in_words(),
        "columns": [column(name, query) for name in TITLES],
        "part": part,
        "named": named_pages(part),
        "same": query.address(page=1, size=Query.size),
        "rows": rows_in_html(listing, hits[part.first : part.last]),
    }


def rows_in_html(listing: Listing, places: Iterable[int]) -> Markup:
    """Rows of the table; each is filled in once for a list."""
    filled: dict[int, Markup] = listing.kept.setdefault("html", {})
    row = row_macro()
    for place in places:
        if place not in filled:
            filled[place] = row(listing.rows[place], listing.titles)
    return Markup("".join([filled[place] for place in places]))  # noqa: S704 (each is escaped)


@cache
def row_macro() -> Callable[..., Markup]:
    """What fills a row in."""
    module: Any = environment().get_template("list_row.html").module
    macro: Callable[..., Markup] = module.row
    return macro


def places_by_text(listing: Listing) -> dict[str, str]:
    """The order by each text, for a script that cannot know it."""
    return {name: " ".join(map(str, listing.order(name))) for name in ("name", "employer")}


def notes(query: Query, part: Part) -> list[str]:
    """What of the address makes no sense and stands in no field."""
    wrong = [query.faults[name] for name in ("sort", "size", "page") if name in query.faults]
    if query.page != part.page and part.last:
        wrong.append(f"一共 {part.pages} 页，现在是第 {part.page} 页。")
    return wrong


def in_words(hits: int, query: Query) -> str:
    """How many were found."""
    if not hits:
        return "没有查到"
    return f"{'查到' if query.is_filtered else '共'} {hits:,} 人"


def part_in_words(part: Part) -> str:
    """Which of those found are shown, where it is not all of them."""
    return f"第 {part.first + 1:,} 至 {part.last:,} 人" if part.pages > 1 else ""


def column(name: str, query: Query) -> dict[str, str]:
    """The head of a column: how the list is sorted by it, and where it leads."""
    way = {name: UPWARD, f"{DOWN}{name}": DOWNWARD}.get(query.sort, NEITHER)
    down = way == UPWARD or (way == NEITHER and name in HIGHEST_FIRST)
    return {
        "name": name,
        "title": TITLES[name],
        "sorted": way,
        "address": query.address(sort=f"{DOWN}{name}" if down else name, page=1),
    }
