"""/api/score: one person's facts in, the answer of `luohu score --json` out."""

from typing import Any

from fastapi import APIRouter, Request, Response

from flows.common.rounds import YEARS_TO_COME, known
from flows.public.web.openapi import answer_schema, detail_schema, facts_schema, faults_schema

JSON = "application/json"
WRONG_TYPE = 415
ABOUT = (
    "Points, conditions, receipt and the official lines of one person, who need not exist, by the rules"
    " of the annual run.  Decides nothing; nothing is stored or logged.  At most 1 MB and 5,000 rows,"
    " months of a range counted one by one before they are written out."
)


def in_json(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema as the content of a body."""
    return {"content": {JSON: {"schema": schema}}}


def api() -> APIRouter:
    """The routes of the API with their description."""
    first, last = known()
    refusals = {
        400: "The request ended before it was whole",
        408: "The request came too slowly",
        413: "More than 1 MB",
        415: "Not application/json",
        503: "Too busy: ask again",
    }
    router = APIRouter(prefix="/api")
    router.add_api_route(
        "/score",
        score,
        methods=["POST"],
        summary="One person's points",
        description=ABOUT,
        response_class=Response,
        openapi_extra={
            "requestBody": {
                "required": True,
                **in_json(facts_schema((first, last + YEARS_TO_COME))),
            }
        },
        responses={
            200: {"description": "The answer", **in_json(answer_schema())},
            422: {"description": "Facts that cannot be scored", **in_json(faults_schema())},
            **{
                status: {"description": text, **in_json(detail_schema())}
                for status, text in refusals.items()
            },
        },
    )
    return router


async def score(request: Request) -> Response:
    """Score the facts in a request."""
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if kind != JSON:
        body = f'{{"detail": "expected {JSON}"}}'
        return Response(body, WRONG_TYPE, media_type=JSON)
    reply = await request.app.state.scoring.score(await request.body())
    return Response(reply.body, reply.status, media_type=JSON)
