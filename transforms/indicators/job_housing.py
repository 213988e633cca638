"""Home and job outside the six districts (职住区域, Measures art. 5(4)).

From `counts_from`, each full twelve months with an own home outside earn points, and each full
twelve of those months with the job outside as well earn more; December of the year before must have
the home.  Fewer than twelve months earn nothing, so nothing is rounded.
"""

from typing import Annotated, TypeAlias

import polars as pl
from pydantic import AfterValidator, with_config
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from transforms.facts import Facts
from transforms.months import covered_spells, months_listed
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints, District, In, Month, Several, unexpected


@with_config(STRICT)
class Range(TypedDict):
    """A first and a last code."""

    first: District
    last: District


def in_order(codes: Range) -> Range:
    """The range itself; one that ends before it begins raises."""
    if codes["last"] < codes["first"]:
        raise unexpected("first not above last", codes)
    return codes


Districts: TypeAlias = Annotated[list[District], Several("GB/T 2260 codes")]
DistrictRange: TypeAlias = Annotated[Range, In("GB/T 2260 codes"), AfterValidator(in_order)]


@dataclass(frozen=True, config=STRICT)
class Params:
    """First month, the districts, the yearly points and their limit."""

    counts_from: Month
    six_districts: Districts
    beijing_districts: DistrictRange
    centipoints_per_year_home: Centipoints
    centipoints_per_year_job: Centipoints
    centipoints_at_most: Centipoints


def outside(district: str, six: Districts, beijing: DistrictRange) -> pl.Expr:
    """Whether a district is in Beijing and not one of the six."""
    code = pl.col(district)
    return code.is_between(beijing["first"], beijing["last"]) & ~code.is_in(six)


def evidence(facts: Facts, p: Params, made: Round) -> pl.LazyFrame:
    """Months with an own home outside, those with the job outside too, and the last of them."""
    districts = (p.six_districts, p.beijing_districts)
    homes = facts.feeds["housing"].filter(pl.col("kind") == "own", outside("district", *districts))
    months = months_listed(covered_spells(homes, p.counts_from, made.reference_date))
    jobs = facts.insurance.filter(
        pl.col("month") >= p.counts_from, outside("work_district", *districts)
    )
    both = jobs.select("person", "month").join(months, on=["person", "month"], how="semi")
    return (
        months.group_by("person")
        .agg(months_home_outside=pl.len().cast(pl.Int64), last_month=pl.col("month").max())
        .join(
            both.group_by("person").agg(months_job_outside=pl.len().cast(pl.Int64)),
            on="person",
            how="left",
            validate="1:1",
        )
        .select(
            "person",
            "months_home_outside",
            pl.col("months_job_outside").fill_null(0),
            "last_month",
            home_outside_in_december=pl.col("last_month") == made.reference_date.replace(day=1),
        )
    )


def centipoints(p: Params) -> pl.Expr:
    """Full years of home, full years of job beside it, up to the limit."""
    earned = (
        pl.col("months_home_outside") // 12 * p.centipoints_per_year_home
        + pl.col("months_job_outside") // 12 * p.centipoints_per_year_job
    )
    return (
        pl.when("home_outside_in_december")
        .then(pl.min_horizontal(earned, p.centipoints_at_most))
        .otherwise(0)
    )
