"""One annual round (年度), pinned in `data/rounds/<year>.toml`.

Three dates, three names: `policy_date` selects the edition and every value, `reference_date`
(31 December of the year before) is the day facts count up to, `permit_date` is the day the
residence permit must be valid on.
"""

import re
from dataclasses import field
from datetime import date
from pathlib import Path

from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from transforms.earlier import are_earlier_phases
from transforms.phases import Phases, spans
from transforms.policy import PolicyError, message_with_place, read_toml, require_keys
from transforms.units import STRICT, Day, Month, People, Places, Text, Total, Year

REQUIRED = {"year", "policy_date", "reference_date", "quota", "cite"}
YEAR = re.compile("[0-9]{4}")
OPTIONAL = {"insured_in", "permit_date", "received_on", "phases", "published"}


class Published(TypedDict, total=False):
    """What is known of the official result."""

    applications: People
    settled: People
    cutoff_centipoints: Total
    tied_at_cutoff: People
    highest_centipoints: Total
    cite: Text


@dataclass(frozen=True, config=STRICT)
class Round:
    """What pins a round; every date is a plain calendar day."""

    year: Year
    policy_date: Day
    reference_date: Day
    quota: Places
    cite: Text
    permit_date: Day
    insured_in: Month | None = None
    received_on: Day | None = None
    phases: Phases = field(default_factory=Phases)
    published: Published = field(default_factory=Published)

    def first_day(self, years_back: int) -> date:
        """1 January of the application year less `years_back`: the start of a window of years."""
        return date(self.year - years_back, 1, 1)


def rounds(folder: Path) -> list[int]:
    """The years that have a round file."""
    return sorted(int(path.stem) for path in folder.glob("*.toml") if YEAR.fullmatch(path.stem))


def load_round(folder: Path, year: int) -> Round:
    """The round of a year; raises PolicyError that lists the rounds there are."""
    path = folder / f"{year}.toml"
    if not folder.is_dir():
        raise PolicyError(f"{folder}: expected a folder of round files, found none")
    if not path.is_file():
        known = ", ".join(map(str, rounds(folder))) or "none"
        raise PolicyError(f"there is no round {year}; rounds: {known}")
    text = read_toml(path)
    require_keys(f"rounds/{path.name}", set(text), REQUIRED | OPTIONAL, optional=OPTIONAL)
    if are_earlier_phases(text.get("phases")):
        del text["phases"]  # of an earlier run, under names that no operation knows
    with message_with_place(f"rounds/{path.name}"):
        this_round = Round(**{"permit_date": text["reference_date"], **text})
    expected = {"year": int(path.stem), "reference_date": date(this_round.year - 1, 12, 31)}
    for name, value in expected.items():
        if (found := getattr(this_round, name)) != value:
            raise PolicyError(f"rounds/{path.name}: {name}: expected {value}, found {found}")
    spans(f"rounds/{path.name}", this_round.phases)  # raises where they overlap
    return this_round
