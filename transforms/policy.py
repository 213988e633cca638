"""Policy as dated data: which rules an edition lists, and the values in force on a date.

A value that is absent, misspelt, repeated or out of order raises `PolicyError`, which names the
file, the value and the date: absence is an error, never zero.  This is the one place that compares
policy dates.
"""

import tomllib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

Value: TypeAlias = Any  # whatever TOML holds: a number, a date, a text, a list or a table of them
P = TypeVar("P")

ABOUT = ("title", "title_zh", "clause")
CLAUSE_ZH = "clause_zh"  # a run pinned before there was one has none
ENTRY = {"date", "cite", "value"}
DESCRIBED = {"meaning", "unit", "from"}
MOST_BYTES = 1 << 20  # of a file: one from elsewhere may be made to take hours to read
MOST_NUMBER, MOST_FEN = 10**6, 10**15  # no rule counts so many months, points or places
FIRST_YEAR, LAST_YEAR = 1900, 2199  # a window of months lies between them
EDITION = {"name", "date", "published", "cite", "counted_months", "conditions", "indicators"}


class PolicyError(LookupError):
    """A policy file lacks something, or says it in a way that cannot be trusted."""


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
        """The bare values by name, ready for the rule's `Params`."""
        return {name: dated.value for name, dated in self.dated.items()}


@dataclass(frozen=True)
class Edition:
    """The rules in force on a date: condition or indicator column -> rule."""

    name: str
    on: date
    cite: str
    counted_months: Rule
    conditions: Mapping[str, Rule]
    indicators: Mapping[str, Rule]


def edition(folder: Path, on: date) -> Edition:
    """The edition in force on a date, with every value of every rule it lists.

    Raises PolicyError when no edition is in force yet, or when a listed rule lacks a value.
    """
    editions = read_toml(folder / "editions.toml").get("edition", [])
    for entry in editions:
        where = f"editions.toml: edition {entry.get('name', '?')}"
        require_keys(where, set(entry), EDITION)
        require_cite(where, entry)
        for kind in ("conditions", "indicators"):
            if not isinstance(entry[kind], dict):
                raise PolicyError(f"{where}: {kind} is not a table of column = rule file")
    found = in_force("editions.toml: edition", editions, on)
    return Edition(
        name=found["name"],
        on=on,
        cite=found["cite"],
        counted_months=rule(folder, found["counted_months"], on),
        conditions={name: rule(folder, file, on) for name, file in found["conditions"].items()},
        indicators={name: rule(folder, file, on) for name, file in found["indicators"].items()},
    )


def rule(folder: Path, name: str, on: date) -> Rule:
    """The values of one policy file in force on a date."""
    text = read_toml(folder / f"{name}.toml")
    about = {CLAUSE_ZH: "", **text}
    missing = [key for key in (*ABOUT, CLAUSE_ZH) if not isinstance(about.get(key), str)]
    if missing:
        raise PolicyError(f"{name}.toml: {', '.join(missing)} is missing")
    dated = {}
    for key, described in text.items():
        if key in (*ABOUT, CLAUSE_ZH):
            continue
        where = f"{name}.toml: {key}"
        require_keys(where, set(described) if isinstance(described, dict) else set(), DESCRIBED)
        if not all(isinstance(entry, dict) for entry in described["from"]):
            raise PolicyError(f"{where} has an entry that is not a [[{key}.from]] table")
        for entry in described["from"]:
            require_keys(where, set(entry), ENTRY, optional={"value"})
            require_cite(where, entry)
        entry = in_force(where, described["from"], on)
        if "value" not in entry:
            raise PolicyError(f"{where} has no value in force on {on}: repealed by {entry['cite']}")
        require_bounded(where, entry["value"], fen="fen" in str(described["unit"]))
        dated[key] = Dated(entry["value"], entry["date"], entry["cite"])
    clause_zh = text.get(CLAUSE_ZH)
    return Rule(name, text["title"], text["title_zh"], text["clause"], on, dated, clause_zh)


def params(make: type[P], rule: Rule) -> P:
    """A rule's `Params` filled from its policy file; a missing or misspelt name raises."""
    wanted = set(make.__dataclass_fields__)  # type: ignore[attr-defined]
    require_keys(f"{rule.name}.toml in force on {rule.on}", set(rule.values), wanted)
    return make(**rule.values)


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
    if not isinstance(entry["cite"], str) or not entry["cite"].strip():
        raise PolicyError(f"{where}: the entry of {entry.get('date')} has no cite")


def require_bounded(where: str, value: Value, *, fen: bool) -> None:
    """Raise for a number or a date that no rule can mean: one of 300,000,000 years, say."""
    most = MOST_FEN if fen else MOST_NUMBER
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            require_bounded(where, each, fen=fen)
    elif isinstance(value, int) and abs(value) > most:
        raise PolicyError(f"{where}: expected whole numbers up to {most:,}, found a larger one")
    elif isinstance(value, date) and not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise PolicyError(
            f"{where}: expected years {FIRST_YEAR} to {LAST_YEAR}, found {value.year}"
        )


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
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise PolicyError(f"{path.name}: tables within tables, deeper than can be read") from None
    except FileNotFoundError:
        raise PolicyError(f"{path.name} is not in {path.parent}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path.name}: {error}") from None
