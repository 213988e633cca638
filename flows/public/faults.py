"""What is wrong with somebody's facts: where, what was expected and what came, one line a fault.

A text somebody typed is shown only where it is short and plain: it may be a name or an ID number.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flows.common.failures import Failure
from flows.common.shapes import shape
from schemas.identifiers import holds_any_id_number

PLAIN = re.compile(r"[A-Za-z0-9 .,:+_-]{0,40}")
KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
MANY_DIGITS = re.compile(r"[0-9]{15}")
LARGE = 10**15
MOST_FAULTS = 1_000


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong."""

    path: str
    expected: str
    came: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.path}: expected {self.expected}, came {self.came}"


class BadFacts(Failure):
    """Facts nobody can be scored on."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """The first thousand of them; the last line says how many more there are."""
        self.faults = tuple(faults[:MOST_FAULTS])
        more = len(faults) - MOST_FAULTS
        lines = [*map(str, self.faults), *([f"and {more:,} faults more"] if more > 0 else [])]
        super().__init__("\n".join(lines))


def shown(value: Any) -> str:
    """What came, in a few characters."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value) if abs(value) <= LARGE else "a number beyond +-10^15"
    if isinstance(value, str):
        plain = PLAIN.fullmatch(value) and not secret(value)
        return f'"{value}"' if plain else f'text like "{shape(value)}"'
    if isinstance(value, float):
        return f"the fraction {value}"
    return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value):,}"


def key(name: str) -> str:
    """A key as part of a path."""
    return name if KEY.fullmatch(name) and not secret(name) else f'"{shape(name)}"'


def secret(text: str) -> bool:
    """Whether a text may be somebody's number."""
    return bool(MANY_DIGITS.search(text)) or holds_any_id_number(text)
