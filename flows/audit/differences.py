"""Two versions of a published table, compared row by row: what was written then, what comes out now.

Nothing said about a difference may reveal who somebody is: names and the like are shown as shapes.
"""

import json
import re
from typing import NamedTuple

import polars as pl

from flows.common.shapes import mask

# what distinguishes the rows of a round's table
KEYS = {
    "rounds": ["round"],
    "scores": ["application_no"],
    "eligibility": ["application_no"],
    "ranking": ["application_no"],
    "evidence": ["application_no", "indicator"],
    "condition_evidence": ["application_no", "condition"],
    "feeds": ["feed"],
    "segments": ["place"],
    "clauses": ["kind", "name"],
    "public_list": ["serial"],
}
ABOUT_NOBODY = {"rounds", "feeds", "segments", "clauses"}
ABOUT_A_PERSON = {"name", "birth_month", "employer"}
OF_FIELDS = ("evidence", "cites")  # columns of JSON
SHOWN = 20  # so many differences of a table are kept, the others are counted
WIDTH = 120
ALL_ROWS, WHOLE_ROW, ABSENT = "(all rows)", "(row)", "absent"
IDENTITY = re.compile("[0-9]{17}[0-9Xx]")
THEN, NOW = "_then", "_now"


class Difference(NamedTuple):
    """One value that differs; `key` is the application number, or what else names the row."""

    table: str
    key: str
    column: str
    then: str
    now: str


class Compared(NamedTuple):
    """The first differences of a table, and how many there are on how many rows.

    apart: columns, and fields of JSON columns, that only one side has and that were left out.
    """

    first: list[Difference]
    differences: int
    rows: int
    apart: tuple[str, ...] = ()


def compare(table: str, then: pl.DataFrame, now: pl.DataFrame, *, grown: bool = False) -> Compared:
    """Every value that differs, ascending by key, columns in the order of the table.

    Where code has `grown`, a column or a field of JSON that only one side has is left out.
    """
    apart = [*{*then.columns} ^ {*now.columns}] if grown else []
    found = [
        Difference(table, ALL_ROWS, safe(name), kind(then, name), kind(now, name))
        for name in dict.fromkeys([*now.columns, *then.columns])
        if then.schema.get(name) != now.schema.get(name) and name not in apart
    ]
    keys = KEYS[table]
    if not set(keys) <= set(then.columns) & set(now.columns):
        return Compared(found, len(found), max(then.height, now.height))
    columns = [name for name in now.columns if name in then.columns]
    other = [name for name in columns if then.schema[name] != now.schema[name]]
    as_text = [pl.col(name).cast(pl.String, strict=False) for name in other]
    both = paired(then.select(columns).with_columns(as_text), now.with_columns(as_text), keys)
    values = [name for name in columns if name not in keys]
    there = pl.col(THEN) & pl.col(NOW)
    unequal = {
        WHOLE_ROW: ~there,
        **{name: there & pl.col(name).ne_missing(pl.col(f"{name}{NOW}")) for name in values},
    }
    flags = both.select(each.alias(name) for name, each in unequal.items())
    for name in [name for name in OF_FIELDS if grown and name in flags.columns]:
        still, fields = other_fields(both.filter(flags[name]), name)
        flags = flags.with_columns(flags[name].scatter(flags[name].arg_true(), still))
        apart += fields
    differing = both.filter(flags.select(pl.any_horizontal(pl.all())).to_series())
    count = sum(int(flags[name].sum()) for name in unequal)
    for row in differing.sort(keys).head(SHOWN).iter_rows(named=True):
        found += of_row(table, row, values)
    named = tuple(safe(name) for name in sorted(apart))
    return Compared(found[:SHOWN], count + len(found) * (not count), differing.height, named)


def other_fields(rows: pl.DataFrame, column: str) -> tuple[list[bool], set[str]]:
    """Whether two JSON objects differ in what both have, row by row; and what only one side has."""
    differs, apart = [], set()
    for then, now in rows.select(column, f"{column}{NOW}").iter_rows():
        try:
            one, other = json.loads(then), json.loads(now)
            differs.append(any(one[name] != other[name] for name in one.keys() & other.keys()))
            apart |= one.keys() ^ other.keys()
        except (TypeError, ValueError, AttributeError, RecursionError):
            differs.append(True)
    return differs, apart


def paired(then: pl.DataFrame, now: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Rows of the same key side by side; the n-th of a repeated key beside the n-th."""
    nth = keys
    if any(each.select(keys).is_duplicated().any() for each in (then, now)):
        nth = [*keys, "_nth"]
        then, now = (
            each.with_columns(_nth=pl.int_range(pl.len()).over(keys)) for each in (then, now)
        )
    flag = pl.lit(value=True)
    return then.with_columns(flag.alias(THEN)).join(
        now.with_columns(flag.alias(NOW)),
        on=nth,
        how="full",
        coalesce=True,
        suffix=NOW,
        nulls_equal=True,
        validate="1:1",
    ).with_columns(pl.col(THEN, NOW).fill_null(value=False))  # fmt: skip


def of_row(table: str, row: dict[str, object], values: list[str]) -> list[Difference]:
    """The differences of one row."""
    key = " ".join(shown(table, name, row[name]) for name in KEYS[table])
    if not (row[THEN] and row[NOW]):
        there = ["there" if row[side] else ABSENT for side in (THEN, NOW)]
        return [Difference(table, key, WHOLE_ROW, *there)]
    return [
        Difference(table, key, name, *pair(table, name, row[name], row[f"{name}{NOW}"]))
        for name in values
        if row[name] != row[f"{name}{NOW}"]
    ]


def pair(table: str, column: str, then: object, now: object) -> tuple[str, str]:
    """Both values as text; of two JSON objects the parts that differ."""
    try:
        one, other = json.loads(str(then)), json.loads(str(now))
    except (ValueError, RecursionError):
        one = other = None
    if isinstance(one, dict) and isinstance(other, dict):
        names = [name for name in {**one, **other} if one.get(name, ...) != other.get(name, ...)]
        then, now = (
            json.dumps({name: each[name] for name in names if name in each}, ensure_ascii=False)
            for each in (one, other)
        )
    return shown(table, column, then), shown(table, column, now)


def shown(table: str, column: str, value: object) -> str:
    """A value as text, or its shape where it could reveal who somebody is."""
    text = "null" if value is None else str(value)
    if table in ABOUT_NOBODY:
        return text[:WIDTH]
    if value is not None and column in ABOUT_A_PERSON:
        return shape(text)
    return safe(text)


def safe(text: str) -> str:
    """A text of a table about people; its shape when an ID number or a name may stand in it."""
    return text[:WIDTH] if text.isascii() and not IDENTITY.search(text) else shape(text)


def shape(text: str) -> str:
    """The shape of a text, marked as such."""
    return f"{pl.select(mask(pl.lit(text))).item()} (masked)"


def kind(rows: pl.DataFrame, name: str) -> str:
    """The type of a column, or that there is none."""
    return f"{rows.schema[name]}" if name in rows.columns else ABSENT
