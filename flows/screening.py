"""One feed from its files to good rows and rejects: read, check every row, drop repeats, count.

More than `max_rejects` of a feed quarantined refuses the feed: that is a broken delivery, not a few
bad rows.  Row numbers count data rows from 1 in each file; values in rejects are masked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path

import pandera.polars as pa
import polars as pl

from flows.delivery import Delivered, files_of, read
from flows.failures import FeedRefused
from flows.quarantine import failures, mask, without, without_repeats
from schemas.columns import CODES, INSURANCES
from schemas.feeds import END_DATES, FEEDS

PERSON, MONTH = OF_PERSON_AND_MONTH = ("person_id", "month")
DISTRICTS = ("district", "work_district")
# a feed's coded columns -> the list in data/codes.toml; the order of a list is the order of its enum
CODED = {
    "applications": {"sex": "sex", "retirement_class": "retirement_class"},
    "social_insurance": dict.fromkeys(INSURANCES, "insurance_status"),
    "housing": {"kind": "home_kind"},
    "education": {"level": "education_level"},
    "tax": {"income_kind": "income_kind"},
    "awards": {"scope": "award_scope"},
    "positions": {"kind": "position_kind"},
}
# who a quarantined row is about: kept beside a reject until it is resolved, never written
IDENTITIES = ("person_id", "employer_id", "subject_id", "application_no")
BATCH_ROWS = 2_000_000
RANK_BITS, MONTH_BITS, PLACE_BITS = 22, 14, 28


@dataclass(frozen=True)
class Batch:
    """Some files of a feed, checked together; `index` in parse_failures counts rows of the batch."""

    rows: pl.DataFrame
    parse_failures: pl.DataFrame
    file_rows: dict[str, int]

    @classmethod
    def of(cls, parts: list[Delivered]) -> "Batch":
        """Several files as one batch."""
        parse_failures, start = [], 0
        for part in parts:
            parse_failures.append(part.parse_failures.with_columns(pl.col("index") + start))
            start += part.rows.height
        return cls(
            rows=pl.concat(part.rows for part in parts),
            parse_failures=pl.concat(parse_failures),
            file_rows={part.file: part.rows.height for part in parts},
        )


@dataclass(frozen=True)
class Screened:
    """A feed's good rows, its rejects (with identities) and its counts."""

    feed: str
    parts: list[pl.DataFrame]
    rejects: pl.DataFrame
    file_rows: dict[str, int]
    quarantined: int
    duplicates: int

    @property
    def rows(self) -> pl.DataFrame:
        """The good rows as one frame."""
        return pl.concat(self.parts)


def screen(feed: str, feeds: Path, received_on: date | None, max_rejects: Fraction) -> Screened:
    """Read and check one feed; raises FeedRefused when it cannot be used."""
    schema = schema_of(feed, received_on)
    rejects, good = [], []
    file_rows: dict[str, int] = {}
    for batch in batches(feed, feeds, schema):
        start = sum(file_rows.values())
        bad = failed_checks(batch, schema)
        rejects.append(described(batch.rows, bad, start))
        good.append(coded(feed, good_rows(batch.rows, bad, start)))
        file_rows |= batch.file_rows
    kept = [without_repeats(*ranked(part, FEEDS[feed].keys)) for part in apart(feed, good)]
    rejects += [contradictions(feed, each.conflicting) for each in kept]
    told = located(feed, pl.concat(rejects), file_rows)
    quarantined, rows = told.select("file", "row").n_unique(), sum(file_rows.values())
    if quarantined > max_rejects * rows:
        raise FeedRefused(too_many(feed, told, quarantined, rows, max_rejects))
    return Screened(
        feed=feed,
        parts=[each.rows for each in kept],
        rejects=told,
        file_rows=file_rows,
        quarantined=quarantined,
        duplicates=sum(each.dropped for each in kept),
    )


def batches(feed: str, feeds: Path, schema: pa.DataFrameSchema) -> Iterator[Batch]:
    """The files of a feed in order, small ones together: a check costs time even on few rows."""
    waiting: list[Delivered] = []
    for path in files_of(feeds, feed):
        waiting.append(read(feed, path, schema))
        if sum(part.rows.height for part in waiting) >= BATCH_ROWS:
            yield Batch.of(waiting)
            waiting = []
    if waiting:
        yield Batch.of(waiting)


def schema_of(feed: str, received_on: date | None) -> pa.DataFrameSchema:
    """The feed's schema; where the round has a day of receipt, no event may lie after it."""
    schema = FEEDS[feed].schema()
    if received_on is None:
        return schema
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


def failed_checks(batch: Batch, schema: pa.DataFrameSchema) -> pl.DataFrame:
    """Failed checks of a batch; a cell that did not parse is not reported as null as well."""
    failed = failures(batch.rows, schema)
    if batch.parse_failures.is_empty():
        return failed
    echo = batch.parse_failures.select("index", "column", check=pl.lit("not_null"))
    once = failed.join(echo, on=["index", "column", "check"], how="anti")
    return pl.concat([batch.parse_failures, once])


