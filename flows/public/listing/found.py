"""Which rows are found, and which of them a page shows."""

from itertools import compress
from typing import NamedTuple

from flows.public.listing.held_list import Listing
from flows.public.listing.query import EVERYBODY, Query

BESIDE = 2  # pages named on either side of the one shown
MOST_KEPT = 128  # answers of one list: somebody who turns pages asks again


class Part(NamedTuple):
    """One page of what was found: its number, of how many, and which hits it has."""

    page: int
    pages: int
    first: int
    last: int


def found(listing: Listing, query: Query) -> list[int]:
    """Places of the rows that are found, in their order; not to be changed."""
    kept: list[int] | None = listing.kept.get("found", {}).get(query.looked_for)
    if kept is not None:
        return kept
    hits = looked_up(listing, query)
    listing.keep("found", query.looked_for, hits, MOST_KEPT)
    return hits


def looked_up(listing: Listing, query: Query) -> list[int]:
    """The same, looked up."""
    places = listing.order(query.sort)
    if query.needle:
        places = [*compress(places, map(with_text(listing, query.needle).__getitem__, places))]
    for values, least, most in (
        (listing.totals, query.points_from, query.points_to),
        (listing.years, query.born_from, query.born_to),
    ):
        if least is not None:
            places = [place for place in places if values[place] >= least]
        if most is not None:
            places = [place for place in places if values[place] <= most]
    return places


def with_text(listing: Listing, needle: str) -> list[bool]:
    """Which rows have a text: kept, since sorting or narrowing what was found looks for it again."""
    kept: list[bool] | None = listing.kept.get("with_text", {}).get(needle)
    if kept is not None:
        return kept
    rows = [needle in line for line in listing.folded]
    listing.keep("with_text", needle, rows, MOST_KEPT)
    return rows


def part_of(hits: int, query: Query) -> Part:
    """The page asked for, or the nearest there is."""
    size = query.size if query.size != EVERYBODY else max(hits, 1)
    pages = max(1, -(-hits // size))
    page = min(max(query.page, 1), pages)
    return Part(page, pages, (page - 1) * size, min(page * size, hits))


def named_pages(part: Part) -> list[int | None]:
    """The pages that links name: the first, the last, those near; none where some are left out."""
    near = range(part.page - BESIDE, part.page + BESIDE + 1)
    named: list[int | None] = []
    before = 0
    for page in sorted({1, part.pages, *(each for each in near if 1 <= each <= part.pages)}):
        if page - before > 1:
            named.append(None)
        named.append(page)
        before = page
    return named
