"""The round somebody is scored in: one that has a file, or one of the years to come.

A year after the last file is assumed to go by the edition in force then as far as it is known today,
with the dates of that year.  Files are read once for a process.
"""

from calendar import monthrange
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path

from flows.common.settings import DATA
from transforms.editions import edition
from transforms.phases import Phases
from transforms.policy import Edition, PolicyError
from transforms.rounds import Round, load_round, rounds

YEARS_TO_COME = 40


@lru_cache(maxsize=256)
def round_of(year: int, data: Path = DATA) -> Round:
    """The round of a year, assumed where it has no file; raises PolicyError that says which there are."""
    first, last = known(data)
    if first <= year <= last:
        return load_round(data / "rounds", year)
    if not last < year <= last + YEARS_TO_COME:
        raise PolicyError(f"expected a round from {first} to {last + YEARS_TO_COME}, found {year}")
    latest = load_round(data / "rounds", last)
    reference = date(year - 1, 12, 31)
    return replace(
        latest,
        year=year,
        policy_date=same_day(latest.policy_date, year),
        reference_date=reference,
        permit_date=reference,
        insured_in=None,
        received_on=None,
        phases=Phases(),
        published={},
    )


def same_day(day: date, year: int) -> date:
    """A day of another year; one that it does not have becomes the last of its month."""
    return date(year, day.month, min(day.day, monthrange(year, day.month)[1]))


def is_assumed(year: int, data: Path = DATA) -> bool:
    """Whether a round has no file yet."""
    return year > known(data)[1]


@lru_cache(maxsize=64)
def edition_of(on: date, data: Path = DATA) -> Edition:
    """The edition in force on a day."""
    return edition(data / "policy", on)


@lru_cache(maxsize=8)
def known(data: Path = DATA) -> tuple[int, int]:
    """The first and the last round that have a file."""
    years = rounds(data / "rounds")
    if not years:
        raise PolicyError(f"{data / 'rounds'}: expected round files, found none")
    return years[0], years[-1]


@lru_cache(maxsize=8)
def official_lines(data: Path = DATA) -> dict[int, int]:
    """Year -> the official line in centipoints, of every round file that has one."""
    found = {year: load_round(data / "rounds", year) for year in rounds(data / "rounds")}
    cutoffs = {year: each.published.get("cutoff_centipoints") for year, each in found.items()}
    return {year: cutoff for year, cutoff in cutoffs.items() if cutoff is not None}
