"""Innovation and entrepreneurship (创新创业): the best single item (Measures art. 5(5)).

An approved award, or the financing of a technology firm the applicant works in and held a large
enough share of all of the year before.  Both give whole points, so nothing is rounded.
"""

from typing import Annotated

import polars as pl
from pydantic import with_config
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from transforms.evidence import CODE, DAY, FEN, POINTS, Evidence
from transforms.facts import Facts
from transforms.parts import Part, Parts
from transforms.rounds import Round
from transforms.sums import exact_sum
from transforms.units import STRICT, BasisPoints, Centipoints, Fen, Several, Years

AWARD: Evidence = {"award_points": POINTS, "award_scope": CODE, "awarded_on": DAY}
EVIDENCE: Evidence = {**AWARD, "financing_fen": FEN}


@with_config(STRICT)
class Tier(TypedDict):
    """What financing of at least an amount gives."""

    fen_at_least: Fen
    centipoints: Centipoints


@dataclass(frozen=True, config=STRICT)
class Params:
    """Limits of awards, the smallest share, the years of financing and its tiers."""

    centipoints_at_most: Centipoints
    municipal_centipoints_at_most: Centipoints
    share_bp_at_least: BasisPoints
    financing_years: Years
    financing_tiers: Annotated[
        list[Tier], Several("fen, centipoints", by=("fen_at_least",), ascending=True)
    ]


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The best award (points, scope, day) and the largest financing of a firm that qualifies."""
    return award(facts, p.municipal_centipoints_at_most, this_round).join(
        financing(facts, p, this_round), on="person", how="full", coalesce=True, validate="1:1"
    )


def award(facts: Facts, municipal_at_most: int, this_round: Round) -> pl.LazyFrame:
    """The award that gives most, the latest among equals."""
    return (
        facts.feeds["awards"]
        .filter(pl.col("awarded_on") <= this_round.reference_date)
        .select(
            "person",
            award_points="points",
            award_scope="scope",
            awarded_on="awarded_on",
        )
        .sort(
            "person",
            award_centipoints(municipal_at_most),
            "awarded_on",
            "award_scope",
            "award_points",
            descending=[False, True, True, False, True],
        )
        .unique("person", keep="first", maintain_order=True)
    )


def financing(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """Equity cash of the firms the applicant works in and holds, the largest sum."""
    cash = (
        facts.feeds["financings"]
        .filter(
            pl.col("received_on").is_between(
                this_round.first_day(p.financing_years), this_round.reference_date
            )
        )
        .group_by("employer")
        .agg(financing_fen=exact_sum(pl.col("amount_fen")))
    )
    return (
        qualifying_firms(facts, p, this_round)
        .join(cash, on="employer", how="inner", validate="m:1")
        .group_by("person")
        .agg(pl.col("financing_fen").max())
    )


def qualifying_firms(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """person, employer: share held all of the year before, technology firm, works there."""
    year_start = this_round.first_day(1)
    held = facts.feeds["shareholdings"].filter(
        pl.col("share_bp") >= p.share_bp_at_least,
        pl.col("held_from") <= year_start,
        pl.col("held_to").is_null() | (pl.col("held_to") >= this_round.reference_date),
    )
    firms = facts.feeds["employers"].filter(pl.col("high_tech") | pl.col("tech_sme"))
    december = facts.insurance.filter(pl.col("month") == this_round.reference_date.replace(day=1))
    return (
        held.join(firms, on="employer", how="semi")
        .join(december, on=["person", "employer"], how="semi")
        .select("person", "employer")
        .unique()
    )


def award_centipoints(municipal_at_most: int) -> pl.Expr:
    """An award's whole points, limited by its scope; null without an award."""
    points = pl.col("award_points") * 100
    return (
        pl.when(pl.col("award_scope") == "municipal")
        .then(pl.min_horizontal(points, municipal_at_most))
        .otherwise(points)
    )


def award_part(municipal_at_most: int) -> Part:
    """The best award."""
    shown = {name: pl.col(name) for name in ("award_points", "award_scope")}
    return Part("award", award_centipoints(municipal_at_most).fill_null(0), shown=shown)


def parts(p: Params, this_round: Round) -> Parts:
    """The better of the two, up to the limit."""
    cash = pl.col("financing_fen")
    tier = pl.max_horizontal(
        pl.when(cash >= each["fen_at_least"]).then(each["centipoints"]).otherwise(0)
        for each in p.financing_tiers
    )
    financing = Part("financing", tier, shown={"financing_fen": cash})
    award = award_part(p.municipal_centipoints_at_most)
    return Parts([award, financing], "largest", at_most=p.centipoints_at_most)
