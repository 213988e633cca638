"""Policy as dated data: the values of a rule, checked, and those of them in force on a date.

A value that is absent, misspelt, repeated, out of order or of another type, unit or size than the
rule's `Params` say raises `PolicyError`, which names the file, the value and its date, also when that
date is not the one asked for: absence is an error, never zero.  There is no other way to a value.
This is the one place that compares policy dates.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from pydantic import ValidationError

from schemas.steering import STEERING
from transforms.earlier import form_of
from transforms.units import types_of

Value: TypeAlias = Any  # whatever TOML holds: a number, a date, a text, a list or a table of them
P = TypeVar("P")

ABOUT = ("title", "title_zh", "clause")
CLAUSE_ZH = "clause_zh"  # a run pinned before there was one has none
ENTRY = {"date", "cite", "value"}
DESCRIBED = {"meaning", "unit", "from"}
MOST_BYTES = 1 << 20  # of a file: one from elsewhere may be made to take hours to read
EXPECTED = {"list_type": "expected a list", "dict_type": "expected a table"}
LONGEST_FOUND = 80  # characters shown of what was found


class PolicyError(LookupError):
    """A policy file lacks something, or says it in a way that cannot be trusted."""

    def __str__(self) -> str:
        """One line, whatever keys and names a file has."""
        return " ".join(super().__str__().splitlines())


@dataclass(frozen=True)
class Dated:
    """A value and the text it rests on."""

    value: Value
    date: date
    cite: str


@dataclass(frozen=True)
class Rule:
    """What one policy file says on a date: its titles, its clause and its values by name."""

    name: str
    title: str
    title_zh: str
    clause: str
    on: date
    dated: Mapping[str, Dated]
    clause_zh: str | None = None

    @property
    def values(self) -> dict[str, Value]:
        """The bare values by name, ready for the rule's `Params`, whatever form the file has."""
        stated = {name: dated.value for name, dated in self.dated.items()}
        earlier = form_of(self.name, set(stated))
        return earlier.as_now(stated) if earlier else stated


@dataclass(frozen=True)
class Edition:
    """The rules in force on a date: condition or indicator column -> rule."""

    name: str
    on: date
    cite: str
    counted_months: Rule
    conditions: Mapping[str, Rule]
    indicators: Mapping[str, Rule]


def rule(make: type, folder: Path, name: str, on: date) -> Rule:
    """The values of one policy file in force on a date, each as the rule's `Params` want it."""
    return stated(make, name, read_toml(folder / f"{name}.toml"), on)


def stated(make: type, name: str, text: Mapping[str, Value], on: date) -> Rule:
    """The values a policy file states for a date; every one of any date is checked."""
    about = {CLAUSE_ZH: "none", **text}
    missing = [key for key in (*ABOUT, CLAUSE_ZH) if not is_text(about.get(key))]
    if missing:
        raise PolicyError(f"{name}.toml: {', '.join(missing)} is missing")
    keys = set(text) - {*ABOUT, CLAUSE_ZH}
    earlier = form_of(name, keys)
    types = types_of(earlier.stated if earlier else make)
    require_keys(f"{name}.toml", keys, set(types))
    dated = {}
    for key, (unit, of_value) in types.items():
        where, described = f"{name}.toml: {key}", text[key]
        require_keys(where, set(described) if isinstance(described, dict) else set(), DESCRIBED)
        if not is_text(described["meaning"]):
            raise PolicyError(f"{where} has no meaning")
        if described["unit"] != unit:
            raise PolicyError(
                f"{where}.unit: expected {shown(unit)}, found {shown(described['unit'])}"
            )
        entries = described["from"]
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise PolicyError(f"{where} has an entry that is not a [[{key}.from]] table")
        for entry in entries:
            require_keys(where, set(entry), ENTRY, optional={"value"})
            require_cite(where, entry)
        found = in_force(where, entries, on)
        for entry in entries:
            if "value" in entry:
                with message_with_place(f"{name}.toml", f"{key}.from[{entry['date']}].value"):
                    of_value.validate_python(entry["value"])
        if "value" not in found:
            raise PolicyError(f"{where} has no value in force on {on}: repealed by {found['cite']}")
        dated[key] = Dated(found["value"], found["date"], found["cite"])
    clause_zh = text.get(CLAUSE_ZH)
    return Rule(name, text["title"], text["title_zh"], text["clause"], on, dated, clause_zh)


