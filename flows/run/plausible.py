"""Runs that look like a mistake are refused: another year's delivery, half a delivery, nobody eligible.

`--anyway REASON` lets them pass, and the reason is kept where analysts see it.
"""

from pathlib import Path
from typing import NamedTuple

from flows.common.by_name import read_table
from flows.common.failures import RunRefused
from flows.common.settings import Order


class Size(NamedTuple):
    """How many applications a run holds, and how many of them are eligible."""

    run_id: str
    applications: int
    eligible: int


def require_own_year(order: Order, work: Path) -> None:
    """Raise RunRefused when most accepted applications were submitted in another year."""
    years = read_table(work / "accepted" / "applications.parquet", columns=["submitted_at"])[
        "submitted_at"
    ].dt.year()
    others = years.filter(years != order.year)
    if 2 * len(others) > len(years):
        most = others.mode().sort()[0]
        refuse(
            order,
            f"expected applications submitted in {order.year}, found {len(others):,} of"
            f" {len(years):,} of another year, most of {most}",
        )


def require_like_current(order: Order, work: Path, current: Size | None) -> None:
    """Raise RunRefused when a run is much less than the one it would replace."""
    if current is None or order.keep:
        return
    row = read_table(work / "rounds.parquet").row(0, named=True)
    if current.eligible and not row["eligible"]:
        refuse(
            order,
            f"expected somebody eligible, as the current run {current.run_id} of round"
            f" {order.year} has {current.eligible:,}, found nobody",
        )
    if 2 * row["applications"] < current.applications:
        refuse(
            order,
            f"expected at least half of the {current.applications:,} applications of the current"
            f" run {current.run_id} of round {order.year}, found {row['applications']:,}",
        )


def refuse(order: Order, message: str) -> None:
    """Refuse a run, unless a reason was given to publish it anyway."""
    if order.anyway is None:
        raise RunRefused(
            f"{message}; nothing was published. Is it the right delivery and the right round? If it"
            " is, run again with --anyway REASON; the reason is kept and published"
        )
