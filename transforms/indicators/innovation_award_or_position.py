"""Innovation and entrepreneurship by award or position (创新创业, Trial measures art. 5(5)): the best
single item.

An approved award, or the full years held in one position up to the reference date.  A year is full
on the day of the month the position began on, 29 February clipped to the 28th.  Both give whole
points, so nothing is rounded.
"""

from typing import Annotated

import polars as pl
from pydantic import with_config
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from transforms.evidence import CODE, DAY, YEARS, Evidence
from transforms.facts import Facts
from transforms.indicators.innovation import AWARD, award, award_part
from transforms.parts import Part, Parts
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints, PositionKind, Several

EVIDENCE: Evidence = {
    **AWARD,
    "position_kind": CODE,
    "position_from": DAY,
    "position_until": DAY,
    "position_years": YEARS,
}


@with_config(STRICT)
class Position(TypedDict):
    """What a kind of position gives."""

    kind: PositionKind
    centipoints_per_year: Centipoints
    centipoints_at_most: Centipoints


@dataclass(frozen=True, config=STRICT)
class Params:
    """Limits of awards, and for each kind of position what a year gives and the most it gives."""

    centipoints_at_most: Centipoints
    municipal_centipoints_at_most: Centipoints
    positions: Annotated[list[Position], Several("centipoints", by=("kind",))]


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The best award (points, scope, day) and the best position (kind, full years, days)."""
    return award(facts, p.municipal_centipoints_at_most, this_round).join(
        position(facts, p, this_round), on="person", how="full", coalesce=True, validate="1:1"
    )


def position(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The position that gives most, the longest among equals."""
    begun, until = pl.col("position_from"), pl.col("position_until")
    years = until.dt.year() - begun.dt.year()
    is_full = begun.dt.offset_by(pl.format("{}mo", years * 12)) <= until
    return (
        facts.feeds["positions"]
        .filter(pl.col("held_from") <= this_round.reference_date)
        .select(
            "person",
            position_kind="kind",
            position_from="held_from",
            position_until=pl.min_horizontal("held_to", pl.lit(this_round.reference_date)),
        )
        .with_columns(position_years=years.cast(pl.Int64) - (~is_full).cast(pl.Int64))
        .sort(
            "person",
            position_centipoints(p),
            "position_years",
            "position_kind",
            "position_from",
            "position_until",
            descending=[False, True, True, False, False, False],
        )
        .unique("person", keep="first", maintain_order=True)
    )


def position_centipoints(p: Params) -> pl.Expr:
    """The full years of a position at its rate, up to its limit; null without a position."""
    return pl.coalesce(
        pl.when(pl.col("position_kind") == each["kind"]).then(
            pl.min_horizontal(
                pl.col("position_years") * each["centipoints_per_year"], each["centipoints_at_most"]
            )
        )
        for each in p.positions
    )


def parts(p: Params, this_round: Round) -> Parts:
    """The better of the two, up to the limit."""
    shown = {"position_kind": pl.col("position_kind"), "full_years": pl.col("position_years")}
    position = Part("position", position_centipoints(p).fill_null(0), shown=shown)
    award = award_part(p.municipal_centipoints_at_most)
    return Parts([award, position], "largest", at_most=p.centipoints_at_most)
