"""The table `appeals`."""

import polars as pl

from flows.process.appeals.standing import WITHDRAWN, appeals
from flows.process.tables.view import View, frame, in_table


def table(of: View) -> pl.DataFrame:
    """One row an appeal that was not retracted, in the order they were filed."""
    return frame(
        "appeals",
        (
            {
                "round": year,
                "appeal_id": each.id,
                "application_no": each.application_no,
                "subject": each.subject,
                "kind": each.kind,
                "status": each.status,
                "filed_at": in_table(each.filed.moment),
                "decided_at": in_table(each.decision.moment)
                if each.decision and each.status != WITHDRAWN
                else None,
            }
            for year in of.state.rounds
            for each in appeals(of.state, year).values()
        ),
    )
