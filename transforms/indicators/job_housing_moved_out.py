"""Home and job moved out of the six districts (职住区域, Trial measures art. 5(4)).

From `counts_from`, each full twelve months with the home outside earn points, and each full twelve
with the job outside as well earn more.  Home and job must have moved: the last one before the
first outside was inside.  A month's home is the one owned, else the dormitory, else the one rented.
Fewer than twelve months earn nothing, so nothing is rounded.
"""

from typing import Annotated

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.evidence import FLAG, MONTH, MONTHS, Evidence
from transforms.facts import Facts
from transforms.indicators.job_housing import DistrictRange, Districts, outside
from transforms.months import covered_spells, first_day_of, month_number, number_of
from transforms.parts import Parts, count, flag, full_years
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints, HomeKind, Month, Several

EVIDENCE: Evidence = {
    "months_home_outside": MONTHS,
    "months_job_outside": MONTHS,
    "first_home_outside": MONTH,
    "home_before": MONTH,
    "home_before_inside": FLAG,
    "first_job_outside": MONTH,
    "job_before": MONTH,
    "job_before_inside": FLAG,
}


@dataclass(frozen=True, config=STRICT)
class Params:
    """First months, which home is a month's home, the districts, the yearly points, their limits."""

    counts_from: Month
    first_month: Month
    home_kinds: Annotated[list[HomeKind], Several("kinds")]
    six_districts: Districts
    beijing_districts: DistrictRange
    centipoints_per_year_home: Centipoints
    centipoints_at_most_home: Centipoints
    centipoints_per_year_home_and_job: Centipoints
    centipoints_at_most: Centipoints


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """Months with the home outside, those with the job outside too, and what was had before each."""
    homes = homes_of(facts, p, this_round)
    months = months_outside(homes, p)
    jobs = facts.insurance.join(homes, on="person", how="semi").select(
        "person",
        number=month_number(pl.col("month")),
        job_outside=outside("work_district", p.six_districts, p.beijing_districts),
        job_inside=pl.col("work_district").is_in(p.six_districts),
    )
    jobs_outside = jobs.filter("job_outside", pl.col("number") >= number_of(p.counts_from))
    both = jobs_outside.join(months, on=["person", "number"], how="semi")
    counted = months.group_by("person").agg(
        months_home_outside=pl.len().cast(pl.Int64), first_home_outside=pl.col("number").min()
    )
    for each in (
        both.group_by("person").agg(months_job_outside=pl.len().cast(pl.Int64)),
        home_before(homes, counted),
        job_before(jobs, jobs_outside),
    ):
        counted = counted.join(each, on="person", how="left", validate="1:1")
    return counted.select(
        "person",
        "months_home_outside",
        pl.col("months_job_outside").fill_null(0),
        first_home_outside=first_day_of("first_home_outside"),
        home_before=first_day_of("home_before"),
        home_before_inside=pl.col("home_before_inside").fill_null(value=False),
        first_job_outside=first_day_of("first_job_outside"),
        job_before=first_day_of("job_before"),
        job_before_inside=pl.col("job_before_inside").fill_null(value=False),
    )


def homes_of(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """Homes as spells of months, with the place of their kind, of everybody who had one outside."""
    spells = covered_spells(
        facts.feeds["housing"]
        .filter(pl.col("kind").cast(pl.String).is_in(p.home_kinds))
        .with_columns(
            place=pl.col("kind").replace_strict(
                p.home_kinds, list(range(len(p.home_kinds))), return_dtype=pl.Int8
            ),
            outside=outside("district", p.six_districts, p.beijing_districts),
            inside=pl.col("district").is_in(p.six_districts),
        ),
        p.first_month,
        this_round.reference_date,
        "place",
        "outside",
        "inside",
    )
    candidates = spells.filter("outside", pl.col("last") >= number_of(p.counts_from))
    return spells.join(candidates, on="person", how="semi")


def first_kind(name: str) -> pl.Expr:
    """Whether any home of the first kind present is so, in a group of homes held together.

    Null where no home at all is so.
    """
    return pl.when(name).then("place").min() == pl.col("place").min()


def months_outside(homes: pl.LazyFrame, p: Params) -> pl.LazyFrame:
    """person, number: the months that count whose home is outside."""
    start = pl.max_horizontal("first", pl.lit(number_of(p.counts_from), pl.Int32))
    return (
        homes.filter(pl.col("last") >= number_of(p.counts_from))
        .select("person", "place", "outside", number=pl.int_ranges(start, pl.col("last") + 1))
        .explode("number")
        .group_by("person", "number")
        .agg(outside=first_kind("outside"))
        .filter("outside")
        .select("person", pl.col("number").cast(pl.Int32))
    )


def home_before(homes: pl.LazyFrame, counted: pl.LazyFrame) -> pl.LazyFrame:
    """The last month with any home before the first with one outside, and whether it was inside."""
    last = pl.min_horizontal("last", pl.col("first_home_outside") - 1)
    return (
        homes.join(counted.select("person", "first_home_outside"), on="person", validate="m:1")
        .filter(pl.col("first") < pl.col("first_home_outside"))
        .with_columns(home_before=last.max().over("person"))
        .filter(pl.col("last") >= pl.col("home_before"))
        .group_by("person")
        .agg(pl.col("home_before").first(), home_before_inside=first_kind("inside"))
    )


def job_before(jobs: pl.LazyFrame, jobs_outside: pl.LazyFrame) -> pl.LazyFrame:
    """The last insured month before the first with the job outside, and whether it was inside."""
    first = jobs_outside.group_by("person").agg(first_job_outside=pl.col("number").min())
    last, last_inside = pl.col("number").max(), pl.when("job_inside").then("number").max()
    before = (
        jobs.join(first, on="person", validate="m:1")
        .filter(pl.col("number") < pl.col("first_job_outside"))
        .group_by("person")
        .agg(job_before=last, job_before_inside=last_inside == last)
    )
    return first.join(before, on="person", how="left", validate="1:1")


def parts(p: Params, this_round: Round) -> Parts:
    """Full years of home and job, full years of the other months of home, each up to its limit."""
    moved = {"home_before_inside": flag("home_before_inside")}
    both_moved = {**moved, "job_before_inside": flag("job_before_inside")}
    home = pl.when(*moved.values()).then(count("months_home_outside")).otherwise(0)
    both = pl.when(*both_moved.values()).then(count("months_job_outside")).otherwise(0)
    at_most = p.centipoints_at_most_home
    return Parts(
        [
            full_years("home_and_job", both, p.centipoints_per_year_home_and_job, both_moved),
            full_years("home_alone", home - both, p.centipoints_per_year_home, moved, at_most),
        ],
        at_most=p.centipoints_at_most,
    )
