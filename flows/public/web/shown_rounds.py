"""The rounds a request may see: those in memory, read anew where the warehouse shows something new."""

import re

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from flows.common.failures import Failure
from flows.public.rounds.in_memory import in_memory, newly_read
from flows.public.rounds.shown_round import Shown, ShownRound

YEAR = re.compile("[0-9]{4}")


class Unreadable(HTTPException):
    """A warehouse that cannot be read now."""

    title = "现在读不到各年度的结果，请稍后再试"


async def shown_rounds(request: Request) -> Shown:
    """Every round that may be shown; raises HTTPException where the warehouse cannot be read now."""
    state = request.app.state
    try:
        found = in_memory(state.warehouse, preliminary=state.preliminary)
        if found is None:
            found = await run_in_threadpool(
                newly_read, state.warehouse, preliminary=state.preliminary
            )
    except (Failure, OSError):  # what they say names files, which is nobody's business here
        raise Unreadable(503, headers={"retry-after": "5"}) from None
    return found


async def shown_round(request: Request) -> ShownRound:
    """The round of the year an address has; raises HTTPException for one that is not shown."""
    year = request.path_params["year"]
    if not YEAR.fullmatch(year):
        raise HTTPException(404)
    found = (await shown_rounds(request)).get(int(year))
    if found is None:
        raise HTTPException(404)
    return found
