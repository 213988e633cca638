"""Rank over all buckets by counts: how many have each total gives line, ties and every rank.

A rank is one more than the people above.  Serials follow the order of the whole list, so they are
given where it is put together, to those at or above the line.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from flows.common.by_name import read_table, scan_table
from flows.common.files import write_parts
from flows.common.points import centipoints, in_points
from flows.common.settings import Order
from flows.run.buckets.layout import complete
from flows.run.buckets.merge import Ascending, merged
from flows.run.buckets.tasks import of_buckets
from flows.run.score import SEGMENTS, public_list, publish_table, segments, validated
from transforms.ranking import SERIALS_A_YEAR, Line
from transforms.rounds import Round

STANDINGS = "standings.parquet"
SCORED = ("scores.parquet", "eligibility.parquet", STANDINGS)  # what a bucket is ranked by


def rank_in_buckets(order: Order, work: Path, places: list[Path]) -> Line:
    """Write the ranking, the segments and the public list; returns the line."""
    this_round = order.round()
    standing = standings(places, this_round.quota)
    for place in places:
        complete([standing], place / STANDINGS)
    of_buckets("buckets ranked", "rank", rank_bucket, places, takes=SCORED)
    write_parts(ranking(places, this_round), work / "ranking.parquet")
    shown = scan_table(work / "ranking.parquet")
    publish_table(work, "segments", segments(shown.head(max(SEGMENTS)).collect()))
    settled = shown.filter("settled").collect()
    listed = pl.concat(public_list(place, settled) for place in places)
    publish_table(work, "public_list", listed.sort("serial"))
    return line(standing)


def totals(folder: Path) -> Path:
    """Where it lies how many of a bucket have each total."""
    return folder / "totals.parquet"


def eligible(folder: Path) -> pl.DataFrame:
    """The eligible of a bucket: application_no, total in centipoints."""
    table = read_table(folder / "scores.parquet", columns=["application_no", "total"])
    held = read_table(folder / "eligibility.parquet", columns=["eligible"])["eligible"]
    return table.filter(held).select("application_no", total=centipoints("total"))


def count_totals(folder: Path) -> None:
    """Count the eligible of a bucket by their total."""
    counted = eligible(folder).group_by("total").agg(people=pl.len().cast(pl.Int64))
    complete([counted.sort("total")], totals(folder))


def standings(places: list[Path], quota: int) -> pl.DataFrame:
    """total, people, rank, settled: every total there is, from the highest; in centipoints."""
    counted = pl.concat(read_table(totals(place)) for place in places)
    return (
        counted.group_by("total")
        .agg(pl.col("people").sum())
        .sort("total", descending=True)
        .with_columns(rank=pl.col("people").cum_sum() - pl.col("people") + 1)
        .with_columns(settled=pl.col("rank") <= quota)  # fewer than the quota stand above
    )


def line(standing: pl.DataFrame) -> Line:
    """The line that standings draw."""
    settled = standing.filter("settled")
    cutoff, tied = settled.select("total", "people").row(-1) if settled.height else (None, 0)
    return Line(
        eligible=int(standing["people"].sum()),
        settled=int(settled["people"].sum()),
        cutoff=cutoff,
        tied_at_cutoff=tied,
    )


def rank_bucket(folder: Path) -> None:
    """Give everybody eligible in a bucket the rank of their total."""
    standing = read_table(folder / STANDINGS)
    ranked = eligible(folder).join(standing.drop("people"), on="total", validate="m:1")
    complete([ranked.sort("rank", "application_no")], folder / "ranking.parquet")


def ranking(places: list[Path], this_round: Round) -> Iterator[pl.DataFrame]:
    """The published ranking, piece by piece; its serials count on."""
    before = this_round.year * SERIALS_A_YEAR
    tables = [Ascending(place / "ranking.parquet", "rank") for place in places]
    for rows in merged(tables, then=["application_no"]):
        place = pl.int_range(1, pl.len() + 1, dtype=pl.Int64) + before
        before += rows.height
        yield validated(
            "ranking",
            rows.with_columns(
                in_points(pl.col("total")),
                round=pl.lit(this_round.year, pl.Int32),
                serial=pl.when("settled").then(place),
            ),
        )
