"""One feed from its files to good rows and rejects: read, check every row, drop repeats, count.

More than `max_rejects` of a feed quarantined refuses the feed: that is a broken delivery, not a few
bad rows.  Row numbers count data rows from 1 in each file; values in rejects are masked.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import pandera.polars as pa
import polars as pl

from flows.common.failures import FeedRefused
from flows.run.check_rows import (
    OF_PERSON_AND_MONTH,
    Repeats,
    failures,
    mask,
    repeats,
    suspects,
    together,
    within_limits,
    without,
)
from flows.run.delivered import Delivered
from flows.run.delivery import Part
from flows.run.file_columns import describe, types_of
from flows.run.read_files import read
from flows.run.refusal import refusal
from schemas.feeds import END_DATES, FEEDS, accepted
from schemas.words import of_check

# who a quarantined row is about: kept beside a reject until it is resolved, never written
IDENTITIES = ("person_id", "employer_id", "subject_id", "application_no")
BATCH_ROWS = 1_000_000
WORKERS = 2
SHOWN_CHECKS = 3


@dataclass(frozen=True)
class Batch:
    """Files or pieces of a feed, checked together; `index` in parse_failures counts its rows."""

    rows: pl.DataFrame
    parse_failures: pl.DataFrame
    file_rows: dict[str, int]

    @classmethod
    def of(cls, parts: list[Delivered]) -> "Batch":
        """Several files as one batch."""
        parse_failures, start = [], 0
        file_rows: dict[str, int] = {}
        for part in parts:
            parse_failures.append(part.parse_failures.with_columns(pl.col("index") + start))
            start += part.rows.height
            file_rows[part.part] = file_rows.get(part.part, 0) + part.rows.height
        return cls(pl.concat(part.rows for part in parts), pl.concat(parse_failures), file_rows)


@dataclass(frozen=True)
class Checked:
    """A batch's good rows and rejects, both with positions in the feed."""

    good: pl.DataFrame
    rejects: pl.DataFrame


@dataclass(frozen=True)
class Screened:
    """A feed's good rows in parts, which of them do not count, its rejects and its counts."""

    feed: str
    parts: list[pl.DataFrame]
    repeated: pl.Series
    rejects: pl.DataFrame
    file_rows: dict[str, int]
    quarantined: int
    duplicates: int

    @property
    def rows(self) -> pl.DataFrame:
        """The rows that count as one frame."""
        return without(pl.concat(self.parts), self.repeated)


def screen(
    feed: str, parts: list[Part], received_on: date | None, max_rejects: Fraction
) -> Screened:
    """Read and check the files of one feed; raises FeedRefused when it cannot be used."""
    schema = schema_of(feed, received_on)
    file_rows: dict[str, int] = {}
    checked: deque[Future[Checked]] = deque()
    done: list[Checked] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for batch in batches(parts, schema):
            if len(checked) > WORKERS:  # a few batches in memory, not all
                done.append(checked.popleft().result())
            start = sum(file_rows.values())
            checked.append(pool.submit(check, feed, batch, schema, start))
            for file, rows in batch.file_rows.items():
                file_rows[file] = file_rows.get(file, 0) + rows
        done += [each.result() for each in checked]
    good = [each.good for each in done]
    found = repeated(feed, good)
    rejects = [*(each.rejects for each in done), contradictions(feed, found.conflicting)]
    told = located(feed, pl.concat(rejects), file_rows)
    quarantined, rows = told.select("file", "row_number").n_unique(), sum(file_rows.values())
    if quarantined > max_rejects * rows:
        raise FeedRefused(too_many(feed, told, quarantined, rows, max_rejects))
    return Screened(
        feed=feed,
        parts=good,
        repeated=found.gone,
        rejects=told,
        file_rows=file_rows,
        quarantined=quarantined,
        duplicates=found.dropped,
    )


def check(feed: str, batch: Batch, schema: pa.DataFrameSchema, start: int) -> Checked:
    """One batch split into good rows, as they are accepted, and rejects."""
    rows, beyond = within_limits(batch.rows)
    without_value = pl.concat([batch.parse_failures, beyond])
    bad = failed_checks(rows, without_value, schema)
    return Checked(
        good=coded(feed, good_rows(rows, bad, start)),
        rejects=described(rows, bad, start),
    )


def batches(parts: list[Part], schema: pa.DataFrameSchema) -> Iterator[Batch]:
    """A feed in order, small files together: a check costs time even on few rows."""
    waiting: list[Delivered] = []
    for part in parts:
        for piece in read(part, schema):
            waiting.append(piece)
            if sum(each.rows.height for each in waiting) >= BATCH_ROWS:
                yield Batch.of(waiting)
                waiting = []
    if waiting:
        yield Batch.of(waiting)


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


def good_rows(rows: pl.DataFrame, bad: pl.DataFrame, start: int) -> pl.DataFrame:
    """Rows without a failed check, with their position in the whole feed."""
    numbered = rows.with_row_index("row", offset=start)
    return without(numbered, bad["index"].unique() + start)


