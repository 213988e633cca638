"""Style and script, and the page for an address that is none."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from flows.public.web.addresses import static
from flows.public.web.pages import TYPES, page

A_DAY = "public, max-age=86400"
TITLES = {404: "没有这个页面", 405: "不能这样打开这个页面", 503: "现在人太多，请稍后再试"}
OTHER = "请求无法处理"


def assets() -> APIRouter:
    """Its routes."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/static/{name}", style_or_script, methods=["GET", "HEAD"])
    return router


async def style_or_script(name: str) -> Response:
    """A style or script; its address changes when its content does."""
    if name not in static():
        raise HTTPException(404)
    kind = TYPES[f".{name.rpartition('.')[2]}"]
    return Response(static()[name], media_type=kind, headers={"cache-control": A_DAY})


async def failed(request: Request, error: Exception) -> Response:
    """A page that says what is wrong with an address; JSON for programs."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(getattr(error, "headers", None) or {})
    title = getattr(error, "title", TITLES.get(status, OTHER))
    if request.url.path.startswith("/api/"):
        detail = getattr(error, "detail", title)
        return JSONResponse({"detail": detail}, status, headers)
    return HTMLResponse(page("wrong.html", title=title), status, headers)
