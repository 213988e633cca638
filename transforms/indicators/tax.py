"""Tax (纳税): points for years of high income tax, less for violations (Measures art. 5(6)).

The tax of each of the last three years, net of refunds and by treasury date (入库日期), must be above
zero; then each year of at least the amount earns points.  A violation costs points in any case.
All of it is whole points, so nothing is rounded.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, TypeAlias

import polars as pl
from pydantic import with_config
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from transforms.evidence import COUNT, DAY, FEN, Evidence
from transforms.facts import Facts
from transforms.parts import Part, Parts, count
from transforms.rounds import Round
from transforms.sums import exact_sum
from transforms.units import (
    STRICT,
    Centipoints,
    Fen,
    IncomeKind,
    Penalty,
    Several,
    SomeYears,
    Year,
    Years,
)

IncomeKinds: TypeAlias = Annotated[list[IncomeKind], Several("kinds")]

EVIDENCE: Evidence = {"fen_*": FEN, "violations": COUNT, "last_violation_on": DAY}


@with_config(STRICT)
class Since(TypedDict):
    """The kinds that count from a treasury year on."""

    from_year: Year
    kinds: IncomeKinds


@dataclass(frozen=True, config=STRICT)
class Params:
    """Years looked at, kinds of income by treasury year, the amount, the points, violations."""

    years: SomeYears
    income_kinds: Annotated[list[Since], Several("kinds", by=("from_year",), ascending=True)]
    fen_at_least: Fen
    centipoints_per_year: Centipoints
    centipoints_per_violation: Penalty
    violation_years: Years


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """Net tax of each year (`fen_1` is the year before the application), and the violations."""
    paid = facts.feeds["tax"].with_columns(year=pl.col("treasury_date").dt.year())
    columns = fen_columns("fen", p.years)
    return (
        yearly(paid.filter(counts(p)), "amount_fen", columns, this_round)
        .join(
            violations(facts, this_round.first_day(p.violation_years), this_round),
            on="person",
            how="full",
            coalesce=True,
            validate="1:1",
        )
        .with_columns(pl.col(*columns, "violations").fill_null(0))
    )


def yearly(paid: pl.LazyFrame, amount: str, columns: list[str], this_round: Round) -> pl.LazyFrame:
    """Per person the sum of an amount in each of the years before, by the name of its column."""
    return paid.group_by("person").agg(
        exact_sum(pl.col(amount).filter(pl.col("year") == this_round.year - back)).alias(name)
        for back, name in enumerate(columns, start=1)
    )


def violations(facts: Facts, since: date, this_round: Round) -> pl.LazyFrame:
    """Per person the violations decided from a day to the reference date, and the last of them."""
    return (
        facts.feeds["tax_violations"]
        .filter(pl.col("decided_on").is_between(since, this_round.reference_date))
        .group_by("person")
        .agg(violations=pl.len().cast(pl.Int64), last_violation_on=pl.col("decided_on").max())
    )


def counts(p: Params) -> pl.Expr:
    """Whether the kind of income counts in the year its tax reached the treasury."""
    of_year = pl.lit(value=False)
    for since in p.income_kinds:
        of_year = (
            pl.when(pl.col("year") >= since["from_year"])
            .then(pl.col("income_kind").cast(pl.String).is_in(since["kinds"]))
            .otherwise(of_year)
        )
    return of_year


def kinds_in(year: int, listed: Sequence[Any]) -> list[str]:
    """The kinds of income that count in a year: of all years, or by the first year they count in."""
    since = [each for each in listed if isinstance(each, str) or each["from_year"] <= year]
    if not since or isinstance(since[0], str):
        return list(since)
    return list(max(since, key=lambda each: each["from_year"])["kinds"])


def fen_columns(name: str, years: int) -> list[str]:
    """One column a year looked at, the latest first."""
    return [f"{name}_{back}" for back in range(1, years + 1)]


def violations_part(centipoints_per_violation: int) -> Part:
    """What violations cost."""
    each = count("violations")
    return Part("violations", each, centipoints_per_violation, shown={"violations": each})


def parts(p: Params, this_round: Round) -> Parts:
    """Each year of high tax if all are above zero, and what violations cost."""
    fen = [count(name) for name in fen_columns("fen", p.years)]
    gate = pl.all_horizontal(each > 0 for each in fen)
    years = [
        Part(
            f"year_{this_round.year - back}",
            gate & (each >= p.fen_at_least),
            p.centipoints_per_year,
            shown={"fen": each, "all_years_above_zero": gate},
        )
        for back, each in enumerate(fen, start=1)
    ]
    return Parts([*years, violations_part(p.centipoints_per_violation)])
