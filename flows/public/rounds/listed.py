"""The list of a round that is shown, and its files: made once for each state of the database."""

import threading
from collections import OrderedDict
from datetime import datetime, time

from flows.public.listing import csv_file, xlsx_file
from flows.public.listing.found import found
from flows.public.listing.query import Query
from flows.public.listing.rows import Listing, Row
from flows.public.listing.xlsx_file import About
from flows.public.rounds.shown import ShownRound

MOST_KEPT = 32  # rounds, of some states of the database

_kept: OrderedDict[int, tuple[ShownRound, Listing]] = OrderedDict()
_turn = threading.Lock()


def in_memory(this_round: ShownRound) -> Listing | None:
    """The list where that takes no work: for who may not wait."""
    kept = _kept.get(id(this_round))
    return kept[1] if kept else None


def listing_of(this_round: ShownRound) -> Listing:
    """The list, ready to be searched and sorted; of many who ask, the first makes it."""
    with _turn:
        listing = in_memory(this_round)
        if listing is None:
            listing = unchanged(this_round) or Listing.of(this_round.people, this_round.titles)
            listing.prepare()
            _kept[id(this_round)] = (this_round, listing)  # the round stays, and so does its id
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
        return listing


def unchanged(this_round: ShownRound) -> Listing | None:
    """The list of an earlier state of the database, where it is the same: a publication of another round."""
    return next(
        (
            listing
            for earlier, listing in reversed(_kept.values())
            if earlier.year == this_round.year
            and earlier.titles == this_round.titles
            and earlier.people.equals(this_round.people)
        ),
        None,
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
    return f"北京市积分落户{this_round.year}年度公示名单"


def about(this_round: ShownRound, query: Query, people: int) -> About:
    """What a workbook says of the list in it."""
    at = this_round.published_at
    lines = [
        ("年度", f"{this_round.year}"),
        ("状态", "初步结果，尚未公示" if this_round.preliminary else "已公示"),
        *([("公示时间", f"{at:%Y-%m-%d %H:%M}（北京时间）")] if at else []),
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
