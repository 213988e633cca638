"""Whom a decision is about beside its applicant: a corrected employer's applicants go back together."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import polars as pl

from flows.ledger.operations import DELIVER
from flows.ledger.state import State
from flows.process.appeals.standing import Appeal
from flows.process.applications import delivered
from flows.process.deliveries.subjects import subjects_of

OF_EMPLOYERS = ("employers", "financings", "sanctions")  # feeds that name an employer


def covered(
    state: State, warehouse: Path, year: int, appeals: Sequence[Appeal], after: str | None
) -> dict[str, frozenset[str]]:
    """By appeal, the applications of every employer that its deliveries are about.

    Only of deliveries that are about the employer of the appeal's own application.
    """
    by_id = {each.body["id"]: each for each in state.made(DELIVER, year)}

    @cache
    def applications() -> pl.DataFrame:
        return delivered(state, warehouse, year, after)

    @cache
    def about(name: str) -> frozenset[str]:
        of = applications().filter(
            pl.col("employer_id").is_in(subjects_of(warehouse, by_id[name]).implode())
        )
        return frozenset(of["application_no"])

    found: dict[str, frozenset[str]] = {}
    for each in appeals:
        for name in each.deliveries:
            if by_id[name].body["feed"] in OF_EMPLOYERS and each.application_no in about(name):
                found[each.id] = found.get(each.id, frozenset()) | about(name)
    return found
