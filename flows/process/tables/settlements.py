"""The table `settlements`."""

import polars as pl

from flows.process.tables.view import View, frame


def table(of: View) -> pl.DataFrame:  # noqa: ARG001 (no operation makes any yet)
    """No row: no operation makes any yet."""
    return frame("settlements", [])
