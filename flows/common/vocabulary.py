"""What feeds, columns, codes and checks are called, in Chinese and in English: one list for every page."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

# the figures of a round, by their column of `rounds`
FIGURES = {
    "edition": "edition (办法版本)",
    "applications": "applications (申报人数)",
    "eligible": "eligible (符合条件)",
    "quota": "quota (落户规模)",
    "cutoff": "line (落户分值)",
    "tied_at_cutoff": "tied at the line (同分)",
    "settled": "settled (落户人数)",
    "highest": "highest (最高分)",
}
FOLDER = Path(__file__).parent / "words"


def figure(value: object) -> str:
    """A figure as people read it."""
    if value is None:
        return "none"
    return f"{value:,}" if isinstance(value, int) else str(value)


@cache
def vocabulary(language: str) -> dict[str, dict[str, Any]]:
    """Kind (feed, column, code, expected) -> name -> what it is called."""
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
