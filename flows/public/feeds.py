"""Facts of some people as the accepted feeds of a round: each a person, each with employers of their own.

Nobody's rows can reach another's points: every employer is numbered anew for every person.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from flows.public.facts import Facts
from flows.public.written_rows import Row
from schemas.feeds import FEEDS, accepted

NAMING_EMPLOYERS = ("employers", "applications", "shareholdings")  # as in the run
OWN, UNNAMED = "subject_id", ""


def feeds_of(people: Sequence[Facts]) -> dict[str, pl.DataFrame]:
    """The accepted feeds; `person` is the place in the list, `application_no` the same as text."""
    columns: dict[str, dict[str, list[Any]]] = {
        feed: {name: [] for name in accepted(feed)} for feed in FEEDS
    }
    employers = 0
    for person, facts in enumerate(people):
        codes = sorted({code(row) for feed in NAMING_EMPLOYERS for row in facts.rows[feed]})
        numbers = {each: employers + place for place, each in enumerate(codes)}
        employers += len(codes)
        for feed, rows in facts.rows.items():
            about = [numbered(feed, row, person, numbers) for row in rows]
            for name, values in columns[feed].items():
                values += [row.get(name) for row in about if row]
    frames = {feed: pl.DataFrame(found, schema=accepted(feed)) for feed, found in columns.items()}
    return {
        feed: rows if feed == "social_insurance" else rows.sort(rows.columns)
        for feed, rows in frames.items()
    }


def numbered(feed: str, row: Row, person: int, employers: dict[str, int]) -> Row | None:
    """A row with the numbers of whom it is about; nothing for a finding about somebody else."""
    if feed == "sanctions":
        subject = row[OWN]
        firm = employers.get(subject) if subject else None
        if subject and firm is None:
            return None
        return {**row, "person": None if subject else person, "employer": firm}
    districts = {name: int(row[name]) for name in ("district", "work_district") if row.get(name)}
    found = {**row, **districts, "person": person, "employer": employers.get(code(row))}
    if feed == "applications":
        found["application_no"] = number(person)
    if feed == "employers":
        found["employer_id"] = code(row)
    return found


def code(row: Row) -> str:
    """The code of the employer a row names; the one nobody named has none."""
    return row.get("employer_id") or UNNAMED


def number(person: int) -> str:
    """A number as applications have, ascending with the person."""
    return f"{person:08}"
