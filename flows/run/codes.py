"""Codes of a feed as they are accepted: a listed code as an enum, a district as its number, an ID
number or a credit code as the number that stands for it.  Each distinct text is looked at once.
"""

import polars as pl

from schemas.columns import PersonId
from schemas.feeds import accepted


def held() -> pl.Series:
    """A column with codes: while there is none, polars gives the codes of texts to other texts."""
    return pl.Series([""]).cast(PersonId)


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


def recode(column: pl.Series, keys: pl.DataFrame, *, by: str, to: str) -> pl.Series:
    """A categorical column as whole numbers: its value in `by` of the keys gives `to`, or null."""
    code = keys.select(code=pl.col(by).to_physical(), key=pl.col(to).cast(pl.UInt32))
    codes = column.to_physical()
    largest = pl.concat([codes, code["code"]]).max()
    assert isinstance(largest, int | None)
    size = (largest or 0) + 1
    if size > codes.len():  # of many codes a bucket has few rows: they alone are looked up
        return joined(codes, code).alias(to)
    return joined(pl.int_range(size, dtype=pl.UInt32, eager=True), code).gather(codes).alias(to)


def joined(codes: pl.Series, code: pl.DataFrame) -> pl.Series:
    """The key of each code."""
    found = pl.DataFrame({"code": codes}).join(
        code, on="code", how="left", maintain_order="left", validate="m:1"
    )
    return found["key"]
