"""A change that was not: rows of the accepted feeds put, replaced or taken out for one applicant.

An edit is whole rows, as accepted, so that a change can be applied to a delivery by anybody who
wants to try it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]
OF_EMPLOYERS = ("employers", "financings")  # a row of these may concern several applicants


@dataclass(
    frozen=True, eq=False
)  # one edit is shared by many changes: known by itself, not by value
class Edit:
    """A row of a feed before and after; nothing before = put in, nothing after = taken out."""

    feed: str
    before: Row | None
    after: Row | None

    @property
    def employer(self) -> int | None:
        """The employer whose record is edited, if it is no record of a person."""
        row = self.after or self.before or {}
        if self.feed in OF_EMPLOYERS or (self.feed == "sanctions" and row["person"] is None):
            return int(row["employer"])
        return None


@dataclass(frozen=True)
class Change:
    """Edits of one kind; `units` counts records, or months of records that last."""

    kind: str
    units: int
    edits: tuple[Edit, ...]
    # what a reader wants to know beside the number of units
    facts: Row = field(default_factory=dict)

    @property
    def employers(self) -> set[int]:
        """The employers whose records it edits: it concerns their other applicants too."""
        return {edit.employer for edit in self.edits if edit.employer is not None}

    @property
    def months(self) -> list[date]:
        """The insured months it is about, ascending; none for other records."""
        return sorted(
            edit.after["month"] for edit in self.edits if edit.after and "month" in edit.after
        )

    def rows(self) -> list[tuple[str, Row | None, Row | None]]:
        """The edits by value: two changes with equal ones are the same change."""
        return [(edit.feed, edit.before, edit.after) for edit in self.edits]


def growing(kind: str, edits: Sequence[Edit]) -> Iterator[Change]:
    """The first edit, the first two, and so on: a unit each."""
    for units in range(1, len(edits) + 1):
        yield Change(kind, units, tuple(edits[:units]))
