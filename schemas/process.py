"""The tables of the annual process (docs/process.md, 7): they show a ledger, and no run directory holds them.

No name and no free text of anybody is in them: people are named by round and application number.
Times are Beijing's.
"""

from typing import Any

from schemas import models as pa
from schemas.columns import CalendarDay, Flag, Moment, Points, Text, Whole, Year


def nullable() -> Any:
    """A column that may be null."""
    return pa.Field(nullable=True)


class OfProcess(pa.DataFrameModel):
    """A table that shows the ledger: exactly these columns."""

    class Config:
        strict = True
        ordered = True


class OfRound(OfProcess):
    """A table with a row's round first."""

    round: Year


class RoundStates(OfRound):
    """One row a round: what its publication and all that came after it did."""

    state: Text = pa.Field(isin=["preliminary", "published"])
    published_at: Moment = nullable()
    cancelled: Whole = pa.Field(ge=0)
    withdrawn: Whole = pa.Field(ge=0)
    lapsed: Whole = pa.Field(ge=0)
    registered: Whole = pa.Field(ge=0)
    children: Whole = pa.Field(ge=0)


class Deliveries(OfRound):
    """One row a delivery of a feed, also one that was retracted."""

    delivery_id: Text
    feed: Text
    scope: Text = pa.Field(isin=["all", "part", "people"])
    department: Text
    rows: Whole
    accepted: Whole
    quarantined: Whole
    withdrawn: Whole
    delivered_at: Moment
    at: Moment
    retracted: Flag


class Appeals(OfRound):
    """One row an appeal (复查, 申诉) that was not retracted."""

    appeal_id: Text
    application_no: Text
    subject: Text
    kind: Text = pa.Field(isin=["review", "appeal"])
    status: Text = pa.Field(isin=["pending", "upheld", "partly_upheld", "refused", "withdrawn"])
    filed_at: Moment
    decided_at: Moment = nullable()


class Displacement(OfRound):
    """One row an appeal that was upheld, at least partly: what it did, before and after."""

    appeal_id: Text
    decision: Whole = pa.Field(gt=0)
    application_no: Text
    total_before: Points = nullable()
    total_after: Points = nullable()
    rank_before: Whole = nullable()
    rank_after: Whole = nullable()
    settled_before: Flag = nullable()
    settled_after: Flag = nullable()
    line: Points = nullable()
    line_without: Points = nullable()
    tied: Whole = nullable()
    tied_without: Whole = nullable()
    settled: Whole = nullable()
    settled_without: Whole = nullable()
    together: Flag
    run_before: Text = nullable()
    run_after: Text = nullable()


class Settlements(OfRound):
    """One row a place of a published list, whatever became of it."""

    serial: Whole
    status: Text = pa.Field(isin=["entitled", "registered", "cancelled", "withdrawn", "lapsed"])
    since: CalendarDay
    children: Whole = nullable()


class LedgerTable(OfProcess):
    """One row an entry of the ledger."""

    seq: Whole = pa.Field(gt=0)
    at: Moment
    clock: Text = pa.Field(isin=["system", "given"])
    round: Year = nullable()
    operation: Text
    overridden: Flag


class Shown(OfProcess):
    """One row: the ledger and the entry up to which this database shows it."""

    warehouse: Text
    seq: Whole
    head: Text


PROCESS: dict[str, type[pa.DataFrameModel]] = {
    "deliveries": Deliveries,
    "appeals": Appeals,
    "displacement": Displacement,
    "settlements": Settlements,
    "ledger": LedgerTable,
    "ledger_shown": Shown,
}

# what `rounds` has beside what a run says, and what a round has that was never published
STATES = [name for name in pa.columns(RoundStates) if name != "round"]
PRELIMINARY: dict[str, Any] = {"state": "preliminary", "published_at": None} | dict.fromkeys(
    STATES[2:], 0
)
