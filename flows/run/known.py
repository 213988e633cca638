"""What comes with a folder of feeds that was put together from several deliveries.

Beside the folder lies what no file of it says: which rows a correction took the place of, so that they
do not count, and findings that are added to the `sanctions`.  Rows are left out after they were read:
file and row number of every other row are those of the delivered file.
"""

from pathlib import Path

import polars as pl

from flows.common.by_name import read_table
from flows.common.files import sha256_of
from schemas.feeds import FEEDS

SUBJECTS = ("person_id", "employer_id", "subject_id")  # whom a row is about: the first it has
REPLACED = {"subject": pl.String, "before": pl.Int64}  # a subject's rows in files before this one
FINDINGS = {"subject_id": pl.String, "found_on": pl.Date}
NO_BAR = pl.lit(value=False)
NO_FINDINGS = pl.DataFrame(schema=FINDINGS)


def subject_of(feed: str) -> str:
    """The column that says whom a row of a feed is about."""
    columns = FEEDS[feed].schema().columns
    return next(name for name in SUBJECTS if name in columns)


def replaced_path(known: Path, feed: str) -> Path:
    """Where it lies whose rows were replaced."""
    return known / f"replaced-{feed}.parquet"


def findings_path(known: Path) -> Path:
    """Where findings lie."""
    return known / "findings.parquet"


def replaced_in(known: Path | None, feed: str) -> pl.DataFrame:
    """Whose rows of a feed were replaced, and by which of its files the last time."""
    path = replaced_path(known, feed) if known else None
    return read_table(path) if path and path.is_file() else pl.DataFrame(schema=REPLACED)


def findings_in(known: Path | None) -> pl.DataFrame:
    """The findings that are to be added."""
    path = findings_path(known) if known else None
    return read_table(path) if path and path.is_file() else NO_FINDINGS


def digest_of(rows: pl.DataFrame) -> str:
    """The digest of such a table, which goes into what names a run; in no order."""
    return sha256_of([[str(each) for each in row] for row in rows.sort(rows.columns).rows()])


def left_out(
    feed: str, rows: pl.DataFrame, numbers: pl.Series, replaced: pl.DataFrame
) -> pl.Series:
    """The places of rows that a later file of the feed took the place of."""
    places = pl.Series("index", [], pl.UInt32)
    if replaced.is_empty() or rows.is_empty():
        return places
    column = subject_of(feed)
    few = replaced.with_columns(pl.col("subject").cast(rows.schema[column]))
    named = (
        rows.select(subject=column)
        .with_columns(number=numbers)
        .with_row_index("index")
        .filter(pl.col("subject").is_in(few["subject"].implode()))
    )
    return (
        named.join(few, on="subject", how="left", validate="m:1")
        .filter(pl.col("number") < pl.col("before"))["index"]
        .sort()
    )
