"""How the analysts' database differs from the tables of runs, as data (`database.toml`).

Views, worked queries, order and type of columns, and what a copy without names leaves out.  It is read
when the database is built: no run is named by it.
"""

import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any


@cache
def layout() -> dict[str, Any]:
    """All of it."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def in_order(table: str, columns: Sequence[str]) -> list[str]:
    """The columns of a table in the order analysts see them."""
    first = layout()["first"].get(table, [])
    return [*first, *(each for each in columns if each not in first)]


def is_json(table: str, column: str) -> bool:
    """Whether a text of a table is JSON."""
    return column in layout()["json"].get(table, ())


def is_personal(table: str, column: str) -> bool:
    """Whether a copy without names leaves a column empty."""
    return column in layout()["personal"].get(table, ())


def personal() -> Iterator[str]:
    """Every column that a copy without names leaves empty, with its table."""
    for table, columns in layout()["personal"].items():
        yield from (f"{table}.{column}" for column in columns)


def views() -> Iterator[tuple[str, str]]:
    """The views and their SQL, each after those it reads."""
    yield from ((each["name"], each["sql"].strip()) for each in layout()["view"])


def like(view: str) -> list[str]:
    """The tables a view has columns from, whose words are its own."""
    return next((each["like"] for each in layout()["view"] if each["name"] == view), [])


def queries() -> list[dict[str, str]]:
    """The worked queries."""
    return [{"title": each["title"], "sql": each["sql"].strip()} for each in layout()["query"]]
