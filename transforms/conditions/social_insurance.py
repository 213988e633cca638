"""Seven years of social insurance (连续缴纳社会保险7年及以上, Measures art. 4(3)).

Each of the five insurances has a status in every month of the window that ends with December of the
year before, and at most five months of each are paid back by the person; a month the bank or the
office made good does not use those up.  Where the round names a month before filing, it must have a
status too, whenever recorded.
"""

import polars as pl
from pydantic.dataclasses import dataclass

from schemas.columns import INSURANCES
from transforms.checks import Check, at_least, at_most, is_true
from transforms.evidence import FLAG, MONTH, MONTHS, Evidence
from transforms.facts import Facts
from transforms.months import months_ending
from transforms.rounds import Round
from transforms.units import STRICT, Months, SomeMonths, Status

EVIDENCE: Evidence = {
    **{f"months_{name}": MONTHS for name in INSURANCES},
    **{f"months_back_paid_{name}": MONTHS for name in INSURANCES},
    "insured_in_month": FLAG,
    "window_from": MONTH,
}


@dataclass(frozen=True, config=STRICT)
class Params:
    """Length of the window, and the paid-back months allowed in it for each insurance."""

    months: SomeMonths
    back_paid_months_at_most: Months
    back_paid_status: Status


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """Per insurance the months with a status in the window and those of them paid back."""
    window_from = months_ending(p.months, this_round.reference_date)
    in_window = (
        facts.insurance.filter(pl.col("month") >= window_from)
        .group_by("person")
        .agg(
            *(pl.col(name).count().cast(pl.Int64).alias(f"months_{name}") for name in INSURANCES),
            *(
                (pl.col(name) == p.back_paid_status)
                .sum()
                .cast(pl.Int64)
                .alias(f"months_back_paid_{name}")
                for name in INSURANCES
            ),
        )
    )
    return in_window.join(
        insured_in_month(facts, this_round), on="person", how="full", coalesce=True, validate="1:1"
    ).with_columns(
        pl.col("^months_.*$").fill_null(0),
        pl.col("insured_in_month").fill_null(this_round.insured_in is None),
        window_from=pl.lit(window_from),
    )


def insured_in_month(facts: Facts, this_round: Round) -> pl.LazyFrame:
    """Who has a status in the month before filing, whenever it was recorded."""
    month = pl.lit(
        this_round.insured_in, pl.Date
    )  # null where the round names none: then nobody is found
    rows = facts.feeds["social_insurance"].filter(pl.col("month") == month)
    return rows.select("person", insured_in_month=pl.lit(value=True))


def checks(p: Params, this_round: Round) -> list[Check]:
    """No month lacks, no insurance has too many paid back, and filing found one insured."""
    months = [at_least(f"months_{name}", p.months) for name in INSURANCES]
    most = p.back_paid_months_at_most
    paid_back = [at_most(f"months_back_paid_{name}", most) for name in INSURANCES]
    if this_round.insured_in is None:
        return [*months, *paid_back]
    insured = is_true("insured_in_month", month=f"{this_round.insured_in:%Y-%m}")
    return [*months, *paid_back, insured]
