"""What /api/score takes and gives, as OpenAPI has it: made of the feeds' models."""

from typing import Any

import polars as pl

from flows.public.facts import APPLICATION, ON_RECORD
from flows.public.written_rows import RANGE, Column, columns, known_to, lacking
from schemas.columns import LIMITS
from schemas.results import CONDITIONS, INDICATORS

Schema = dict[str, Any]

POINTS = {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$"}
KINDS: dict[Any, Schema] = {
    pl.Int64: {
        "type": "integer",
        "minimum": -LIMITS["largest_number"],
        "maximum": LIMITS["largest_number"],
    },
    pl.Boolean: {"type": "boolean"},
    pl.Date: {"type": "string", "format": "date"},
}


def of_column(column: Column) -> Schema:
    """A value of a column."""
    if column.codes:
        whole = column.kind == pl.Int64
        codes = [*column.codes, *([None] if column.nullable else [])]
        return {"type": typed("integer" if whole else "string", column), "enum": codes}
    found = KINDS.get(column.kind, {"type": "string"})
    return {**found, "type": typed(found["type"], column)}


def typed(kind: str, column: Column) -> Any:
    """The type, or null."""
    return [kind, "null"] if column.nullable else kind


def of_object(properties: Schema, required: list[str]) -> Schema:
    """An object with these names and no others."""
    needed = {"required": required} if required else {}
    return {"type": "object", "additionalProperties": False, "properties": properties, **needed}


def of_feed(feed: str) -> Schema:
    """The rows of a feed."""
    row = of_object(
        {name: of_column(each) for name, each in known_to(feed).items()}, list(lacking(feed, {}))
    )
    if feed == "social_insurance":  # a month, or a range of them
        row["required"] = [each for each in row["required"] if each != "month"]
        row["anyOf"] = [{"required": ["month"]}, {"required": list(RANGE)}]
        del row["required"]
    return {"type": "array", "items": row}


def facts_schema(years: tuple[int, int]) -> Schema:
    """One person's facts."""
    own = columns("applications")
    return of_object(
        {
            "round": {"type": "integer", "minimum": years[0], "maximum": years[1]},
            "application": of_object(
                {name: of_column(own[name]) for name in APPLICATION},
                [name for name, must in APPLICATION.items() if must],
            ),
            "feeds": of_object({feed: of_feed(feed) for feed in ON_RECORD}, []),
        },
        ["round", "application"],
    )


def answer_schema() -> Schema:
    """The answer to them."""
    line = of_object({"year": {"type": "integer"}, "line": POINTS}, ["year", "line"])
    properties: Schema = {
        "round": {"type": "integer"},
        "edition": {"type": "string"},
        "assumed": {"type": "boolean"},
        "conditions": of_object({name: {"type": "boolean"} for name in CONDITIONS}, [*CONDITIONS])
        | {"required": []},
        "eligible": {"type": "boolean"},
        "indicators": of_object(dict.fromkeys(INDICATORS, POINTS), []),
        "total": POINTS,
        "receipt": {"type": "object"},
        "lines": {"type": "array", "items": line},
        "gap": {"anyOf": [POINTS, {"type": "null"}]},
    }
    properties["conditions"]["properties"]["employer"] = {"type": ["boolean", "null"]}
    return of_object(properties, list(properties))


def faults_schema() -> Schema:
    """What is wrong with facts that cannot be scored."""
    text = {"type": "string"}
    fault = of_object({"path": text, "expected": text, "came": text}, ["path", "expected", "came"])
    return of_object(
        {"detail": text, "faults": {"type": "array", "items": fault}}, ["detail", "faults"]
    )


def detail_schema() -> Schema:
    """Why nothing comes of a request."""
    return of_object({"detail": {"type": "string"}}, ["detail"])