def params(make: type[P], rule: Rule) -> P:
    """A rule's `Params` filled from its policy file."""
    return make(**rule.values)


@contextmanager
def message_with_place(file: str, path: str = "") -> Iterator[None]:
    """Turn the first thing wrong with a value into a PolicyError: file, key, expected and found."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        *within, last = ("", *first["loc"])
        if first["type"] in {"missing", "extra_forbidden"}:
            verb = "lacks" if first["type"] == "missing" else "has unknown"
            raise PolicyError(f"{file}: {place(path, within)} {verb} {last}") from None
        expected = EXPECTED.get(first["type"], first["msg"])
        found = first.get("ctx", {}).get("found", first["input"])
        where = place(path, [*within, last])
        raise PolicyError(f"{file}: {where}: {expected}, found {shown(found)}") from None


def place(path: str, within: Sequence[int | str]) -> str:
    """Where in a file something is: `value[3].centipoints` below a path."""
    steps = (f"[{each}]" if isinstance(each, int) else f".{each}" for each in within if each != "")
    return (path + "".join(steps)).removeprefix(".")


def shown(value: Value) -> str:
    """A value as a policy file has it, in one line that is not too long."""
    if isinstance(value, date):
        return value.isoformat()
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except ValueError:  # hexadecimal has no limit, decimal has
        text = "a number of thousands of digits"
    return text if len(text) <= LONGEST_FOUND else f"{text[:LONGEST_FOUND]}..."


def in_force(where: str, entries: list[dict[str, Value]], on: date) -> dict[str, Value]:
    """The last entry whose date is on or before `on`; dates must ascend without repeats."""
    dates = [entry.get("date") for entry in entries]
    if not all(type(day) is date for day in dates):
        raise PolicyError(f"{where} has an entry without a date")
    for earlier, later in pairwise(dates):
        if not earlier < later:  # type: ignore[operator]
            problem = "repeated" if earlier == later else "out of order"
            raise PolicyError(f"{where}: date {later} is {problem}")
    past = [entry for entry in entries if entry["date"] <= on]
    if not past:
        raise PolicyError(f"{where} has no value in force on {on}")
    return past[-1]


def require_cite(where: str, entry: Mapping[str, Value]) -> None:
    """Raise when an entry does not say what text it rests on."""
    if not is_text(entry["cite"]):
        raise PolicyError(f"{where}: the entry of {entry.get('date')} has no cite")


def is_text(value: Value) -> bool:
    """Whether a value is a text that says something."""
    return isinstance(value, str) and bool(value.strip())


def require_keys(
    where: str,
    found: AbstractSet[str],
    wanted: AbstractSet[str],
    optional: AbstractSet[str] = frozenset(),
) -> None:
    """Raise when a key is missing or is not one of those wanted."""
    if missing := sorted(wanted - optional - found):
        raise PolicyError(f"{where} lacks {', '.join(missing)}")
    if unknown := sorted(found - wanted):
        raise PolicyError(
            f"{where} has unknown {', '.join(unknown)}; expected {', '.join(sorted(wanted))}"
        )


def read_toml(path: Path) -> dict[str, Value]:
    """A TOML file; one that is absent, too large, or repeats a key, raises PolicyError."""
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise PolicyError(f"{path.name}: expected at most {MOST_BYTES:,} bytes, found {size:,}")
        return deepcopy(parsed(path.name, path.read_text(encoding="utf-8")))
    except RecursionError:
        raise PolicyError(f"{path.name}: tables within tables, deeper than can be read") from None
    except FileNotFoundError:
        raise PolicyError(f"{path.name} is not in {path.parent}") from None
    except ValueError as error:  # also of a number with thousands of digits
        raise PolicyError(f"{path.name}: {error}") from None


@lru_cache(maxsize=256)
def parsed(name: str, text: str) -> dict[str, Value]:
    """What a file says.  Asked again for each coming year, so the same text is read once."""
    found = tomllib.loads(text)
    for place, value in texts(found):
        if STEERING.search(value):
            raise PolicyError(f"{name}: {place}: expected a text without control characters")
    return found


def texts(value: Value, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a value, keys too, and where it is."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield "a key" + (f" of {place}" if place else ""), key
            yield from texts(each, f"{place}.{key}".removeprefix("."))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from texts(each, f"{place}[{number}]")
