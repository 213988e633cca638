"""The tables of the database that no run keeps: `filings`, and the `official` results.

They follow from what a run has accepted and from the round files.  So a run keeps its bytes, and one
made before there were such tables shows them too.
"""

from pathlib import Path

import polars as pl

from flows.common.by_name import scan_table
from flows.common.points import in_points
from flows.common.settings import DATA
from flows.kept.tables import feed
from schemas.results import types_of
from transforms.policy import PolicyError
from transforms.rounds import load_round, rounds


def filings(run: Path) -> pl.DataFrame:
    """What the accepted applications of a run were filed with."""
    employers = feed(run, "employers").select("employer", employer_district="district")
    year = scan_table(run / "rounds.parquet").select("round")
    return (
        feed(run, "applications")
        .join(employers, on="employer", how="left", validate="m:1")
        .join(year, how="cross")
        .sort("application_no")
        .select(pl.col(name).cast(kind) for name, kind in types_of("filings").items())
        .collect()
    )


def official(data: Path) -> pl.DataFrame:
    """The official results that the round files state, those of a run's own data first."""
    found = {**published(DATA), **published(data)}
    points = [name for name in types_of("official") if name in ("cutoff", "highest")]
    rows = [{"round": year, **stated} for year, stated in sorted(found.items())]
    return pl.DataFrame(
        rows, schema=types_of("official") | dict.fromkeys(points, pl.Int64())
    ).with_columns(in_points(pl.col(name)) for name in points)


def published(data: Path) -> dict[int, dict[str, object]]:
    """What is known of the official result by year; a round file that is not right states none.

    A run reads only its own round's file, and no other may stop it.
    """
    found: dict[int, dict[str, object]] = {}
    for year in rounds(data / "rounds"):
        try:
            stated = load_round(data / "rounds", year).published
        except PolicyError:
            continue
        if stated:
            found[year] = {
                name.removesuffix("_centipoints"): value for name, value in stated.items()
            }
    return found
