"""/calculator (积分模拟计算器): facts filled in step by step, points after each, and what may come.

Works without script: the facts travel in a hidden field, and every button is one of the form.
"""

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData, UploadFile

from flows.common.points import in_text
from flows.common.rounds import edition_of, is_assumed, known, round_of
from flows.explain.coming_years import lines_of
from flows.public.children import last_round
from flows.public.distances import distances
from flows.public.faults import BadFacts
from flows.public.json_text import MOST_BYTES
from flows.public.web import draft, faults_zh
from flows.public.web.fields import read_day, read_hundredths, typed, write_day
from flows.public.web.forms import form_of
from flows.public.web.pages import page
from transforms.policy import PolicyError
from transforms.rounds import Round

Json = dict[str, Any]

ADDRESS = "/calculator"
MOST_FIELDS = 3_000
MOST_GROWTH = 100_000  # centipoints a year
FILE = "jifen-facts.json"
NO_FILE = "文件不是本计算器保存的内容，没有载入；下面是原来的内容。"


@cache
def layout() -> Json:
    """Steps, districts and choices, as `steps.toml` has them."""
    return tomllib.loads(Path(__file__).with_name("steps.toml").read_text(encoding="utf-8"))


def calculator() -> APIRouter:
    """Its routes."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route(ADDRESS, begin, methods=["GET", "HEAD"])
    router.add_api_route(ADDRESS, turn, methods=["POST"])
    return router


async def begin(request: Request) -> Response:
    """The first step, empty."""
    return await shown(request, Visit(draft.empty(known()[1]), steps()[0]["name"]))


async def turn(request: Request) -> Response:
    """A step was filled in, and a button pressed."""
    form = await request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=MOST_BYTES)
    go = typed(form.get("go", ""))
    if go == "clear":
        return RedirectResponse(ADDRESS, status_code=303)
    if go == "load":
        return await shown(request, await loaded(form))
    visit = visited(form)
    step = of_name(visit.step)
    last = f"{reference(visit.facts):%Y-%m}"
    visit.facts = draft.answered(visit.facts, step, form, last)
    if go == "save":
        return saved(visit.facts)
    return await shown(request, visit, go)


class Visit:
    """Where somebody is: their facts, the step, and what they chose beside."""

    def __init__(self, facts: Json, step: str, form: FormData | None = None) -> None:
        """With nothing chosen, unless a form says so."""
        self.facts, self.step = facts, step
        self.child = write_day(read_day(typed(form.get("child", "")))) if form else ""
        self.growth = typed(form.get("growth", "")) if form else ""
        self.note = ""


def visited(form: FormData) -> Visit:
    """Where a form was filled in; the first step where it does not say."""
    text = form.get("facts", "")
    try:
        facts = draft.sound(text) if isinstance(text, str) and text else None
    except BadFacts:
        facts = None
    return Visit(
        facts or draft.empty(known()[1]), of_name(typed(form.get("step", "")))["name"], form
    )


async def loaded(form: FormData) -> Visit:
    """The facts of a file from the reader's own machine."""
    before = visited(form)
    file = form.get("file")
    try:
        facts = draft.sound(await file.read()) if isinstance(file, UploadFile) else None
    except BadFacts:
        facts = None
    if facts is None:
        before.note = NO_FILE
        return before
    visit = Visit(facts, "result", form)
    visit.note = "已载入。"
    return visit


def saved(facts: Json) -> Response:
    """The facts as a file to be kept on the reader's own machine; `luohu score` takes it too."""
    return Response(
        json.dumps(facts, ensure_ascii=False, indent=1),
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="{FILE}"'},
    )


def steps() -> list[Json]:
    """The steps in their order."""
    found: list[Json] = layout()["step"]
    return found


def of_name(name: str) -> Json:
    """A step; the first where there is none of that name."""
    return next((each for each in steps() if each["name"] == name), steps()[0])


def this_round(facts: Json) -> Round:
    """The round asked for; the latest where there is none such year."""
    year = facts.get("round")
    try:
        return round_of(year if type(year) is int else known()[1])
    except PolicyError:
        return round_of(known()[1])


def reference(facts: Json) -> Any:
    """The day facts count up to."""
    return this_round(facts).reference_date


def target(step: str, go: str) -> str:
    """The step a button leads to."""
    names = [each["name"] for each in steps()]
    at = names.index(step)
    if go == "next":
        return str(names[min(at + 1, len(names) - 1)])
    if go == "back":
        return str(names[max(at - 1, 0)])
    return of_name(go.removeprefix("to:"))["name"] if go.startswith("to:") else step


async def shown(request: Request, visit: Visit, go: str = "") -> Response:
    """The page after a button."""
    before, step = visit.step, target(visit.step, go)
    if go == "next" and step == before:
        step = "result"
    parts = {"education": {"choice"}, "result": {"forward", "choice"}}.get(step, set())
    if not visit.facts["feeds"].get("education"):
        parts = parts - {"choice"}
    growth, growth_wrong = growth_of(visit.growth)
    text = json.dumps(visit.facts, ensure_ascii=False)
    found = await request.app.state.scoring.work_out(
        text.encode("utf-8", "replace"), growth, frozenset(parts)
    )
    wrong = list(faults_zh.in_chinese(found.get("faults", []), steps()))
    if go == "next" and any(each.step == before for each in wrong):
        step = before
    asked = go in ("here", "next") or bool(visit.note)
    current = of_name(step)
    in_order = [each["name"] for each in steps()]
    this = this_round(visit.facts)
    policy = edition_of(this.policy_date)
    content = {
        "steps": steps(),
        "step": current,
        "place": in_order.index(step),
        "before": before if go == "next" and step != before else "",
        "facts": text,
        "form": form_of(
            current,
            visit.facts,
            policy,
            layout=layout(),
            add=go.removeprefix("add:"),
            last=this.reference_date,
        ),
        "wrong": wrong,
        "here": [each for each in wrong if each.step in (step, "")] if asked else [],
        "found": found,
        "note": visit.note,
        "round": this.year,
        "assumed": is_assumed(this.year),
        "reference": this.reference_date.isoformat(),
        "child": visit.child,
        "child_last": last_child(visit.child),
        "growth": visit.growth,
        "growth_wrong": growth_wrong,
        "growth_default": in_text(lines_of().growth),
        "focus": go.startswith(("add:", "drop:")),
        "distances": distances(found["answer"]) if found.get("answer") else [],
    }
    return HTMLResponse(page("calculator.html", **content))


def growth_of(text: str) -> tuple[int | None, bool]:
    """What lines grow by a year, and whether what was typed makes no sense."""
    if not text:
        return None, False
    value = read_hundredths(text)
    fits = isinstance(value, int) and abs(value) <= MOST_GROWTH
    return (value, False) if fits and isinstance(value, int) else (None, True)


def last_child(text: str) -> Json:
    """The last round a child can come along in, and whether the day makes no sense."""
    if not text:
        return {"year": None, "wrong": False}
    year = last_round(read_day(text))
    return {"year": year, "wrong": year is None}
