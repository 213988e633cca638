"""One feed from its files to good rows and rejects: read, check every row, drop repeats, count.

More than `max_rejects` of a feed quarantined refuses the feed: that is a broken delivery, not a few
bad rows.  Row numbers count data rows from 1 in each file; values in rejects are masked.
"""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path

import pandera.polars as pa
import polars as pl

from flows.delivery import Delivered, files_of, read
from flows.failures import FeedRefused
from flows.quarantine import ascending, failures, mask, without_repeats
from schemas.columns import CODES, INSURANCES
from schemas.feeds import END_DATES, FEEDS

PERSON, MONTH = "person_id", "month"
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
REJECTS = {
    "feed": pl.String,
    "file": pl.String,
    "row": pl.Int64,
    "column": pl.String,
    "check": pl.String,
    "masked_value": pl.String,
} | dict.fromkeys(IDENTITIES, pl.String)


@dataclass(frozen=True)
class Screened:
    """A feed's good rows, its rejects (with identities) and its counts."""

    feed: str
    rows: pl.DataFrame
    rejects: pl.DataFrame
    file_rows: dict[str, int]
    quarantined: int
    duplicates: int


def screen(feed: str, feeds: Path, received_on: date | None, max_rejects: Fraction) -> Screened:
    """Read and check one feed; raises FeedRefused when it cannot be used."""
    schema = schema_of(feed, received_on)
    rejects, good = [], []
    file_rows: dict[str, int] = {}
    for path in files_of(feeds, feed):
        part = read(feed, path, schema)
        bad = failed_checks(part, schema)
        rejects.append(described(feed, part.file, part.rows, bad))
        good.append(good_rows(part.rows, bad, sum(file_rows.values())).select(coded(feed, schema)))
        file_rows[part.file] = part.rows.height
    kept = without_repeats(*ranked(pl.concat(good, rechunk=True), FEEDS[feed].keys))
    rejects += contradictions(feed, file_rows, kept.conflicting)
    told = pl.concat(rejects)
    quarantined, rows = told.select("file", "row").n_unique(), sum(file_rows.values())
    if quarantined > max_rejects * rows:
        raise FeedRefused(too_many(feed, told, quarantined, rows, max_rejects))
    return Screened(feed, kept.rows, told, file_rows, quarantined, kept.dropped)


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


def failed_checks(part: Delivered, schema: pa.DataFrameSchema) -> pl.DataFrame:
    """Failed checks of one file; a cell that did not parse is not reported as null as well."""
    failed = failures(part.rows, schema)
    if part.parse_failures.is_empty():
        return failed
    echo = part.parse_failures.select("index", "column", check=pl.lit("not_null"))
    return pl.concat(
        [
            part.parse_failures,
            failed.join(echo, on=["index", "column", "check"], how="anti"),
        ]
    )


def good_rows(rows: pl.DataFrame, bad: pl.DataFrame, start: int) -> pl.DataFrame:
    """Rows without a failed check, with their position in the whole feed."""
    numbered = rows.with_row_index("row", offset=start)
    if bad.is_empty():
        return numbered
    positions = (bad["index"].unique() + start).cast(pl.UInt32)
    return numbered.filter(~pl.col("row").is_in(positions.implode()))


def coded(feed: str, schema: pa.DataFrameSchema) -> list[pl.Expr]:
    """The columns as they are accepted: a code as an enum, a district as its number."""
    codes = CODED.get(feed, {})
    return [
        pl.col("row"),
        *(
            pl.col(name).cast(pl.Enum(CODES[codes[name]]))
            for name in schema.columns
            if name in codes
        ),
        *(
            pl.col(name).cast(pl.String).cast(pl.Int32) if name in DISTRICTS else pl.col(name)
            for name in schema.columns
            if name not in codes
        ),
    ]


def ranked(
    rows: pl.DataFrame, keys: tuple[tuple[str, ...], ...]
) -> tuple[pl.DataFrame, tuple[tuple[str, ...], ...]]:
    """For a key of person and time: rows in that order, the person as a rank instead of a text."""
    if keys[:1] != ((PERSON, MONTH),):
        return rows, keys
    ids = rows.select(pl.col(PERSON).unique())
    order = ids.sort(pl.col(PERSON).cast(pl.String)).with_row_index("rank")
    found = rows.with_columns(rank=recode(rows[PERSON], order, "rank"))
    key = ("rank", MONTH)
    if ascending(found, key):
        return found, (key,)
    # one number sorts three times as fast as two columns; a day number may be negative
    number = pl.col("rank").cast(pl.UInt64) * 2**32 + (
        pl.col(MONTH).to_physical().cast(pl.Int64) + 2**31
    )
    return found[found.select(number).to_series().arg_sort()], (key,)


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


def described(feed: str, file: str, rows: pl.DataFrame, bad: pl.DataFrame) -> pl.DataFrame:
    """Rejects: where each failed check stands, its masked value, and whom the row is about."""
    about = rows[bad["index"]]
    return bad.select(
        feed=pl.lit(feed),
        file=pl.lit(file),
        row=pl.col("index") + 1,
        column="column",
        check="check",
        masked_value=mask(pl.col("value")),
    ).with_columns(
        about[name].cast(pl.String) if name in rows.columns else pl.lit(None, pl.String).alias(name)
        for name in IDENTITIES
    )


def contradictions(feed: str, file_rows: dict[str, int], rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Rejects for rows that share a key and differ, file by file."""
    told, start = [], 0
    key = ", ".join(dict.fromkeys(name for each in FEEDS[feed].keys for name in each))
    for file, height in file_rows.items():
        here = rows.filter(pl.col("row").is_between(start, start + height - 1)).sort("row")
        bad = here.select(
            index=pl.int_range(pl.len(), dtype=pl.Int64),
            column=pl.lit(key),
            check=pl.lit("conflicting_duplicate"),
            value=pl.lit(None, pl.String),
        )
        position = (here["row"].cast(pl.Int64) - start + 1).alias("row")
        told.append(described(feed, file, here, bad).with_columns(position))
        start += height
    return told


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
