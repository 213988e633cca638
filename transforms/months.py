"""Months as whole numbers, and spells of days turned into the months they cover.

A home covers exactly the months whose first day lies in start_date..end_date (null = open).
A month number is year * 12 + month - 1, so that the next month is one more.
"""

from datetime import date

import polars as pl


def month_number(day: pl.Expr) -> pl.Expr:
    """The number of the month a day lies in."""
    return day.dt.year() * 12 + day.dt.month().cast(pl.Int32) - 1


def first_day_of(number: str) -> pl.Expr:
    """The first day of the month whose number a column holds; null where there is none."""
    return pl.date(pl.col(number) // 12, pl.col(number) % 12 + 1, 1)


def number_of(day: date) -> int:
    """The month number of a plain date."""
    return day.year * 12 + day.month - 1


def months_ending(months: int, last_day: date) -> date:
    """The first day of so many months that end with the month of `last_day`."""
    year, month = divmod(number_of(last_day) - months + 1, 12)
    return date(year, month + 1, 1)


def covered_spells(homes: pl.LazyFrame, first: date, last: date, *keep: str) -> pl.LazyFrame:
    """Homes as spells of month numbers (`first`, `last`), clipped to a window; empty ones left out.

    The columns named in `keep` stay.
    """
    start = month_number(pl.col("start_date")) + (pl.col("start_date").dt.day() > 1).cast(pl.Int32)
    end = month_number(pl.col("end_date")).fill_null(number_of(last))
    return (
        homes.with_columns(
            first=pl.max_horizontal(start, pl.lit(number_of(first), pl.Int32)),
            last=pl.min_horizontal(end, pl.lit(number_of(last), pl.Int32)),
        )
        .filter(pl.col("first") <= pl.col("last"))
        .select("person", "first", "last", *keep)
    )


def months_covered(spells: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """How many months a person's spells cover, a month once however many spells cover it."""
    before = pl.col("last").cum_max().shift().over("person")
    new_from = pl.max_horizontal("first", before + 1)
    return (
        spells.sort("person", "first", "last")
        .with_columns(new=pl.max_horizontal(pl.col("last") - new_from + 1, 0))
        .group_by("person", maintain_order=True)
        .agg(pl.col("new").sum().cast(pl.Int64).alias(name))
    )


def months_listed(spells: pl.LazyFrame) -> pl.LazyFrame:
    """Each month a person's spells cover, once: person, month (its first day)."""
    return (
        spells.select("person", number=pl.int_ranges("first", pl.col("last") + 1))
        .explode("number")
        .unique()
        .select("person", month=first_day_of("number"))
    )
