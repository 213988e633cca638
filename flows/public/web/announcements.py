"""The first page and the announcements: `/` and `/rounds/2020`."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from flows.public.rounds.typed import BadTotal, typed_total
from flows.public.web.home_page import home_page
from flows.public.web.round_page import round_page
from flows.public.web.shown_rounds import shown_round, shown_rounds

LONGEST_SHOWN = 20  # of what somebody typed


def announcements() -> APIRouter:
    """Its routes."""
    router = APIRouter()
    router.add_route("/", first_page, methods=["GET", "HEAD"])
    router.add_route("/rounds/{year}", announcement, methods=["GET", "HEAD"])
    return router


async def first_page(request: Request) -> Response:
    """The rounds year by year."""
    return HTMLResponse(home_page(await shown_rounds(request)))


async def announcement(request: Request) -> Response:
    """A round, and where a total stands in it."""
    this_round = await shown_round(request)
    typed = request.query_params.get("total")
    if typed is None:
        return HTMLResponse(round_page(this_round))
    asked: int | str
    try:
        asked = typed_total(typed)
    except BadTotal as wrong:
        asked = str(wrong)
    shown = "".join(filter(str.isprintable, typed))[:LONGEST_SHOWN]
    return HTMLResponse(round_page(this_round, typed=shown, asked=asked))
