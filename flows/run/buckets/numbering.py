"""People by number in their bucket: from 0 without gaps, as rules look them up, in the order of all.

Beside each stands the number among everybody, under which accepted rows are published.
"""

from pathlib import Path

import polars as pl

from flows.common.by_name import read_table
from flows.run.buckets.layout import complete
from flows.run.buckets.whose import Whose
from flows.run.number_people import Keys

EVERYBODY = "among_everybody"


def keys(folder: Path) -> Path:
    """Where the people of a bucket are named by ID number and by both numbers."""
    return folder / "keys" / "people.parquet"


def share_people(everybody: Keys, places: list[Path], whose: Whose) -> None:
    """Number the people of every bucket."""
    people = everybody.people.rename({"person": EVERYBODY}).with_columns(
        whose.of(everybody.people["person_id"])
    )
    for number, place in enumerate(places):
        theirs = people.filter(bucket=number).drop("bucket").with_row_index("person")
        complete([theirs], keys(place))


def numbers(folder: Path) -> pl.Series:
    """By number in the bucket the number among everybody."""
    return read_table(keys(folder), columns=[EVERYBODY])[EVERYBODY]


def numbered(rows: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Of rows about everybody those about the people of a bucket, by its numbers, or about nobody."""
    people = read_table(keys(folder), columns=["person", EVERYBODY]).rename(
        {"person": "of_bucket", EVERYBODY: "person"}
    )
    return (
        rows.join(people, on="person", how="left", maintain_order="left", validate="m:1")
        .filter(pl.col("person").is_null() | pl.col("of_bucket").is_not_null())
        .with_columns(person="of_bucket")
        .drop("of_bucket")
    )
