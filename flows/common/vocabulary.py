"""What feeds, columns, codes and checks are called, in Chinese and in English: one list for every page."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "words"


@cache
def vocabulary(language: str) -> dict[str, dict[str, Any]]:
    """Kind (feed, column, code, expected) -> name -> what it is called."""
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
