"""Rows held against the checks of their feed's model, the very ones a delivery is held against.

The run gives pandera whole columns of categories; here every check of the model is asked on its own,
on texts, so that nothing somebody sends stays in the categories of a process that goes on for months.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import lru_cache, partial
from typing import Any, NamedTuple

import polars as pl
from pandera.api.checks import Check
from pandera.api.polars.types import PolarsData
from pandera.backends.polars.register import register_polars_backends

from flows.public.faults import Fault, shown
from flows.public.written_rows import OF_PERSON, Row, columns
from flows.run.check_rows import EXPECTED, schema_of
from schemas.feeds import FEEDS
from schemas.identifiers import id_check_character
from schemas.words import of_check

SEVENTEEN = "110101{:%Y%m%d}001"


class Asked(NamedTuple):
    """A check of a column: what it expects, and what answers it."""

    column: str
    expects: str
    answer: Callable[[PolarsData], pl.LazyFrame | bool]


@lru_cache(maxsize=256)
def asked_of(feed: str, received_on: date | None) -> list[Asked]:
    """Every check of a feed's model but those of the person's number, which nobody gives here, and
    of codes, which `written_rows.py` has held against the model's own list."""
    register_polars_backends()
    found = []
    for name, column in schema_of(feed, received_on).columns.items():
        known = name == OF_PERSON or column.metadata  # codes were asked of the model already
        for check in [] if known else column.checks:
            # pandera's own checks: a schema keeps copies from before it knew what polars is
            asks = Check.CHECK_FUNCTION_REGISTRY.get(check.name, check._check_fn)  # noqa: SLF001
            asked = partial(asks, **check._check_kwargs)  # noqa: SLF001
            found.append(Asked(name, EXPECTED.get(check.name, check.name), asked))
    return found


def failed(
    feed: str, rows: Sequence[Row], places: Sequence[str], received_on: date | None
) -> Iterator[Fault]:
    """The checks that rows without fault so far do not pass; `places` are their paths."""
    given = {name for name in columns(feed) if any(row.get(name) is not None for row in rows)}
    checks = [each for each in asked_of(feed, received_on) if each.column in given]
    if not checks:
        return
    frame = pl.DataFrame(
        {name: [row.get(name) for row in rows] for name in columns(feed)},
        schema={name: kept(column.dtype) for name, column in columns(feed).items()},
    )
    if "birth_date" in given:
        frame = frame.with_columns(of_birth([row["birth_date"] for row in rows]))
    asked = frame.lazy()
    answers = [(each, each.answer(PolarsData(asked, each.column))) for each in checks]
    assert all(lazy is not False for _, lazy in answers)  # true: all rows pass
    left = [(each, lazy) for each, lazy in answers if isinstance(lazy, pl.LazyFrame)]
    frames = pl.collect_all([lazy for _, lazy in left], engine="in-memory")
    said = set()
    for (each, _), answer in zip(left, frames, strict=True):
        holds = answer.to_series()
        if holds.all():  # or is null, which passes
            continue
        for row, path, one in zip(rows, places, holds, strict=True):
            if one is False and row[each.column] is not None:  # left out, and that means something
                fault = fault_of(each, row, path)
                if fault not in said:  # one row may stand for many months
                    said.add(fault)
                    yield fault


def fault_of(check: Asked, row: Row, path: str) -> Fault:
    """A failed check of a row, in the words of the run."""
    value = row[check.column]
    came = shown(value.isoformat() if isinstance(value, date) else value)
    return Fault(f"{path}.{check.column}", of_check(check.expects), came)


def kept(dtype: Any) -> Any:
    """The type a column is looked at in: codes as the texts they are."""
    return pl.String() if dtype == pl.Categorical else dtype


def of_birth(days: Sequence[date]) -> pl.Series:
    """Invented ID numbers that fit some birth dates: the model compares the two."""
    numbers = pl.DataFrame({OF_PERSON: [SEVENTEEN.format(day) for day in days]})
    first_17 = pl.col(OF_PERSON)
    return numbers.select(first_17 + id_check_character(first_17)).to_series()


def repeated(feed: str, rows: Sequence[Row], places: Sequence[str]) -> Iterator[Fault]:
    """Rows that share a key: of insurance no month may come twice, of other feeds equal rows are one."""
    for key in FEEDS[feed].keys:
        names = [name for name in key if name != OF_PERSON]
        first: dict[tuple[Any, ...], int] = {}
        said = set()
        for place, row in enumerate(rows):
            value = tuple(row[name] for name in names)
            before = first.setdefault(value, place)
            if before == place or (feed != "social_insurance" and row == rows[before]):
                continue
            pair = (places[place], places[before])
            if pair not in said:
                said.add(pair)
                yield clash(feed, names, row, *pair)


def clash(feed: str, names: Sequence[str], row: Row, path: str, before: str) -> Fault:
    """Two rows about the same month, year or employer."""
    came = ", ".join(
        shown(v.isoformat() if isinstance(v, date) else v) for v in map(row.get, names)
    )
    what = "month" if feed == "social_insurance" else names[0]
    return Fault(f"{path}.{what}", f"another {what} than {before} has", f"{came} again")
