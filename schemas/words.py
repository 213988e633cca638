"""Words shown to people, as data (`words.toml`): the dictionary's, and what each check of a row expects.

They are read when they are shown and never before: no run is named by them.
"""

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any


@cache
def words() -> dict[str, Any]:
    """All of them."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def of_check(name: str) -> str:
    """What a check of a delivered row expects, for messages."""
    return str(words()["check"][name])


def of_table(table: str) -> str:
    """What a row of a table or view is."""
    return str(words()["about"][table])


def of_column(table: str, column: str, like: Iterable[str] = ()) -> dict[str, str]:
    """What a column of a table or view means, its unit and where its values come from.

    `like` are the tables a view has its columns from, the first that knows one counts.
    """
    tables = words()["table"]
    known = (each for each in (table, *like) if column in tables.get(each, ()))
    found = tables[next(known, "shared")][column]
    return dict(zip(("meaning", "unit", "source"), found, strict=True))


def of_key(rule: str, name: str, declared: str) -> str | None:
    """What a key of evidence means, by its name or as it is declared; none where no meaning is written."""
    keys = words()["key"]
    asked = ((of, each) for each in (name, declared) for of in (rule, "shared"))
    return next((keys[of][each] for of, each in asked if each in keys.get(of, ())), None)


def codes_of(*names: str) -> str | None:
    """The list of codes that a column or key holds, by the first of its names that has one."""
    coded = words()["coded"]
    return next((coded[each] for each in names if each in coded), None)


def meaning_of(list_of_codes: str, code: int | str) -> str:
    """What a code of a list means; itself where the list does not have it."""
    return str(words()["value"][list_of_codes].get(str(code), code))
