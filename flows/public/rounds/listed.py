"""The list of a round that is shown, and its files: made once for each state of the database."""

import threading
from datetime import datetime, time

from flows.public.listing import csv_file, xlsx_file
from flows.public.listing.found import found
from flows.public.listing.held_list import Listing, Row
from flows.public.listing.query import Query
from flows.public.listing.xlsx_file import About
from flows.public.rounds.shown_round import ShownRound

_kept: dict[int, tuple[ShownRound, Listing]] = {}  # by year: of the last state that was asked for
_turn = threading.Lock()


def in_memory(this_round: ShownRound) -> Listing | None:
    """The list where that takes no work: for callers that may not wait."""
    kept = _kept.get(this_round.year)
    return kept[1] if kept and kept[0] is this_round else None


def listing_of(this_round: ShownRound) -> Listing:
    """The list, ready to be searched and sorted; of many who ask, the first makes it.

    A list that is there is given at once, even while another is made.
    """
    listing = in_memory(this_round)
    if listing is not None:
        return listing
    with _turn:
        listing = in_memory(this_round) or unchanged(this_round)
        if listing is None:
            listing = Listing.of(this_round.people, this_round.titles)
            listing.prepare()
        _kept[this_round.year] = (this_round, listing)
        return listing


def unchanged(this_round: ShownRound) -> Listing | None:
    """The list of the state before, where it is the same, as when another round was published."""
    if this_round.year not in _kept:
        return None
    before, listing = _kept[this_round.year]
    same = details(before) == details(this_round) and before.people.equals(this_round.people)
    return listing if same else None


def details(this_round: ShownRound) -> tuple[object, ...]:
    """What pages and files say of a round besides its list."""
    return (
        *(this_round.preliminary, this_round.published_at, this_round.run_id, this_round.edition),
        this_round.rehearsal,
        *(this_round.policy_date, this_round.reference_date, tuple(this_round.titles.items())),
    )


def list_csv(this_round: ShownRound, query: Query | None = None) -> bytes:
    """The list of a round as CSV; of what is looked for, where something is."""
    listing = listing_of(this_round)
    return csv_file.list_csv(listing, found(listing, query) if query else None)


def list_xlsx(this_round: ShownRound) -> bytes:
    """The same as XLSX."""
    return xlsx_file.list_xlsx(*workbook(this_round, Query()))


def workbook(this_round: ShownRound, query: Query) -> tuple[About, tuple[str, ...], list[Row]]:
    """What a workbook is made of: what it says of itself, the titles of the indicators, the rows."""
    listing = listing_of(this_round)
    rows = [listing.rows[place] for place in found(listing, query)]
    return about(this_round, query, len(rows)), listing.titles, rows


def title_of(this_round: ShownRound) -> str:
    """What the list is called."""
    kind = "名单（初步结果，尚未公示）" if this_round.preliminary else "公示名单"
    return f"北京市积分落户{this_round.year}年度{kind}"


def about(this_round: ShownRound, query: Query, people: int) -> About:
    """What a workbook says of the list in it."""
    at = this_round.published_at
    lines = [
        ("年度", f"{this_round.year}"),
        ("状态", "初步结果，尚未公示" if this_round.preliminary else "已公示"),
        *([("公示时间", f"{at:%Y-%m-%d %H:%M}（北京时间）")] if at else []),
        *([("演练", "日期由演练设定，不是正式的结果")] if this_round.rehearsal else []),
        ("来源", "积分落户年度审核与排名；只有公示名单上的人"),
        ("运行编号", this_round.run_id),
        ("办法版本", this_round.edition),
        ("积分计算截止", f"{this_round.reference_date:%Y-%m-%d}"),
        ("人数", f"{people}"),
        *((f"条件：{name}", text) for name, text in query.in_words()),
    ]
    # an unpublished list has the date of the policy it was made by
    dated = at or datetime.combine(this_round.policy_date, time())
    return About(title_of(this_round), tuple(lines), dated)
