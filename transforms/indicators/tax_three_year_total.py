"""Tax, three years together (纳税, Trial measures art. 5(6)): points once for high income tax or a
high share of company tax, less for violations.

The tax of each of the last three years must be above zero, and together they must reach the amount:
income tax net of refunds and by treasury date (入库日期), or the person's share of company tax.  A
violation costs points in any case.  All of it is whole points, so nothing is rounded.
"""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.facts import Facts
from transforms.indicators.tax import IncomeKinds, fen_columns, violations, yearly
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints, Day, Fen, Penalty, SomeYears


@dataclass(frozen=True, config=STRICT)
class Params:
    """Years looked at, kinds of income, the two amounts, the points, violations."""

    years: SomeYears
    income_kinds: IncomeKinds
    fen_at_least: Fen
    company_fen_at_least: Fen
    centipoints: Centipoints
    centipoints_per_violation: Penalty
    violations_from: Day


def evidence(facts: Facts, p: Params, made: Round) -> pl.LazyFrame:
    """Net tax and share of company tax of each year (`fen_1` is the last), and the violations."""
    of_income, of_company = fen_columns("fen", p.years), fen_columns("company_fen", p.years)
    paid = facts.feeds["tax"].filter(pl.col("income_kind").cast(pl.String).is_in(p.income_kinds))
    found = yearly(
        paid.with_columns(year=pl.col("treasury_date").dt.year()), "amount_fen", of_income, made
    )
    for other in (
        yearly(facts.feeds["company_tax"], "attributed_fen", of_company, made),
        violations(facts, p.violations_from, made),
    ):
        found = found.join(other, on="person", how="full", coalesce=True, validate="1:1")
    return found.with_columns(pl.col(*of_income, *of_company, "violations").fill_null(0))


def reached(name: str, p: Params, fen_at_least: int) -> pl.Expr:
    """Whether every year is above zero and together they reach the amount."""
    fen = [pl.col(column) for column in fen_columns(name, p.years)]
    return pl.all_horizontal(each > 0 for each in fen) & (
        pl.sum_horizontal(fen, ignore_nulls=False) >= fen_at_least
    )


def centipoints(p: Params) -> pl.Expr:
    """The points once if either tax reaches its amount, and what violations cost."""
    either = reached("fen", p, p.fen_at_least) | reached("company_fen", p, p.company_fen_at_least)
    earned = pl.when(either).then(p.centipoints).otherwise(0)
    return earned + pl.col("violations") * p.centipoints_per_violation
