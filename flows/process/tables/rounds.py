"""What `rounds` has beside what a run says: state and counts of what came after the publication."""

import polars as pl

from flows.process.tables.view import View
from schemas.process import PRELIMINARY, RoundStates


def table(of: View) -> pl.DataFrame:
    """One row a round that has a current run."""
    columns = RoundStates.to_schema().columns
    return pl.DataFrame(
        [{"round": year, **PRELIMINARY} for year in of.current],
        schema={name: column.dtype.type for name, column in columns.items()},
    )
