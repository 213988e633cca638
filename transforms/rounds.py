"""One annual round (年度), pinned in `data/rounds/<year>.toml`.

Three dates, three names: `policy_date` selects the edition and every value, `reference_date`
(31 December of the year before) is the day facts count up to, `permit_date` is the day the
residence permit must be valid on.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from transforms.policy import PolicyError, read_toml, require_bounded, require_keys

REQUIRED = {"year", "policy_date", "reference_date", "quota", "cite"}
YEAR = re.compile("[0-9]{4}")
OPTIONAL = {"insured_in", "permit_date", "received_on", "phases", "published"}


@dataclass(frozen=True)
class Round:
    """What pins a round; every date is a plain calendar day, `insured_in` the first of a month."""

    year: int
    policy_date: date
    reference_date: date
    quota: int
    cite: str
    permit_date: date
    insured_in: date | None = None
    received_on: date | None = None
    phases: list[dict[str, Any]] = field(default_factory=list)
    published: dict[str, Any] = field(default_factory=dict)

    def first_day(self, years_back: int) -> date:
        """1 January of the application year less `years_back`: the start of a window of years."""
        return date(self.year - years_back, 1, 1)


def rounds(folder: Path) -> list[int]:
    """The years that have a round file."""
    return sorted(int(path.stem) for path in folder.glob("*.toml") if YEAR.fullmatch(path.stem))


def load_round(folder: Path, year: int) -> Round:
    """The round of a year; raises PolicyError that lists the rounds there are."""
    path = folder / f"{year}.toml"
    if not path.is_file():
        known = ", ".join(map(str, rounds(folder))) or "none"
        raise PolicyError(f"there is no round {year}; rounds: {known}")
    text = read_toml(path)
    require_keys(f"rounds/{path.name}", set(text), REQUIRED | OPTIONAL, optional=OPTIONAL)
    made = Round(**{"permit_date": text["reference_date"], **text})
    check(f"rounds/{path.name}", made, int(path.stem))
    return made


def check(where: str, made: Round, year: int) -> None:
    """Raise PolicyError when a value of a round is of the wrong type or does not fit its year."""
    types = {
        "year": int,
        "quota": int,
        "cite": str,
        **dict.fromkeys(("policy_date", "reference_date", "permit_date"), date),
        **{name: date for name in ("insured_in", "received_on") if getattr(made, name) is not None},
    }
    for name, wanted in types.items():
        found = getattr(made, name)
        if type(found) is not wanted:  # a bool is an int and a time is a date, but not here
            raise PolicyError(f"{where}: {name} is {found!r}, expected a {wanted.__name__}")
        require_bounded(f"{where}: {name}", found, fen=False)
    expected = {
        "year": year,
        "reference_date": date(year - 1, 12, 31),
        "quota": max(made.quota, 0),
        "insured_in": made.insured_in and made.insured_in.replace(day=1),
    }
    for name, value in expected.items():
        if getattr(made, name) != value:
            raise PolicyError(f"{where}: {name} is {getattr(made, name)}, expected {value}")
