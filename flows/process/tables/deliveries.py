"""The table `deliveries`: every delivery that was taken in, also one that was taken back."""

from datetime import datetime

import polars as pl

from flows.process.tables.view import View, frame

DELIVER = "deliver"
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
                "delivered_at": of_beijing(entry.body["delivered_at"]),
                "at": of_beijing(entry.at),
                "retracted": entry.seq in state.retracted,
            }
            for year in state.rounds
            for entry in state.made(DELIVER, year)
        ),
    )


def of_beijing(text: str) -> datetime:
    """A time as tables have it: Beijing's, without saying so."""
    return datetime.fromisoformat(text).replace(tzinfo=None)
