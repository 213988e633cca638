"""The form of a step, ready to be filled into the page: fields, rows, choices and how many months."""

from datetime import date
from typing import Any

from flows.common.rounds import YEARS_TO_COME, is_assumed, known
from flows.common.vocabulary import vocabulary
from flows.public.web.draft import MOST_SHOWN, shown, shown_alone
from flows.public.web.fields import kind_of
from flows.public.written_rows import to_day
from schemas.columns import CODES
from transforms.months import number_of
from transforms.policy import Edition

Json = dict[str, Any]
WITHOUT_CHOICE = "请选择"


def form_of(
    step: Json, facts: Json, edition: Edition, *, layout: Json, add: str, last: date
) -> Json:
    """Fields that stand alone, and tables; `add` names the table that gets one row more."""
    chooser = Choices(edition, layout)
    fields = [
        chooser.field(each, each["path"], shown_alone(facts, each))
        for each in step.get("field", [])
    ]
    rules = {rule.name for rule in edition.indicators.values()}
    tables = [
        table_of(table, facts, chooser, add=add == table["feed"], last=last)
        for table in step.get("table", [])
        if table.get("rule") is None or table["rule"] in rules or facts["feeds"].get(table["feed"])
    ]
    return {"fields": fields, "tables": tables}


def table_of(table: Json, facts: Json, chooser: "Choices", *, add: bool, last: date) -> Json:
    """A table with its rows, those that are there from the start, and one more where asked."""
    given = facts["feeds"].get(table["feed"], [])
    texts = [shown(table, row, facts) for row in given[:MOST_SHOWN]]
    blank = {each["name"]: each.get("first", "") for each in table["fields"]}
    if not texts:
        texts = [blank | started(table, back, last) for back in range(table["rows"], 0, -1)]
    if add and len(texts) < MOST_SHOWN:
        texts.append(blank)
    rows = []
    for number, row in enumerate(texts):
        of = f"{table['feed']}.{number}"
        fields = [
            chooser.field(each, f"{of}.{each['name']}", row[each["name"]])
            for each in table["fields"]
        ]
        new = add and number == len(texts) - 1
        fields[0]["focus"] = new
        rows.append({"name": of, "fields": fields, "months": months(table, row, last), "new": new})
    return {**table, "shown": rows, "more": max(len(given) - MOST_SHOWN, 0)}


def started(table: Json, back: int, last: date) -> Json:
    """What stands in a row from the start: of tax the years that are looked at."""
    return {"year": str(last.year - back + 1)} if table["feed"] == "tax" else {}


def months(table: Json, row: Json, last: date) -> Json | None:
    """How many months a row stands for, and how many of them lie beyond the last that counts."""
    if "counts" not in table:
        return None
    kinds = {field["name"]: kind_of(field) for field in table["fields"]}
    first, until = (to_day(kinds[name].read(row[name])) for name in table["counts"])
    if first is None or (until is None and row[table["counts"][1]]):
        return {"in_all": None, "beyond": None}
    begin = number_of(first) + (first.day > 1)
    end = number_of(until or last)
    in_all = max(end - begin + 1, 0)
    return {"in_all": in_all, "beyond": min(max(end - number_of(last), 0), in_all)}


class Choices:
    """What may be chosen in a field."""

    def __init__(self, edition: Edition, layout: Json) -> None:
        """By the codes of the models, the titles of the policy and the districts of the form."""
        self.edition, self.layout = edition, layout

    def field(self, field: Json, name: str, value: str) -> Json:
        """A field as the page needs it."""
        options = self.options(field)
        if options is not None and value and value not in dict(options):
            options = [*options, (value, value)]  # loaded, and wrong or unusual
        if options is not None and not value:
            options = [("", WITHOUT_CHOICE), *options]
        return {
            "name": name,
            "id": name.replace(".", "-"),
            "label": field["label"],
            "hint": field.get("hint", ""),
            "kind": field["kind"],
            "value": value,
            "options": options,
            "focus": False,
        }

    def options(self, field: Json) -> list[tuple[str, str]] | None:
        """Values and what they are called; nothing for a field one types in."""
        own, words = self.layout["choices"], vocabulary("zh")["code"]
        kind = field["kind"]
        if kind == "code":
            codes = [str(each) for each in CODES[field["codes"]]]
            points = field["codes"] == "award_points"
            return [
                (each, f"{each} 分" if points else own.get(each, words.get(each, each)))
                for each in codes
            ]
        if kind == "title":
            titles = self.edition.indicators["honour"].values["titles"]
            return [(each, words.get(each, each)) for each in titles]
        if kind == "district":
            return list(self.layout["districts"].items())
        if kind == "round":
            first, last = known()
            return [
                (str(year), f"{year}年度{'（推算）' if is_assumed(year) else ''}")
                for year in range(last + YEARS_TO_COME, first - 1, -1)
            ]
        return list(own[kind].items()) if isinstance(own.get(kind), dict) else None
