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

from transforms.evidence import FLAG, MONTH, MONTHS, Evidence
from transforms.facts import Facts
from transforms.months import covered_spells, months_listed
from transforms.parts import Parts, count, flag, full_years
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints, District, In, Month, Several, unexpected

HOME_KINDS = ("own",)  # the homes the clause names
EVIDENCE: Evidence = {
    "months_home_outside": MONTHS,
    "months_job_outside": MONTHS,
    "last_month": MONTH,
    "home_outside_in_december": FLAG,
}


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


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """Months with an own home outside, those with the job outside too, and the last of them."""
    districts = (p.six_districts, p.beijing_districts)
    own = pl.col("kind").cast(pl.String).is_in(HOME_KINDS)
    homes = facts.feeds["housing"].filter(own, outside("district", *districts))
    months = months_listed(covered_spells(homes, p.counts_from, this_round.reference_date))
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
            home_outside_in_december=pl.col("last_month")
            == this_round.reference_date.replace(day=1),
        )
    )


def parts(p: Params, this_round: Round) -> Parts:
    """Full years of home, full years of job beside it, if December has the home."""
    gate = flag("home_outside_in_december")
    gates = {"home_outside_in_december": gate}
    home, job = (
        pl.when(gate).then(count(f"months_{name}_outside")).otherwise(0) for name in ("home", "job")
    )
    return Parts(
        [
            full_years("home", home, p.centipoints_per_year_home, gates),
            full_years("job", job, p.centipoints_per_year_job, gates),
        ],
        at_most=p.centipoints_at_most,
    )
