"""The server's application asked in this process: without a network, and without the processes that score."""

import asyncio
import functools
from pathlib import Path
from typing import Any

import httpx

from flows.public.web.app import web_app


@functools.cache
def application(warehouse: Path, preliminary: bool = False) -> Any:
    """The application; a workbook is made in a thread of this process."""
    found = web_app(warehouse, preliminary=preliminary)
    found.app.state.scoring.free = 1  # type: ignore[attr-defined]
    return found


def asked(app: Any, *addresses: str, method: str = "GET") -> list[httpx.Response]:
    """What an application answers, all asked at once."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://luohu") as client:
            return list(await asyncio.gather(*(client.request(method, each) for each in addresses)))

    return asyncio.run(ask())
