"""Rows as somebody writes them, made whole: types, what may be left out, months written as a range.

Only an absent key takes a default; null is null.  A range is counted before it is written out, so that
a thousand years cost nothing.
"""

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from flows.public.faults import Fault, key, shown
from schemas.columns import CODES, INSURANCES, LIMITS
from schemas.feeds import FEEDS
from schemas.words import of_check
from transforms.months import number_of

Row: TypeAlias = dict[str, Any]

DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
EXPECTED = {
    pl.Date: "a day as YYYY-MM-DD",
    pl.Int64: "a whole number",
    pl.Boolean: "true or false",
}
WRITTEN_AS = {pl.Int64: int, pl.Boolean: bool}  # the rest is text
OWN = "own"
UNNAMED = None  # the employer that nobody named
OF_PERSON = "person_id"
# an employer is what the row is about: it has to be named there
ABOUT_EMPLOYERS = ("employers", "financings")
RANGE = ("from", "to")
STATUS = "status"


class Column(NamedTuple):
    """A column of a feed: its type and the class of it, whether it may be null, what codes it may hold."""

    dtype: Any
    kind: Any
    nullable: bool
    codes: tuple[Any, ...] | None


@cache
def columns(feed: str) -> dict[str, Column]:
    """The columns of a feed without the person, as its model has them."""
    found = FEEDS[feed].schema().columns
    return {
        name: Column(
            column.dtype.type,
            column.dtype.type.base_type(),
            column.nullable,
            tuple(CODES[column.metadata["codes"]]) if column.metadata else None,
        )
        for name, column in found.items()
        if name != OF_PERSON
    }


class Written(NamedTuple):
    """A row with its place, its values read, and what is wrong with it."""

    path: str
    row: Row
    faults: list[Fault]

    @property
    def rows(self) -> int:
        """How many rows it stands for."""
        first, last = (self.row.get(name) for name in RANGE)
        if isinstance(first, date) and isinstance(last, date):
            return max(number_of(last) - number_of(first) + 1, 1)
        return 1


def written(feed: str, path: str, row: Any) -> Written:
    """A row as it came, its values read."""
    if not isinstance(row, dict):
        return Written(path, {}, [Fault(path, "an object", shown(row))])
    known = known_to(feed)
    faults, values = [], {}
    for name, value in row.items():
        if name not in known:
            expected = f"one of {', '.join(known)}"
            faults.append(Fault(f"{path}.{key(name)}", expected, "a key of no meaning"))
        elif fault := misfit(known[name], value):
            faults.append(Fault(f"{path}.{name}", fault, shown(value)))
        else:
            values[name] = read(known[name], value)
    faults += [
        Fault(f"{path}.{name}", expected_of(known[name]), "nothing")
        for name in lacking(feed, row)
        if name in known
    ]
    faults += together(feed, path, row, values)
    return Written(path, values, faults)


@cache
def known_to(feed: str) -> dict[str, Column]:
    """What may stand in a row of a feed."""
    return {**columns(feed), **(of_insurance() if feed == "social_insurance" else {})}


@cache
def of_insurance() -> dict[str, Column]:
    """What stands for several columns of insurance: a range of months, one status for all five."""
    month, status = (columns("social_insurance")[name] for name in ("month", INSURANCES[0]))
    return {**dict.fromkeys(RANGE, month), STATUS: status}


def misfit(column: Column, value: Any) -> str | None:
    """What was expected of a value that does not fit its column; nothing for one that does."""
    if value is None:
        return None if column.nullable else of_check("not_null")
    if not is_of_kind(column, value):
        return expected_of(column)
    if column.kind == pl.Int64:
        inside = abs(value) <= LIMITS["largest_number"]
    elif column.kind == pl.Date:
        if (day := to_day(value)) is None:
            return expected_of(column)
        inside = LIMITS["earliest_date"] <= day <= LIMITS["latest_date"]
    else:
        return None if not isinstance(value, str) or is_unicode(value) else of_check("utf_8")
    return None if inside else of_check("within_limits")


def is_of_kind(column: Column, value: Any) -> bool:
    """Whether a value is of the type of its column in JSON, and one of its codes."""
    wanted = WRITTEN_AS.get(column.kind, str)  # true is no number
    return type(value) is wanted and (not column.codes or value in column.codes)


def expected_of(column: Column) -> str:
    """What a column holds, in words."""
    if column.codes:
        return f"one of {', '.join(map(str, column.codes))}"
    return EXPECTED.get(column.kind, "text")


def read(column: Column, value: Any) -> Any:
    """A value that fits, days as days."""
    return to_day(value) if column.kind == pl.Date and value is not None else value


def to_day(text: str) -> date | None:
    """A day of the calendar written as YYYY-MM-DD."""
    if not DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def is_unicode(text: str) -> bool:
    """Whether a text has no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def lacking(feed: str, row: Row) -> Iterator[str]:
    """The columns a row had to have: what may be null or has a default may be left out."""
    may = {"verified", "recorded_on", "subject_id"}
    if feed not in ABOUT_EMPLOYERS:
        may.add("employer_id")
    if feed == "social_insurance" and row.keys() & set(RANGE):
        may.add("month")
        yield from (name for name in RANGE if name not in row)
    for name, column in columns(feed).items():
        if name not in row and not column.nullable and name not in may:
            yield name


def together(feed: str, path: str, row: Row, values: Row) -> Iterator[Fault]:
    """What is wrong between the keys of an insurance row that stand for each other."""
    if feed != "social_insurance":
        return
    ranged = [name for name in RANGE if name in row]
    if ranged and "month" in row:
        yield Fault(f"{path}.month", "either month or from and to", "both")
    if STATUS in row and (one := next((name for name in INSURANCES if name in row), None)):
        yield Fault(f"{path}.{one}", "either one status or the five", "both")
    for name in ranged:
        if isinstance(day := values.get(name), date) and day.day > 1:
            yield Fault(f"{path}.{name}", of_check("first_day"), shown(row[name]))
    first, last = (values.get(name) for name in RANGE)
    if first and last and last < first:
        yield Fault(f"{path}.to", "a month not before that of from", shown(row["to"]))


def whole(feed: str, row: Row) -> Iterator[Row]:
    """A row without fault as the rows it stands for, every column there."""
    months: list[date | None] = [None]
    if feed == "social_insurance":
        first, last = (row.get(name, row.get("month")) for name in RANGE)
        assert first
        assert last
        numbers = range(number_of(first), number_of(last) + 1)
        months = (
            [date(each // 12, each % 12 + 1, 1) for each in numbers] if "from" in row else [first]
        )
    for month in months:
        yield {
            name: row[name] if name in row else default(name, row, month) for name in columns(feed)
        }


def default(name: str, row: Row, month: date | None) -> Any:
    """What stands for a column that was left out."""
    if name in INSURANCES:
        return row.get(STATUS)
    if name in ("month", "recorded_on"):
        return month
    if name == "registered_on":
        return None if row["kind"] == OWN else row["start_date"]
    return True if name == "verified" else None
