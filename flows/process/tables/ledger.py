"""The table `ledger`: what was done and when, without names, reasons or any other text."""

import polars as pl

from flows.process.tables.view import View, frame

COLUMNS = ("seq", "at", "clock", "round", "operation")


def table(of: View) -> pl.DataFrame:
    """One row an entry."""
    entries = of.state.entries
    rows = pl.DataFrame(
        {name: [getattr(each, name) for each in entries] for name in COLUMNS}
        | {"overridden": [each.override is not None for each in entries]},
        schema_overrides={"round": pl.Int32, "seq": pl.Int64, "at": pl.String},
    )
    # an entry's time is Beijing's already: the offset at its end is left out
    times = pl.col("at").str.slice(0, len("2021-06-04T08:00:00.000000"))
    return frame("ledger", []).vstack(
        rows.with_columns(times.str.to_datetime("%Y-%m-%dT%H:%M:%S%.6f", time_unit="us"))
    )
