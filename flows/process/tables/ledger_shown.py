"""The table `ledger_shown`: which ledger the tables show, and up to which entry."""

import polars as pl

from flows.process.tables.view import View, frame


def table(of: View) -> pl.DataFrame:
    """One row; none where there is no ledger."""
    state = of.state
    shown = {"warehouse": state.warehouse, "seq": state.seq, "head": state.head}
    return frame("ledger_shown", [shown] if state.entries else [])
