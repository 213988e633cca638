"""What answers at which address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from flows.common.settings import luohu_version
from flows.public.web.announcements import announcements
from flows.public.web.api import api
from flows.public.web.assets import assets, failed
from flows.public.web.calculator import calculator
from flows.public.web.guard import Guard
from flows.public.web.lists import lists
from flows.public.web.scoring import Scoring


def web_app(warehouse: Path, *, preliminary: bool = False) -> Guard:
    """The server's application; at each request it looks whether the warehouse shows anything new."""

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        await app.state.scoring.start()
        yield
        app.state.scoring.stop()

    app = FastAPI(
        title="luohu",
        version=luohu_version(),
        lifespan=running,
        openapi_url="/api/openapi.json",
        docs_url=None,  # would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_exception_handler(HTTPException, failed)
    app.add_exception_handler(Exception, failed)
    app.state.warehouse = warehouse
    app.state.preliminary = preliminary
    app.state.scoring = Scoring()
    # what is asked for most stands first: the first that fits answers
    app.include_router(lists())
    app.include_router(announcements())
    app.include_router(assets())
    app.include_router(calculator())
    app.include_router(api())
    return Guard(app)
