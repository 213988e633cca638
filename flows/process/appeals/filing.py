"""`appeal file`: one appeal, or a list of them, all or none (docs/process.md, 4).

One pending appeal on a matter, and one of a kind: a retry is given the id of the first.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from flows.common.failures import BadUsage, NotFound, ProcessRefused
from flows.ledger.operations import APPEAL_FILE
from flows.process.appeals.standing import KIND_OF_ID, PENDING, WITHDRAWN, Appeal, appeals
from flows.process.applications import (
    are_application_nos,
    known_among,
    require_application_no,
)
from flows.process.ids import new_ids
from flows.process.lists_from_csv import message_with_row, read_list
from flows.process.read import require_warehouse
from flows.process.signatures import free_text
from flows.process.turn import Asked, Turn, turn

if TYPE_CHECKING:
    from flows.ledger.entries import Body

COLUMNS = ("application_no", "subject", "claim")


class Claim(NamedTuple):
    """What an applicant asks for."""

    application_no: str
    subject: str
    claim: str

    @property
    def matter(self) -> tuple[str, str]:
        """What only one pending appeal may be about."""
        return self.application_no, self.subject


def claims_in(path: Path) -> list[Claim]:
    """The claims of a CSV file; raises BadUsage where it is none."""
    return [Claim(*(row[name] for name in COLUMNS)) for row in read_list(path, COLUMNS)]


def file_appeals(asked: Asked, claims: Sequence[Claim], source: Path | None = None) -> Turn:
    """Enter appeals; raises a Failure, with the row of the list, and then none of them is entered."""
    are_numbers = are_application_nos([each.application_no for each in claims])
    given = [
        checked(asked, each, source, row, is_number=is_number)
        for row, (each, is_number) in enumerate(zip(claims, are_numbers, strict=True), 1)
    ]
    require_warehouse(asked.warehouse)
    with turn(asked) as now:
        kind = str(now.judge().kind)
        numbers = {each.application_no for each in given}
        known = known_among(now.state, asked.warehouse, asked.round, numbers)
        before: dict[tuple[str, str], list[Appeal]] = {}
        for appeal in appeals(now.state, asked.round).values():
            before.setdefault(appeal.matter, []).append(appeal)
        ids = new_ids(now.state, APPEAL_FILE, asked.round, KIND_OF_ID)
        rows: dict[tuple[str, str], int] = {}
        bodies: list[Body] = []
        for row, each in enumerate(given, 1):
            with message_with_row(source, row):
                if each.application_no not in known:
                    raise NotFound(
                        f"expected an application of round {asked.round}, found none of that number"
                    )
                if each.matter in rows:
                    raise BadUsage(f"expected a matter once, found that of row {rows[each.matter]}")
                require_open(before.get(each.matter, ()), kind)
            rows[each.matter] = row
            bodies.append({"id": next(ids), "kind": kind, **each._asdict()})
        now.record(*bodies)
    return now


def checked(asked: Asked, claim: Claim, source: Path | None, row: int, *, is_number: bool) -> Claim:
    """A claim as it is recorded; raises BadUsage for what no appeal can be."""
    with message_with_row(source, row):
        if not is_number:
            require_application_no(claim.application_no)
        asked.rules.subject(claim.subject)
        return claim._replace(claim=free_text(claim.claim, "--claim"))


def require_open(before: Iterable[Appeal], kind: str) -> None:
    """Raise ProcessRefused where a matter is pending, or was decided in the same kind of appeal."""
    for each in before:
        if each.status == PENDING:
            raise ProcessRefused(
                f"expected no pending appeal on that matter, found {each.id} of {each.filed.at[:10]}"
            )
        if each.kind == kind and each.status != WITHDRAWN:
            raise ProcessRefused(
                f"expected no {kind} on that matter that was decided, found {each.id}, {each.status}"
            )
