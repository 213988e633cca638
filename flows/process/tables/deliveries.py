"""The table `deliveries`: every delivery that was taken in, also one that was taken back."""

from datetime import datetime

import polars as pl

from flows.ledger.operations import DELIVER
from flows.process.tables.view import View, frame, in_table

OF_THE_BODY = ("feed", "scope", "department", "rows", "accepted", "quarantined", "withdrawn")


def table(of: View) -> pl.DataFrame:
    """One row a delivery, in ledger order."""
    state = of.state
    return frame(
        "deliveries",
        (
            {
                "round": entry.round,
                "delivery_id": entry.body["id"],
                **{name: entry.body[name] for name in OF_THE_BODY},
                "delivered_at": in_table(datetime.fromisoformat(entry.body["delivered_at"])),
                "at": in_table(entry.moment),
                "retracted": entry.seq in state.retracted,
            }
            for year in state.rounds
            for entry in state.made(DELIVER, year)
        ),
    )
