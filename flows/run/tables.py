"""The two tables that say what a run is about: `rounds` and `feeds`."""

from pathlib import Path
from typing import Any

import polars as pl

from flows.common.by_name import scan_table
from flows.common.points import in_points
from flows.common.settings import Order
from schemas.feeds import FEEDS
from transforms.ranking import Line


def feed_counts(year: int, delivery: dict[str, Any]) -> pl.DataFrame:
    """The `feeds` table: a line a feed."""
    return pl.DataFrame(
        [
            {
                "round": year,
                "feed": feed,
                "department": FEEDS[feed].department,
                "files": len(counts["files"]),
                **{name: counts[name] for name in ("rows", "accepted", "quarantined")},
                **{name: counts[name] for name in ("duplicates", "strangers")},
            }
            for feed, counts in delivery["feeds"].items()
        ],
        schema_overrides={"round": pl.Int32},
    )


def round_row(order: Order, work: Path, run_id: str, line: Line) -> pl.DataFrame:
    """The `rounds` table: one line."""
    this_round = order.round()
    ranked = scan_table(work / "ranking.parquet").select("total")
    return pl.DataFrame(
        {
            "round": this_round.year,
            "edition": order.edition().name,
            "policy_date": this_round.policy_date,
            "reference_date": this_round.reference_date,
            "quota": this_round.quota,
            "run_id": run_id,
            "applications": scan_table(work / "scores.parquet").select(pl.len()).collect().item(),
            "eligible": line.eligible,
            "settled": line.settled,
            "cutoff": line.cutoff,
            "tied_at_cutoff": line.tied_at_cutoff,
            "rechecked": order.recheck,
        },
        schema_overrides={"round": pl.Int32, "cutoff": pl.Int64},
    ).with_columns(
        in_points(pl.col("cutoff")),
        highest=pl.lit(ranked.max().collect().item(), pl.Decimal(9, 2)),
    )
