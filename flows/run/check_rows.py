"""Split the rows of a feed into good and bad (data contract 1, bad input).

Every check of the feed's pandera model runs on collected rows; a failed check is one line of
`rejects` with a masked value, and the rest of the feed counts.  Then equal rows of a keyed feed
collapse to one, and rows that share a key and differ are all quarantined: nobody guesses.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from flows.common.failures import ValidatorBroken
from flows.common.shapes import SHAPE_CHARACTERS, SHAPES
from flows.run.delivered import PARSE_FAILURES, failures_of
from schemas.columns import LIMITS

OF_PERSON_AND_MONTH = ("person_id", "month")

# pandera's names for its own checks, in the words of what was expected
EXPECTED = {
    "not_nullable": "not_null",
    "isin": "known_value",
    "str_length": "not_empty",
    "greater_than": "positive",
}


# the days of the years 0 to 9999
CALENDAR = (date.min - date(1970, 1, 1)).days - 366, (date.max - date(1970, 1, 1)).days

# a type -> which of its values are beyond the limits of data/codes.toml
BEYOND: dict[type[pl.DataType], Callable[[pl.Series], pl.Series | None]] = {
    pl.Date: lambda values: beyond(values, LIMITS["earliest_date"], LIMITS["latest_date"]),
    pl.Datetime: lambda values: beyond(
        values.dt.date(), LIMITS["earliest_date"], LIMITS["latest_date"]
    ),
    pl.Int64: lambda values: beyond(values, -LIMITS["largest_number"], LIMITS["largest_number"]),
}


@dataclass(frozen=True)
class Repeats:
    """Positions of rows that do not count, how many only repeat another, and those that contradict."""

    gone: pl.Series
    dropped: int
    conflicting: pl.DataFrame


def failures(rows: pl.DataFrame, schema: pa.DataFrameSchema) -> pl.DataFrame:
    """Every failed check: row position, column, check, value (as text, not yet masked).

    Raises ValidatorBroken when given anything but collected rows (pandera looks at names and types
    only of a LazyFrame) and when a check itself fails to run.
    """
    if not isinstance(rows, pl.DataFrame):
        raise ValidatorBroken(
            f"rows must be collected before validation, found {type(rows).__name__}"
        )
    try:
        schema.validate(rows, lazy=True)
    except SchemaErrors as errors:
        cases: pl.DataFrame = errors.failure_cases
        if cases["index"].null_count():
            # never quote the failure: it may hold somebody's ID or name
            broken = cases.filter(pl.col("index").is_null()).select("column", "check").rows()
            raise ValidatorBroken(f"checks that could not run: {broken}") from None
        return cases.select(
            pl.col("index").cast(pl.Int64),
            column_name="column",
            check_name=pl.col("check").str.extract(r"^([a-z_]+)").replace(EXPECTED),
            value=pl.col("failure_case").cast(pl.String),
        )
    return pl.DataFrame(schema=PARSE_FAILURES)


def within_limits(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with null for a date or a number beyond the limits, and those cells as failed checks.

    No check after this meets a date that no calendar has, or an amount whose sum would overflow.
    """
    beyond = {
        name: outside
        for name, dtype in rows.schema.items()
        if type(dtype) in BEYOND and (outside := BEYOND[type(dtype)](rows[name])) is not None
    }
    if not beyond:
        return rows, pl.DataFrame(schema=PARSE_FAILURES)
    failed = [
        pl.DataFrame({"value": as_text(rows[name]), "beyond": outside})
        .with_row_index("index")
        .filter("beyond")
        .select(failures_of(name, "within_limits", pl.col("index"), pl.col("value")))
        for name, outside in beyond.items()
    ]
    return rows.with_columns(
        pl.select(pl.when(~outside).then(rows[name])).to_series().alias(name)
        for name, outside in beyond.items()
    ), pl.concat(failed)


def as_text(values: pl.Series) -> pl.Series:
    """Values as CSV has them; a date of no year 0 to 9999, which polars panics on, as its number."""
    number = pl.col("").to_physical().cast(pl.String)
    text = number
    if values.dtype.is_temporal():
        in_calendar = pl.col("").cast(pl.Date).to_physical().is_between(*CALENDAR)
        text = pl.when(in_calendar).then("").cast(pl.String).fill_null(number)
    return pl.DataFrame({"": values}).select(text).to_series()


def beyond(values: pl.Series, smallest: Any, largest: Any) -> pl.Series | None:
    """Which values lie outside; nothing where none does, which is told by the two extremes alone."""
    if values.len() == values.null_count():
        return None
    extremes = pl.DataFrame({"": values}).select(
        inside=(pl.col("").min() >= smallest) & (pl.col("").max() <= largest)
    )
    if extremes.item():
        return None
    return ~values.is_between(smallest, largest)


def repeats(rows: pl.DataFrame, keys: tuple[tuple[str, ...], ...]) -> Repeats:
    """Equal rows that share a key, of which one counts, and rows that share a key and differ.

    `rows` has a column `row` (position) beside the feed's own; the first of equal rows stays.
    """
    shared = pl.any_horizontal(
        pl.lit(value=False), *(pl.struct(key).is_duplicated() for key in keys)
    )
    sharing = rows.filter(shared).sort("row")
    content = [name for name in rows.columns if name != "row"]
    once = sharing.unique(content, keep="first", maintain_order=True)
    stays = once.filter(~shared)
    return Repeats(
        gone=sharing.join(stays, on="row", how="anti")["row"],
        dropped=sharing.height - once.height,
        conflicting=once.filter(shared),
    )


def together(found: Sequence[Repeats]) -> Repeats:
    """The repeats among rows that share no key with each other."""
    return Repeats(
        gone=pl.concat(each.gone for each in found),
        dropped=sum(each.dropped for each in found),
        conflicting=pl.concat(each.conflicting for each in found),
    )


def without(rows: pl.DataFrame, positions: pl.Series) -> pl.DataFrame:
    """Rows less those at some positions: few against many, so a look-up beats a join."""
    if positions.is_empty():
        return rows
    return rows.filter(~pl.col("row").is_in(positions.cast(pl.UInt32).implode()))


def suspects(parts: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The rows of persons who may have a month twice, some persons at a time; no other row repeats one.

    Departments deliver a person's months together and rising.  Who stands in two parts, or whose
    months do not come in one rising run, is looked at; that leaves few of millions.
    """
    person = OF_PERSON_AND_MONTH[0]
    people = pl.concat(part.select(pl.col(person).unique()) for part in parts)
    in_two = pl.col(person).is_in(people.filter(people.is_duplicated())[person].unique().implode())
    yield pl.concat(part.filter(in_two) for part in parts)
    for part in parts:
        loose = pl.col(person).is_in(loosely_ordered(part)[person].unique().implode())
        yield part.filter(loose & ~in_two)


def loosely_ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """The persons whose months do not come in one rising run."""
    person, month = OF_PERSON_AND_MONTH
    same = pl.col(person) == pl.col(person).shift()
    not_rising = rows.lazy().filter(same & (pl.col(month) <= pl.col(month).shift()))
    runs = rows.select(pl.col(person).rle().struct.field("value"))
    return pl.concat(
        [
            not_rising.select(person).collect(),
            runs.filter(pl.col("value").is_duplicated()).rename({"value": person}),
        ]
    )


def mask(value: pl.Expr) -> pl.Expr:
    """The shape of a value, so that it cannot be read back: `shape` of messages, on a column."""
    masked = value.str.slice(0, SHAPE_CHARACTERS)
    for pattern, letter in SHAPES:
        masked = masked.str.replace_all(pattern, letter)
    return masked