def coded(feed: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The columns as they are accepted: a code as an enum, a district as its number."""
    return rows.with_columns(
        as_enum(rows[name], kind.categories.to_list()) if kind == pl.Enum else as_number(rows[name])
        for name, kind in accepted(feed).items()
        if rows.schema.get(name) == pl.Categorical and kind in (pl.Enum, pl.Int32)
    )


def as_enum(column: pl.Series, codes: list[str]) -> pl.Series:
    """A categorical of known codes as an enum, by comparing numbers: a cast compares texts."""
    numbers = pl.Series(codes).cast(column.dtype).to_physical()
    place = pl.coalesce(
        pl.when(pl.col("code") == number).then(pl.lit(place, pl.UInt8))
        for place, number in enumerate(numbers)
    )
    found = pl.DataFrame({"code": column.to_physical()}).select(place).to_series()
    return found.cat.to(pl.Enum(codes)).alias(column.name)


def as_number(column: pl.Series) -> pl.Series:
    """A categorical of digits as whole numbers, each distinct text read once."""
    keys = pl.DataFrame({"text": column.unique().drop_nulls()})
    keys = keys.with_columns(number=pl.col("text").cast(pl.String).cast(pl.UInt32))
    return recode(column, keys, by="text", to="number").cast(pl.Int32).alias(column.name)


def repeated(feed: str, parts: list[pl.DataFrame]) -> Repeats:
    """The repeats among all parts; the largest feed is never copied to look for them."""
    keys = FEEDS[feed].keys
    by_person = keys == (OF_PERSON_AND_MONTH,)
    apart = suspects(parts) if by_person else [pl.concat(parts)]
    return together([repeats(rows, keys) for rows in apart])


def recode(column: pl.Series, keys: pl.DataFrame, *, by: str, to: str) -> pl.Series:
    """A categorical column as whole numbers: its value in `by` of the keys gives `to`, or null."""
    code = keys.select(code=pl.col(by).to_physical(), key=pl.col(to).cast(pl.UInt32))
    codes = column.to_physical()
    largest = pl.concat([codes, code["code"]]).max()
    assert isinstance(largest, int | None)
    size = (largest or 0) + 1
    table = (
        pl.select(code=pl.int_range(size, dtype=pl.UInt32))
        .join(code, on="code", how="left", maintain_order="left", validate="1:1")
        .get_column("key")
    )
    return table.gather(codes).alias(to)


def described(rows: pl.DataFrame, bad: pl.DataFrame, start: int) -> pl.DataFrame:
    """Failed checks with their position in the feed, a masked value, and whom the row is about."""
    about = rows[bad["index"]]
    return bad.select(
        position=pl.col("index") + start,
        column_name="column_name",
        check_name="check_name",
        masked_value=mask(pl.col("value")),
    ).with_columns(identity(about, name) for name in IDENTITIES)


def identity(rows: pl.DataFrame, name: str) -> pl.Series:
    """An identity column as text; nulls where the feed has no such column."""
    if name in rows.columns:
        return rows[name].cast(pl.String)
    return pl.Series(name, [None] * rows.height, dtype=pl.String)


def contradictions(feed: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that share a key and differ, as failed checks."""
    key = ", ".join(dict.fromkeys(name for each in FEEDS[feed].keys for name in each))
    return rows.select(
        position=pl.col("row").cast(pl.Int64),
        column_name=pl.lit(key),
        check_name=pl.lit("conflicting_duplicate"),
        masked_value=pl.lit(None, pl.String),  # no single value is wrong
    ).with_columns(identity(rows, name) for name in IDENTITIES)


def located(feed: str, rejects: pl.DataFrame, file_rows: dict[str, int]) -> pl.DataFrame:
    """Rejects by file and by row in it, instead of by position in the feed."""
    files = pl.DataFrame(
        {"file": list(file_rows), "rows": list(file_rows.values())},
        schema={"file": pl.String, "rows": pl.Int64},
    )
    starts = files.with_columns(start=pl.col("rows").cum_sum() - pl.col("rows")).filter(
        pl.col("rows") > 0
    )
    return (
        rejects.sort("position", maintain_order=True)
        .join_asof(starts, left_on="position", right_on="start", strategy="backward")
        .select(
            feed=pl.lit(feed),
            file="file",
            row_number=pl.col("position") - pl.col("start") + 1,
            column_name="column_name",
            check_name="check_name",
            masked_value="masked_value",
            **{name: name for name in IDENTITIES},
        )
    )


def too_many(
    feed: str, rejects: pl.DataFrame, quarantined: int, rows: int, max_rejects: Fraction
) -> str:
    """Why a feed with too many bad rows is refused, with the commonest failed checks."""
    found = f"{quarantined:,} of {rows:,} ({hundredths(quarantined, rows)} %)"
    common = (
        rejects.group_by("column_name", "check_name")
        .agg(
            pl.len().alias("rows"),
            pl.col("file").first(),
            pl.col("row_number").first(),
            pl.col("masked_value").drop_nulls().mode().sort().first().alias("like"),
        )
        .sort("rows", "column_name", "check_name", descending=[True, False, False])
        .head(SHOWN_CHECKS)
    )
    told = "; ".join(
        f"column {each['column_name']}: expected {expected(feed, **each)},"
        f" came {came(each['like'])} {each['rows']:,} times"
        f" (first: {each['file']} row {each['row_number']:,})"
        for each in common.iter_rows(named=True)
    )
    at_most = f"at most {hundredths(max_rejects.numerator, max_rejects.denominator)} % bad rows"
    return f"{refusal(feed, at_most, found)}: {told}"


def expected(feed: str, column_name: str, check_name: str, **_others: object) -> str:
    """What a failed check wanted: the type where a cell did not parse."""
    if check_name == "parse":
        return describe(types_of(FEEDS[feed].schema())[column_name])
    return of_check(check_name)


def came(like: str | None) -> str:
    """What came instead, by its shape."""
    return f"text like {like!r}" if like else "nothing" if like is None else "empty text"


def hundredths(part: int, whole: int) -> str:
    """A share in per cent with two places, rounded down."""
    return f"{part * 100 // whole}.{part * 10_000 // whole % 100:02}"
