"""The table `displacement`: worked out again only where a run or a decision of the round is another."""

import polars as pl

from flows.process.displacement.of_round import measured
from flows.process.displacement.rows import in_points
from flows.process.tables.view import View, frame
from transforms.phases import spans
from transforms.rounds import load_round

KEY = ("appeal_id", "decision", "run_before", "run_after")  # what the figures follow from


def table(of: View) -> pl.DataFrame:
    """One row a decision that upheld an appeal, at least partly."""
    return pl.concat([frame("displacement", []), *(rows_of(of, year) for year in of.state.rounds)])


def rows_of(of: View, year: int) -> pl.DataFrame:
    """The rows of a round: those shown already where they follow from the same runs and decisions."""
    file = f"rounds/{year}.toml"
    of_round = spans(file, load_round(of.data / "rounds", year).phases)
    found = measured(of.state, of.warehouse, year, of_round, of.current.get(year))
    known = of.displaced.filter(pl.col("round") == year)
    if known.select(KEY).rows() == [tuple(key[name] for name in KEY) for key in found.keys]:
        return known
    return frame("displacement", map(in_points, (each.row for each in found.decided())))
