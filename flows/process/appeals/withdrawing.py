"""`appeal withdraw`: a pending appeal is given up; it may be filed again (docs/process.md, 4)."""

from dataclasses import replace

from flows.process.appeals.standing import KIND_OF_ID, appeal_of, require_pending
from flows.process.ids import year_of
from flows.process.read import require_warehouse
from flows.process.turn import Asked, Turn, turn


def withdraw(asked: Asked, name: str) -> Turn:
    """Record that an appeal was given up; raises a Failure where there is none that is pending."""
    asked = replace(asked, round=year_of(name, KIND_OF_ID))
    require_warehouse(asked.warehouse)
    with turn(asked) as now:
        appeal = appeal_of(now.state, name)
        now.judge()
        require_pending(appeal)
        now.record({"appeal": name})
    return now
