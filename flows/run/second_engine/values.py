"""What the second engine reads of policy and round, with a loader of its own.

It shares no code with `transforms/`: a mistake in how one engine reads a value shows as a difference.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flows.common.failures import StageFailed

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Book:
    """The round's own values, and the rules of its edition: condition or indicator -> rule name."""

    folder: Path
    round: Values
    counted_months: str
    conditions: Mapping[str, str]
    indicators: Mapping[str, str]

    def values(self, rule: str) -> Values:
        """The values of one rule in force on the round's policy date."""
        return values_in_force(self.folder, rule, self.round["policy_date"])


def open_book(data: Path, year: int) -> Book:
    """Round and edition of a year, from the folder of policy and rounds."""
    this_round = toml(data / "rounds" / f"{year}.toml")
    editions = toml(data / "policy" / "editions.toml")["edition"]
    edition = latest("editions.toml", editions, this_round["policy_date"])
    return Book(
        folder=data / "policy",
        round={
            "year": this_round["year"],
            "policy_date": this_round["policy_date"],
            "reference_date": this_round["reference_date"],
            "permit_date": this_round.get("permit_date", this_round["reference_date"]),
            "insured_in": this_round.get("insured_in"),
            "quota": this_round["quota"],
        },
        counted_months=edition["counted_months"],
        conditions=edition["conditions"],
        indicators=edition["indicators"],
    )


def values_in_force(folder: Path, rule: str, on: date) -> Values:
    """The dated values of a policy file, each as it is in force on a day."""
    found = {
        name: value(f"{rule}.toml: {name}", described["from"], on)
        for name, described in toml(folder / f"{rule}.toml").items()
        if isinstance(described, dict)
    }
    return by_kind(rule, found) if "centipoints_per_year_other" in found else found


def by_kind(rule: str, found: dict[str, Any]) -> Values:
    """Residence as a table of kinds, where an earlier policy file has a rate of own homes and another."""
    own, other = found.pop("centipoints_per_year_own"), found.pop("centipoints_per_year_other")
    columns = ("kind", "centipoints_per_year", "registered", "early")
    registered = rule != "residence_unregistered"
    rows = [
        ("own", own, False, "held"),
        ("dormitory", other, registered, "never"),
        ("rent", other, registered, "default"),
    ]
    return {**found, "kinds": [dict(zip(columns, row, strict=True)) for row in rows]}


def value(where: str, entries: list[dict[str, Any]], on: date) -> Any:
    """The value in force on a day; one that is repealed by then raises."""
    entry = latest(where, entries, on)
    if "value" not in entry:
        raise StageFailed(f"recheck: {where}: expected a value in force on {on}, found it repealed")
    return entry["value"]


def latest(where: str, entries: list[dict[str, Any]], on: date) -> dict[str, Any]:
    """The entry with the latest date that is not after a day; there must be one."""
    past = [entry for entry in entries if entry["date"] <= on]
    if not past:
        raise StageFailed(f"recheck: {where}: expected a value in force on {on}, found none")
    return max(past, key=lambda entry: entry["date"])


def toml(path: Path) -> dict[str, Any]:
    """A TOML file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))
