"""The edition in force on a date: the one door to the policy.

Every rule the edition lists is loaded with every value of every date checked, so that an `Edition`
holds only values of the right type, unit and size, in the first engine and in the second.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import TypeAdapter, with_config
from typing_extensions import TypedDict

from transforms.conditions import CONDITIONS
from transforms.counted_months import Params as CountedMonths
from transforms.indicators import INDICATORS
from transforms.policy import (
    Edition,
    PolicyError,
    Rule,
    in_force,
    message_with_place,
    read_toml,
    rule,
)
from transforms.units import STRICT, Day, Text

FILE = "editions.toml"


@with_config(STRICT)
class Entry(TypedDict):
    """What `editions.toml` says of an edition; a column's rule is named by its file."""

    name: Text
    date: Day
    published: Day
    cite: Text
    counted_months: Text
    conditions: dict[Text, Text]
    indicators: dict[Text, Text]


ENTRY = TypeAdapter(Entry)


def edition(folder: Path, on: date) -> Edition:
    """The edition in force on a date, with every value of every rule it lists.

    Raises PolicyError when no edition is in force yet, or when a listed rule is not right.
    """
    found = in_force(f"{FILE}: edition", editions(folder), on)

    def listed(kind: str, known: Mapping[str, ModuleType]) -> dict[str, Rule]:
        rules = {}
        for column, name in found[kind].items():
            if name not in known:
                raise PolicyError(
                    f"{FILE}: edition {found['name']}: {kind}: {column} names {name},"
                    f" expected one of {', '.join(sorted(known))}"
                )
            rules[column] = rule(known[name].Params, folder, name, on)
        return rules

    return Edition(
        name=found["name"],
        on=on,
        cite=found["cite"],
        counted_months=rule(CountedMonths, folder, found["counted_months"], on),
        conditions=listed("conditions", CONDITIONS),
        indicators=listed("indicators", INDICATORS),
    )


def editions(folder: Path) -> list[dict[str, Any]]:
    """Every edition there is, as its file says."""
    text = read_toml(folder / FILE)
    entries: list[dict[str, Any]] = text.pop("edition", None)
    tables = isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
    if text or not tables:
        raise PolicyError(f"{FILE}: expected [[edition]] tables and nothing else")
    for place, entry in enumerate(entries):
        with message_with_place(FILE, f"edition[{entry.get('name', place)}]"):
            ENTRY.validate_python(entry)
    return entries
