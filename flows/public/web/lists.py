"""/rounds/YEAR/list (公示名单): the page, and the same rows as CSV and XLSX.

All of it by GET: what somebody looks for stands in the address, which nobody writes down.  The last answers
stay in memory, so that many who ask the same do not wait for each other.
"""

import asyncio
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from flows.public.listing.csv_file import is_quick
from flows.public.listing.held_list import Listing
from flows.public.listing.query import read_query
from flows.public.listing.xlsx_file import list_xlsx
from flows.public.rounds.listed import in_memory, list_csv, listing_of, title_of, workbook
from flows.public.rounds.shown_round import ShownRound
from flows.public.web.addresses import SERVER
from flows.public.web.list_page import list_html
from flows.public.web.shown_rounds import shown_round

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HTML = "text/html; charset=utf-8"
MOST_WORKBOOKS, MOST_PAGES = 8, 256  # kept of one list
MOST_BYTES = 200_000  # of a page that is kept


def lists() -> APIRouter:
    """Its routes."""
    router = APIRouter()
    for address, answer in {
        "/rounds/{year}/list": as_page,
        "/rounds/{year}/list.csv": as_csv,
        "/rounds/{year}/list.xlsx": Workbooks().as_xlsx,
    }.items():
        # no parameters to be checked, and a list is asked for more often than all else
        router.add_route(address, answer, methods=["GET", "HEAD"])
    return router


async def as_page(request: Request) -> Response:
    """The page."""
    this_round = await shown_round(request)
    listing = await prepared(this_round)
    asked = request.scope["query_string"]
    page: bytes | None = listing.kept.get("pages", {}).get(asked)
    if page is None:
        page = list_html(this_round, SERVER, read_query(request.query_params)).encode()
        if len(page) <= MOST_BYTES:
            listing.keep("pages", asked, page, MOST_PAGES)
    return Response(page, media_type=HTML)


async def as_csv(request: Request) -> Response:
    """What was found as CSV."""
    this_round = await shown_round(request)
    query = read_query(request.query_params)
    # on a busy server a thread waits for its turn far longer than the work takes
    if is_quick(await prepared(this_round)):
        content = list_csv(this_round, query)
    else:
        content = await run_in_threadpool(list_csv, this_round, query)
    return download(this_round, content, "csv", CSV)


async def prepared(this_round: ShownRound) -> Listing:
    """The list, ready to be searched and sorted."""
    listing = in_memory(this_round)
    return await run_in_threadpool(listing_of, this_round) if listing is None else listing


class Workbooks:
    """A workbook takes a core a second: one at a time, in a process that scores otherwise, so that pages are
    sent meanwhile; kept for those who ask again."""

    def __init__(self) -> None:
        """Nobody's turn yet."""
        self.turn = asyncio.Lock()

    async def as_xlsx(self, request: Request) -> Response:
        """What was found as XLSX."""
        this_round = await shown_round(request)
        query = read_query(request.query_params)
        listing = await prepared(this_round)
        asked = (query.q, query.looked_for)
        async with self.turn:
            content = listing.kept.get("xlsx", {}).get(asked)
            if content is None:
                of = await run_in_threadpool(workbook, this_round, query)
                content = await request.app.state.scoring.make(list_xlsx, *of)
                listing.keep("xlsx", asked, content, MOST_WORKBOOKS)
        return download(this_round, content, "xlsx", XLSX)


def download(this_round: ShownRound, content: bytes, kind: str, media_type: str) -> Response:
    """A file to be kept, by a plain name and by the one people read."""
    name = f"luohu-{this_round.year}-list.{kind}"
    readable = quote(f"{title_of(this_round)}.{kind}", safe="")
    disposition = f"attachment; filename=\"{name}\"; filename*=UTF-8''{readable}"
    return Response(content, media_type=media_type, headers={"content-disposition": disposition})
