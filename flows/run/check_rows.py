"""Split the rows of a feed into good and bad (data contract 1, bad input).

Every check of the feed's pandera model runs on collected rows; a failed check is one line of
`rejects` with a masked value, and the rest of the feed counts.
"""

from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from flows.common.failures import ValidatorBroken
from flows.run.delivered import PARSE_FAILURES, failures_of
from schemas.columns import LIMITS
from schemas.feeds import END_DATES, FEEDS

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


def schema_of(feed: str, received_on: date | None) -> pa.DataFrameSchema:
    """The feed's schema; where the round has a day of receipt, no event may lie after it."""
    schema = FEEDS[feed].schema()
    if received_on is None:
        return schema
    schema = deepcopy(schema)  # pandera keeps one for the process: another round must not get this
    for name, column in schema.columns.items():
        dtype = column.dtype.type
        if name not in END_DATES and (dtype == pl.Date or isinstance(dtype, pl.Datetime)):
            column.checks.append(
                pa.Check(
                    lambda data: data.lazyframe.select(
                        pl.col(data.key).cast(pl.Date) <= received_on
                    ),
                    name="not_after_received_on",
                )
            )
    return schema


def failed_checks(
    rows: pl.DataFrame, without_value: pl.DataFrame, schema: pa.DataFrameSchema
) -> pl.DataFrame:
    """All failed checks; a cell that lost its value in reading is not reported as null as well."""
    failed = failures(rows, schema)
    if without_value.is_empty():
        return failed
    echo = without_value.select("index", "column_name", check_name=pl.lit("not_null"))
    once = failed.join(echo, on=["index", "column_name", "check_name"], how="anti")
    return pl.concat([without_value, once])


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
    """Which values lie outside; nothing where none does, which the two extremes alone show."""
    if values.len() == values.null_count():
        return None
    extremes = pl.DataFrame({"": values}).select(
        inside=(pl.col("").min() >= smallest) & (pl.col("").max() <= largest)
    )
    if extremes.item():
        return None
    return ~values.is_between(smallest, largest)
