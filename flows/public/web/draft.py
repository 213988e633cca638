"""Facts on their way through the form: what one step asks is written into them, the rest stays as it is.

They are FACTS of the contract whatever is missing or wrong in them, and travel in a hidden field.  What
somebody loaded and did not touch stays as it came, also where the form shows less of it.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from flows.public.facts import APPLICATION, ON_RECORD
from flows.public.json_text import parsed
from flows.public.web.fields import kind_of, text_of, typed
from flows.public.written_rows import RANGE, is_unicode, known_to
from schemas.columns import INSURANCES

Json = dict[str, Any]
Texts = dict[str, str]

NUMBER = re.compile(r"[0-9]{1,3}")
MOST_SHOWN = 60  # rows of a table in the form
APART = ("permit", "employer")  # asked with yes or no; each stands for a feed
FEED_OF = {"permit": "residence_permits", "employer": "employers"}
HELD = {"both": (True, True), "diploma": (True, False), "degree": (False, True)}
TECH = {"high_tech": (True, False), "tech_sme": (False, True), "neither": (False, False)}
FIRM = "持股企业"
# fields that stand for several columns, or for one of another name
MADE_OF = {
    "held": ("has_diploma", "has_degree"),
    "registered": ("registered_on",),
    "status": (*INSURANCES, "status"),
    "from": ("month", "from"),
}


def empty(year: int) -> Json:
    """Facts of nobody yet."""
    return {"round": year, "application": {}, "feeds": {}}


def sound(text: str | bytes) -> Json | None:
    """The facts a text holds, wrong as they may be; nothing where they are none the form could show.

    Raises BadFacts for what is no JSON.
    """
    value = parsed(text)
    if not isinstance(value, dict) or value.keys() - {"round", "application", "feeds"}:
        return None
    if not is_unicode(json.dumps(value, ensure_ascii=False)):
        return None  # half a surrogate pair: no page could hold it
    filed, feeds = value.setdefault("application", {}), value.setdefault("feeds", {})
    fits = is_object(filed, APPLICATION) and is_object(feeds, ON_RECORD)
    return value if fits and all(map(are_rows, feeds, feeds.values())) else None


def is_object(value: Any, names: Iterable[str]) -> bool:
    """Whether a value is an object with no names but these."""
    return isinstance(value, dict) and not value.keys() - set(names)


def are_rows(feed: str, rows: Any) -> bool:
    """Whether a value is a list of what may be rows of a feed."""
    return isinstance(rows, list) and all(is_object(row, known_to(feed)) for row in rows)


def answered(facts: Json, step: Json, form: Mapping[str, Any], last_month: str) -> Json:
    """The facts after a step was filled in; `last_month` is the last that counts."""
    made = {**facts, "application": {**facts["application"]}, "feeds": {**facts["feeds"]}}
    for field in step.get("field", []):
        if field["path"] in form:
            answer(made, field, typed(form[field["path"]]))
    for table in step.get("table", []):
        if f"{table['feed']}.told" in form:
            rows = list(rows_of(facts, table, form, last_month))
            made["feeds"].pop(table["feed"], None)
            if rows:
                made["feeds"][table["feed"]] = rows
            if table["feed"] == "shareholdings":
                put_firms(made, form, last_month)
    return made


def answer(facts: Json, field: Json, text: str) -> None:
    """One field that stands alone."""
    of, _, name = field["path"].rpartition(".")
    if name in APART:
        feed = FEED_OF[name]
        if text == "no":
            facts["feeds"][feed] = []
        elif facts["feeds"].get(feed) == []:
            del facts["feeds"][feed]
        return
    place = facts[of] if of else facts
    place.pop(name, None)
    if text:
        place[name] = kind_of(field).read(text)


def shown_alone(facts: Json, field: Json) -> str:
    """The text of a field that stands alone."""
    of, _, name = field["path"].rpartition(".")
    if name in APART:
        return "no" if facts["feeds"].get(FEED_OF[name]) == [] else "yes"
    value = (facts[of] if of else facts).get(name)
    if value is None and field["kind"] == "yes":
        return "yes"
    return kind_of(field).write(value)


def rows_of(facts: Json, table: Json, form: Mapping[str, Any], last_month: str) -> Iterator[Json]:
    """The rows of a table as they were filled in; one nobody began is none."""
    before = facts["feeds"].get(table["feed"], [])
    for number in numbers(table, form):
        texts = {
            field["name"]: typed(form.get(f"{table['feed']}.{number}.{field['name']}", ""))
            for field in table["fields"]
        }
        old = before[number] if number < len(before) else None
        if old is not None and texts == shown(table, old, facts):
            yield old
        elif begun(table, texts):
            yield row_of(table, texts, old or {}, last_month)
    yield from before[MOST_SHOWN:]


def numbers(table: Json, form: Mapping[str, Any]) -> list[int]:
    """The rows that came, but for the one that is taken away."""
    feed, gone = table["feed"], form.get("go")
    found = {
        int(parts[1])
        for parts in (name.split(".") for name in form)
        if parts[0] == feed
        and len(parts) == len(("feed", "row", "field"))
        and NUMBER.fullmatch(parts[1])
    }
    return [each for each in sorted(found)[:MOST_SHOWN] if gone != f"drop:{feed}.{each}"]


def begun(table: Json, texts: Texts) -> bool:
    """Whether anything was typed: a choice that stands there from the start is nothing."""
    typed_in = [field for field in table["fields"] if field["kind"] in TYPED]
    if table["feed"] == "tax":  # the years stand there from the start
        typed_in = [field for field in typed_in if field["name"] != "year"]
    return any(texts[field["name"]] for field in typed_in)


TYPED = ("day", "month", "year", "yuan", "percent", "whole", "text")


def row_of(table: Json, texts: Texts, old: Json, last_month: str) -> Json:
    """A row as it was filled in, with what the form does not show of the one before."""
    names = [field["name"] for field in table["fields"]]
    asked = {column for name in names for column in MADE_OF.get(name, (name,))}
    if table["feed"] == "tax":
        asked.add("treasury_date")
    if table["feed"] == "social_insurance" and not texts["status"]:
        asked -= set(INSURANCES)  # of several kinds, and left as they are
    row = {name: value for name, value in old.items() if name not in asked}
    if table["feed"] == "social_insurance" and not texts["to"] and texts["from"]:
        texts = {**texts, "to": last_month}
    for field in table["fields"]:
        put(row, field, texts[field["name"]], texts)
    return row


def put(row: Json, field: Json, text: str, texts: Texts) -> None:
    """One field of a row in its columns; nothing where nothing was typed."""
    name = field["name"]
    if name == "held" and text in HELD:
        row["has_diploma"], row["has_degree"] = HELD[text]
    elif name == "registered":
        if text == "none":
            row["registered_on"] = None
    elif name == "registered_on":
        if texts["registered"] == "later":
            row[name] = kind_of(field).read(text)
    elif field["kind"] == "year":
        if text:
            row["treasury_date"] = f"{text}-12-31"
    elif name in ("tech", "works_there"):
        return  # `put_firms` writes them: to the employer and to the insurance
    elif text:
        row[name] = kind_of(field).read(text)


def shown(table: Json, row: Json, facts: Json) -> Texts:
    """The texts of a row."""
    return {field["name"]: shown_one(field, row, facts) for field in table["fields"]}


def shown_one(field: Json, row: Json, facts: Json) -> str:
    """The text of one field of a row."""
    name = field["kind"] if field["kind"] == "year" else field["name"]
    if name in SHOWN:
        return SHOWN[name](row, facts)
    value = row.get(name, row.get("month")) if name in RANGE else row.get(name)
    return kind_of(field).write(value)


def held_of(row: Json, _: Json) -> str:
    """Which certificates there are."""
    flags = (row.get("has_diploma"), row.get("has_degree"))
    return next((held for held, both in HELD.items() if both == flags), "")


def registered_of(row: Json, _: Json) -> str:
    """How a home is registered."""
    if "registered_on" not in row:
        return "start"
    return "none" if row["registered_on"] is None else "later"


def year_of(row: Json, _: Json) -> str:
    """The year a tax came in."""
    day = row.get("treasury_date")
    return day[:4] if isinstance(day, str) else ""


def status_of(row: Json, _: Json) -> str:
    """How all five insurances are paid; nothing where they differ."""
    several = {text_of(row.get("status", row.get(each))) for each in INSURANCES}
    return several.pop() if len(several) == 1 else ""


def firm_of(row: Json, facts: Json) -> str:
    """Which kind of firm an employer is said to be."""
    flags = next(
        (
            (firm.get("high_tech"), firm.get("tech_sme"))
            for firm in facts["feeds"].get("employers", [])
            if firm.get("employer_id") == row.get("employer_id")
        ),
        None,
    )
    return next((tech for tech, both in TECH.items() if both == flags), "high_tech")


def works_there(row: Json, facts: Json) -> str:
    """Whether one is insured by a firm."""
    jobs, code = facts["feeds"].get("social_insurance", []), row.get("employer_id")
    return "yes" if any(code and job.get("employer_id") == code for job in jobs) else "no"


# fields that are no column of their own
SHOWN: dict[str, Callable[[Json, Json], str]] = {
    "held": held_of,
    "registered": registered_of,
    "year": year_of,
    "status": status_of,
    "tech": firm_of,
    "works_there": works_there,
}


def put_firms(facts: Json, form: Mapping[str, Any], last_month: str) -> None:
    """Write what is said of firms somebody has a share in: their class, and that one works there.

    Where the employer that files is said not to be in order, no firm is known, and none is added.
    """
    if facts["feeds"].get("employers") == []:
        return
    shares = {
        typed(form.get(f"shareholdings.{number}.employer_id", "")): number
        for number in numbers({"feed": "shareholdings"}, form)
    }
    shares.pop("", None)
    firms = [
        firm
        for firm in facts["feeds"].get("employers", [])
        if firm.get("employer_id") not in shares and firm.get("name") != FIRM
    ]
    jobs = facts["feeds"].get("social_insurance", [])
    for code, number in shares.items():
        tech = TECH.get(typed(form.get(f"shareholdings.{number}.tech", "")), TECH["neither"])
        fine = dict.fromkeys(("registered_in_beijing", "tax_registered", "tax_paying"), True)
        flags = dict(zip(("high_tech", "tech_sme"), tech, strict=True))
        firms.append({"employer_id": code, "name": FIRM, "district": "110108", **fine, **flags})
        works = typed(form.get(f"shareholdings.{number}.works_there", "")) == "yes"
        jobs = [working(job, code, last_month, works=works) for job in jobs]
    if jobs:
        facts["feeds"]["social_insurance"] = jobs
    if firms:
        facts["feeds"]["employers"] = firms
    elif facts["feeds"].get("employers"):
        del facts["feeds"]["employers"]


def working(job: Json, code: str, last_month: str, *, works: bool) -> Json:
    """An insured time at that firm, if it reaches the last month that counts; no longer, if not."""
    ends = job.get("to", job.get("month"))
    if works and isinstance(ends, str) and ends[:7] >= last_month:
        return {**job, "employer_id": code}
    if not works and job.get("employer_id") == code:
        return {name: value for name, value in job.items() if name != "employer_id"}
    return job
