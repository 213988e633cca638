"""Rounds as the public sees them, made of totals alone: for tests."""

from collections.abc import Sequence
from datetime import date, datetime

import polars as pl

from flows.common.points import in_points
from flows.public.rounds.outside import mean, outside
from flows.public.rounds.shown_round import ShownRound
from schemas.results import INDICATORS
from transforms.ranking import cutoff

TITLES = {"employment": "合法稳定就业", "residence": "合法稳定住所", "honour": "荣誉表彰"}


def shown_round(
    totals: Sequence[int], quota: int, *, ineligible: int = 100, preliminary: bool = False
) -> ShownRound:
    """A round of eligible people with these totals: all points are of employment but a hundredth."""
    pool = pl.DataFrame({"total": pl.Series(totals, dtype=pl.Int64)}).sort("total", descending=True)
    pool = pool.with_columns(
        pl.lit(0, pl.Int64).alias(name) for name in INDICATORS if name != "employment"
    ).with_columns(employment=pl.col("total") - 1, residence=pl.lit(1, pl.Int64))
    pool = pool.select(*INDICATORS, "total")
    line = cutoff(pool["total"], quota)
    settles = pl.lit(value=False) if line is None else pl.col("total") >= line
    listed, below = pool.filter(settles), pool.filter(~settles)
    settled = listed["total"].sort()
    people = listed.select(in_points(pl.all())).with_row_index("serial", 202000001)
    return ShownRound(
        year=2020,
        edition="2020",
        policy_date=date(2020, 7, 17),
        reference_date=date(2019, 12, 31),
        quota=quota,
        run_id="0123456789abcdef",
        manifest_sha256="0" * 64,
        preliminary=preliminary,
        published_at=None if preliminary else datetime(2020, 10, 15),  # noqa: DTZ001 (Beijing's)
        settled=listed.height,
        line=line,
        tied=0 if line is None else listed.filter(total=line).height,
        highest=None if line is None else int(settled[-1]),
        segments=tuple(
            (place, int(listed["total"][place - 1]))
            for place in range(1000, listed.height + 1, 1000)
        ),
        titles=TITLES,
        people=people.with_columns(
            serial=pl.col("serial").cast(pl.Int64),
            name=pl.lit("某某"),
            birth_month=pl.lit("1980-01"),
            employer=pl.lit("某公司"),
        ).select("serial", "name", "birth_month", "employer", "total", *INDICATORS),
        totals=tuple(settled),
        means={} if line is None else {name: mean(listed[name]) for name in listed.columns},
        outside=outside(below, quota=quota, applications=len(totals) + ineligible, settled=settled),
    )
