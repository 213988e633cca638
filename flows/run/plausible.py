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


def of_another_year(order: Order, work: Path) -> str | None:
    """What is wrong when most accepted applications were submitted in another year."""
    years = read_table(work / "accepted" / "applications.parquet", columns=["submitted_at"])[
        "submitted_at"
    ].dt.year()
    others = years.filter(years != order.year)
    if 2 * len(others) <= len(years):
        return None
    return (
        f"expected applications submitted in {order.year}, found {len(others):,} of"
        f" {len(years):,} of another year, most of {others.mode().sort()[0]}"
    )


def less_than_current(order: Order, work: Path, current: Size | None) -> str | None:
    """What is wrong when a run is much less than the one it would replace."""
    if current is None or order.keep:
        return None
    row = read_table(work / "rounds.parquet").row(0, named=True)
    if current.eligible and not row["eligible"]:
        return (
            f"expected somebody eligible, as the current run {current.run_id} of round"
            f" {order.year} has {current.eligible:,}, found nobody"
        )
    if 2 * row["applications"] < current.applications:
        return (
            f"expected at least half of the {current.applications:,} applications of the current"
            f" run {current.run_id} of round {order.year}, found {row['applications']:,}"
        )
    return None


def require_plausible(order: Order, *wrong: str | None) -> str | None:
    """The reason to publish a run all the same, where one was needed; RunRefused where none was given."""
    for message in filter(None, wrong):
        if order.anyway is None:
            raise RunRefused(
                f"{message}; nothing was published. Is it the right delivery and the right round? If"
                " it is, run again with --anyway REASON; the reason is kept and published"
            )
        return order.reason()
    # what is only kept is not held to what is current: the reason may be needed when it becomes that
    return order.reason() if order.keep else None
