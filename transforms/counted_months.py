"""Counted months (计分缴费月数): the months of insurance that earn points (Measures art. 5(1)).

Of the five insurances the one with the most months paid on time is taken, the first in the order
of the law among equals; its paid months count, months paid back of either kind earn nothing.
"""

from typing import Annotated

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.facts import Engine
from transforms.units import STRICT, Insurance, Month, Several, Status


@dataclass(frozen=True, config=STRICT)
class Params:
    """The insurances in the order that decides ties, and the status that counts."""

    insurances: Annotated[list[Insurance], Several("names")]
    counted_status: Status
    first_month: Month


def longest(insurance: pl.LazyFrame, p: Params) -> pl.LazyFrame:
    """Per person the insurance with the most paid months (`insurance`) and the months of each."""
    paid = {name: f"months_paid_{name}" for name in p.insurances}
    most = pl.max_horizontal(paid.values())
    return (
        insurance.group_by("person")
        .agg((pl.col(name) == p.counted_status).sum().alias(paid[name]) for name in p.insurances)
        .select(
            "person",
            *paid.values(),
            insurance=pl.coalesce(
                pl.when(pl.col(paid[name]) == most).then(pl.lit(name, pl.Enum(p.insurances)))
                for name in p.insurances
            ),
        )
    )


def counted_months(
    insurance: pl.LazyFrame, people: pl.LazyFrame, p: Params, engine: Engine = "streaming"
) -> pl.LazyFrame:
    """Every counted month: person, month, taken (the insurance it is taken from)."""
    taken = (
        people.select("person")
        .join(longest(insurance, p), on="person", how="left", validate="1:1")
        .sort("person")
        .collect(engine=engine)["insurance"]
    )
    is_counted = pl.any_horizontal(
        (pl.col("taken") == name) & (pl.col(name) == p.counted_status) for name in p.insurances
    )
    return (
        # persons are numbered from 0 without gaps: looking up by place is half the cost of a join
        insurance.with_columns(taken=pl.lit(taken).gather("person"))
        .filter(is_counted)
        .select("person", "month", "taken")
    )


def careers(counted: pl.LazyFrame) -> pl.LazyFrame:
    """Per person with a counted month: how many, of which insurance, the first and the last."""
    return counted.group_by("person").agg(
        months_counted=pl.len().cast(pl.Int64),
        insurance=pl.col("taken").first(),
        first_month=pl.col("month").min(),
        last_month=pl.col("month").max(),
    )
