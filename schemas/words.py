"""Words shown to people, as data (`words.toml`): the dictionary's, and what each check of a row expects.

They are read when they are shown and never before: no run is named by them.
"""

import tomllib
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


def of_column(table: str, column: str) -> dict[str, str]:
    """What a column of a published table means, its unit and where its values come from."""
    tables = words()["table"]
    found = tables[table].get(column) or tables["shared"][column]
    return dict(zip(("meaning", "unit", "source"), found, strict=True))
