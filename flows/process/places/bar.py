"""What a finding bars: the rounds of its year and of some years after it (data/policy/not_barred.toml)."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

from flows.common.settings import Order
from flows.ledger.entries import Entry
from flows.ledger.operations import SANCTION
from flows.ledger.state import State

NOT_BARRED, YEARS = "not_barred", "years_after"


class Bar(NamedTuple):
    """A finding, and the first and the last round it bars."""

    found_on: date
    first: int
    last: int


def years_after(warehouse: Path, data: Path, year: int) -> int:
    """How many years after that of a finding are barred, by the edition of its round."""
    return int(Order(year, Path(), warehouse, data).edition().conditions[NOT_BARRED].values[YEARS])


def bar(finding: Entry, years: int) -> Bar:
    """What a finding bars."""
    found_on = date.fromisoformat(finding.body["found_on"])
    return Bar(found_on, found_on.year, found_on.year + years)


def bars(state: State, warehouse: Path, data: Path, year: int) -> Mapping[str, Bar]:
    """Application number -> the finding of a round that bars its applicant longest."""
    found = [each for each in state.standing(SANCTION, year) if each.body["application_no"]]
    if not found:
        return {}
    years = years_after(warehouse, data, year)
    barred = sorted((bar(each, years), each.body["application_no"]) for each in found)
    return {number: each for each, number in barred}
