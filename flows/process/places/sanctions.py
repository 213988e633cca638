"""`sanction`: false material was found (docs/process.md, 6; data contract 3, `not_barred`).

A finding on a person cancels their place of that round, a registered one too; one on an employer
cancels none by itself.  The bar follows from the finding: every run of a year it covers reads it
among its sanctions.
"""

from datetime import date

import polars as pl

from flows.common.failures import NotFound, ProcessRefused
from flows.ledger.operations import SANCTION
from flows.ledger.state import State
from flows.process.applications import known_among, require_application_no
from flows.process.dates import require_not_after
from flows.process.ids import new_ids
from flows.process.read import require_warehouse
from flows.process.signatures import free_text
from flows.process.turn import Asked, Turn, turn
from schemas.identifiers import is_credit_code

APPLICANT, EMPLOYER = "applicant", "employer"


def sanction(asked: Asked, subject: str, found_on: date, reason: str) -> Turn:
    """Record a finding; raises a Failure for a subject nobody knows or a finding that stands already."""
    why = free_text(reason, "--reason")
    require_application_no(subject)  # a credit code has that form too
    require_warehouse(asked.warehouse)
    with turn(asked) as now:
        now.judge()
        require_not_after(found_on, now.at, "--found-on")
        kind = kind_of(now.state, asked, subject)
        named = {
            "application_no": subject if kind == APPLICANT else None,
            "credit_code": subject if kind == EMPLOYER else None,
        }
        require_new(now.state, asked.round, {**named, "found_on": f"{found_on}"})
        name = next(new_ids(now.state, SANCTION, asked.round, "sanction"))
        now.record(
            {"id": name, "subject_kind": kind, **named, "found_on": f"{found_on}", "reason": why}
        )
    return now


def kind_of(state: State, asked: Asked, subject: str) -> str:
    """Whether a subject is an applicant or an employer; raises NotFound for one that is neither."""
    if known_among(state, asked.warehouse, asked.round, {subject}):
        return APPLICANT
    if pl.select(is_credit_code(pl.lit(subject))).item():
        return EMPLOYER
    raise NotFound(
        f"expected an application of round {asked.round} or a credit code with its check character,"
        f" found {len(subject)} characters that are neither"
    )


def require_new(state: State, year: int, finding: dict[str, str | None]) -> None:
    """Raise ProcessRefused where the same finding stands: it was entered before."""
    for each in state.standing(SANCTION, year, **finding):
        raise ProcessRefused(
            f"expected a finding that is not entered yet, found it in entry {each.seq}"
        )
