"""What would have been enough, for machines: each change with the records it edits.

Records are rows as accepted, without the number of the person and the name of an employer;
`employer` is the run's own number of one, as in its accepted rows.
"""

from datetime import date
from typing import Any

from flows.explain.what_if.change import Edit, Row
from flows.explain.what_if.nearest import Nearest, Reached

LEFT_OUT = ("person", "name", "employer_id")


def as_json(found: Nearest) -> dict[str, Any]:
    """The standing, and the changes that would have settled the applicant, smallest first."""
    return {
        "settled": found.settled,
        "total_centipoints": found.total,
        "to_reach_centipoints": found.line,
        "places": found.places,
        "conditions_failing": list(found.failing),
        "changes_tried": found.tried,
        "changes": [change(each) for each in found.reached],
    }


def change(reached: Reached) -> dict[str, Any]:
    """One change, what it leads to, and its records before and after."""
    return {
        "kind": reached.change.kind,
        "units": reached.change.units,
        "total_centipoints": reached.total,
        "rank": reached.rank,
        "records": [record(edit) for edit in reached.change.edits],
    }


def record(edit: Edit) -> dict[str, Any]:
    """A row before and after; nothing before = put in, nothing after = taken out."""
    return {"feed": edit.feed, "before": row_as_json(edit.before), "after": row_as_json(edit.after)}


def row_as_json(row: Row | None) -> Row | None:
    """A row without the fields that name somebody, days as text."""
    return row and {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in row.items()
        if name not in LEFT_OUT
    }
