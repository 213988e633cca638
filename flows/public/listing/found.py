"""Which rows are found, and which of them a page shows."""

from typing import NamedTuple

from flows.public.listing.query import EVERYBODY, Query
from flows.public.listing.rows import Listing

BESIDE = 2  # pages named on either side of the one shown


class Part(NamedTuple):
    """One page of what was found: its number, of how many, and which hits it has."""

    page: int
    pages: int
    first: int
    last: int


def found(listing: Listing, query: Query) -> list[int]:
    """Places of the rows that are found, in their order."""
    order = listing.order(query.sort)
    if query.needle:
        needle, folded = query.needle, listing.folded
        order = [place for place in order if needle in folded[place]]
    rows = listing.rows
    if (least := query.points_from) is not None:
        order = [place for place in order if rows[place].total >= least]
    if (most := query.points_to) is not None:
        order = [place for place in order if rows[place].total <= most]
    if (first := query.born_from) is not None:
        order = [place for place in order if rows[place].birth_year >= first]
    if (last := query.born_to) is not None:
        order = [place for place in order if rows[place].birth_year <= last]
    return order


def part_of(hits: int, query: Query) -> Part:
    """The page asked for, or the nearest there is."""
    size = query.size if query.size != EVERYBODY else max(hits, 1)
    pages = max(1, -(-hits // size))
    page = min(max(query.page, 1), pages)
    return Part(page, pages, (page - 1) * size, min(page * size, hits))


def named_pages(part: Part) -> list[int | None]:
    """The pages that links name: the first, the last, those near; none where some are left out."""
    near = range(part.page - BESIDE, part.page + BESIDE + 1)
    numbers = sorted({1, part.pages, *(page for page in near if 1 <= page <= part.pages)})
    named: list[int | None] = []
    for page in numbers:
        if named and page - (named[-1] or 0) == 2:  # noqa: PLR2004 (one alone is named too)
            named.append(page - 1)
        elif named and page - (named[-1] or 0) > 1:
            named.append(None)
        named.append(page)
    return named
