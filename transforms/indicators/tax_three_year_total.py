"""Tax, three years together (纳税, Trial measures art. 5(6)): points once for high income tax or a
high share of company tax, less for violations.

The tax of each of the last three years must be above zero, and together they must reach the amount:
income tax net of refunds and by treasury date (入库日期), or the person's share of company tax.  A
violation costs points in any case.  All of it is whole points, so nothing is rounded.
"""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.evidence import COUNT, DAY, FEN, Evidence
from transforms.facts import Facts
from transforms.indicators.tax import IncomeKinds, fen_columns, violations, violations_part, yearly
from transforms.parts import Part, Parts, count
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints, Day, Fen, Penalty, SomeYears

EVIDENCE: Evidence = {
    "fen_*": FEN,
    "company_fen_*": FEN,
    "violations": COUNT,
    "last_violation_on": DAY,
}


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


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """Net tax and share of company tax of each year (`fen_1` is the last), and the violations."""
    of_income, of_company = fen_columns("fen", p.years), fen_columns("company_fen", p.years)
    paid = facts.feeds["tax"].filter(pl.col("income_kind").cast(pl.String).is_in(p.income_kinds))
    found = yearly(
        paid.with_columns(year=pl.col("treasury_date").dt.year()),
        "amount_fen",
        of_income,
        this_round,
    )
    for other in (
        yearly(facts.feeds["company_tax"], "attributed_fen", of_company, this_round),
        violations(facts, p.violations_from, this_round),
    ):
        found = found.join(other, on="person", how="full", coalesce=True, validate="1:1")
    return found.with_columns(pl.col(*of_income, *of_company, "violations").fill_null(0))


def parts(p: Params, this_round: Round) -> Parts:
    """The points once if either tax reaches its amount, and what violations cost."""
    shown: dict[str, pl.Expr] = {}
    reached = []
    for name, at_least in (("fen", p.fen_at_least), ("company_fen", p.company_fen_at_least)):
        fen = [count(column) for column in fen_columns(name, p.years)]
        total = pl.sum_horizontal(fen, ignore_nulls=False)
        gate = pl.all_horizontal(each > 0 for each in fen)
        shown |= {name: total, f"{name}_above_zero_each_year": gate}
        reached.append(gate & (total >= at_least))
    once = Part("three_years", pl.any_horizontal(reached), p.centipoints, shown=shown)
    return Parts([once, violations_part(p.centipoints_per_violation)])