def good_rows(rows: pl.DataFrame, bad: pl.DataFrame, start: int) -> pl.DataFrame:
    """Rows without a failed check, with their position in the whole feed."""
    numbered = rows.with_row_index("row", offset=start)
    return without(numbered, bad["index"].unique() + start)


def coded(feed: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The columns as they are accepted: a code as an enum, a district as its number."""
    codes = CODED.get(feed, {})
    return rows.with_columns(
        *(as_enum(rows[name], CODES[codes[name]]) for name in rows.columns if name in codes),
        *(as_number(rows[name]) for name in rows.columns if name in DISTRICTS),
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
    return recode(column, keys, "number").cast(pl.Int32).alias(column.name)


def apart(feed: str, good: list[pl.DataFrame]) -> list[pl.DataFrame]:
    """Good rows in parts that share no key: departments deliver a person in one file.

    Seventeen million rows then never lie in memory twice, which costs more time than sorting them.
    """
    if FEEDS[feed].keys == (OF_PERSON_AND_MONTH,) and len(good) > 1:
        people = [part[PERSON].unique() for part in good]
        if pl.concat(people).n_unique() == sum(each.len() for each in people):
            return good
    return [pl.concat(good, rechunk=True)]


def ranked(
    rows: pl.DataFrame, keys: tuple[tuple[str, ...], ...]
) -> tuple[pl.DataFrame, tuple[tuple[str, ...], ...]]:
    """For a key of person and time: rows in that order, the person as a rank instead of a text."""
    if keys != (OF_PERSON_AND_MONTH,):
        return rows, keys
    ids = rows.select(pl.col(PERSON).unique())
    order = ids.sort(pl.col(PERSON).cast(pl.String)).with_row_index("rank")
    found = rows.with_columns(rank=recode(rows[PERSON], order, "rank"))
    return in_order(found), (("rank", MONTH),)


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows by rank and month, equal ones as they came.

    Rank, month and place are packed into one number, which sorts five times as fast as columns;
    months begin at least 28 days apart, so that days divided by 28 order them.
    """
    month = pl.col(MONTH).to_physical() // 28 + 2 ** (MONTH_BITS - 1)
    fits = rows.select(
        (pl.len() < 2**PLACE_BITS)
        & (pl.col("rank").max() < 2**RANK_BITS)
        & month.is_between(0, 2**MONTH_BITS - 1).all()
    ).item()
    if not fits:
        return rows.sort("rank", MONTH, "row")
    packed = (
        pl.col("rank").cast(pl.UInt64) * 2 ** (MONTH_BITS + PLACE_BITS)
        + month.cast(pl.UInt64) * 2**PLACE_BITS
        + pl.int_range(pl.len(), dtype=pl.UInt64)
    )
    number = rows.select(packed.alias("number"))["number"]
    if number.is_sorted():
        return rows
    return rows[(number.sort() % 2**PLACE_BITS).cast(pl.UInt32)]


def recode(column: pl.Series, keys: pl.DataFrame, name: str) -> pl.Series:
    """A categorical column as whole numbers, looked up in `keys`; null where it has none."""
    by = keys.columns[0] if keys.columns[0] != name else keys.columns[1]
    code = keys.select(code=pl.col(by).to_physical(), key=pl.col(name).cast(pl.UInt32))
    codes = column.to_physical()
    largest = pl.concat([codes, code["code"]]).max()
    assert isinstance(largest, int | None)
    size = (largest or 0) + 1
    table = (
        pl.select(code=pl.int_range(size, dtype=pl.UInt32))
        .join(code, on="code", how="left", maintain_order="left", validate="1:1")
        .get_column("key")
    )
    return table.gather(codes).alias(name)


def described(rows: pl.DataFrame, bad: pl.DataFrame, start: int) -> pl.DataFrame:
    """Failed checks with their position in the feed, a masked value, and whom the row is about."""
    about = rows[bad["index"]]
    return bad.select(
        position=pl.col("index") + start,
        column="column",
        check="check",
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
        column=pl.lit(key),
        check=pl.lit("conflicting_duplicate"),
        masked_value=pl.lit(None, pl.String),
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
        rejects.sort("position")
        .join_asof(starts, left_on="position", right_on="start", strategy="backward")
        .select(
            feed=pl.lit(feed),
            file="file",
            row=pl.col("position") - pl.col("start") + 1,
            column="column",
            check="check",
            masked_value="masked_value",
            **{name: name for name in IDENTITIES},
        )
    )


def too_many(
    feed: str, rejects: pl.DataFrame, quarantined: int, rows: int, max_rejects: Fraction
) -> str:
    """Why a feed with too many bad rows is refused, with the commonest failed checks."""
    common = (
        rejects.group_by("file", "column", "check")
        .agg(rows=pl.len(), first=pl.col("row").min())
        .sort("rows", "file", "column", "check", descending=[True, False, False, False])
        .head(3)
    )
    told = "; ".join(
        f"{each['file']}: column {each['column']}: expected {each['check']},"
        f" failed by {each['rows']:,} rows (first: row {each['first']:,})"
        for each in common.iter_rows(named=True)
    )
    return (
        f"{feed}: expected at most {float(max_rejects):.2%} bad rows,"
        f" found {quarantined:,} of {rows:,} ({quarantined / rows:.2%}). {told}"
    )
