"""The checks a condition comes down to, each with what was found and what was asked (contract 3).

A condition holds when all its checks do.  They are worked out from the evidence the run recorded;
nothing on record is a count of zero.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from flows.explain.receipts.encode import Pieces, an_object, plain, quoted
from schemas.columns import INSURANCES
from transforms.policy import Rule
from transforms.rounds import Round


@dataclass(frozen=True)
class Check:
    """One comparison."""

    name: str
    found: pl.Expr  # JSON text
    asked: dict[str, Any]
    holds: pl.Expr

    def json(self) -> Pieces:
        """The check in a receipt."""
        return an_object(
            {"check": self.name, "found": self.found, **self.asked, "holds": plain(self.holds)}
        )


def at_least(name: str, asked: int) -> Check:
    """A count of the evidence that must reach a number."""
    found = pl.col(name).fill_null(0)
    return Check(name, plain(found), {"at_least": asked}, found >= asked)


def at_most(name: str, asked: int) -> Check:
    """A count of the evidence that must not exceed a number."""
    found = pl.col(name).fill_null(0)
    return Check(name, plain(found), {"at_most": asked}, found <= asked)


def true(name: str, **shown: Any) -> Check:
    """A truth value of the evidence; nothing on record is not true."""
    found = pl.col(name).fill_null(value=False)
    return Check(name, plain(found), {**shown, "equals": True}, found)


def residence_permit(rule: Rule, made: Round) -> list[Check]:
    """A permit valid on the permit date."""
    return [at_least("permits_valid", 1)]


def retirement_age(rule: Rule, made: Round) -> list[Check]:
    """Reached after the reference date only."""
    day = str(made.reference_date)  # ISO days compare as texts
    reached = pl.col("reached_on")
    return [Check("reached_on", quoted(reached), {"after": day}, reached > day)]


def social_insurance(rule: Rule, made: Round) -> list[Check]:
    """Each insurance in every month, few of them paid back, and insured before filing."""
    values = rule.values
    months = [at_least(f"months_{each}", values["months"]) for each in INSURANCES]
    paid_back = [
        at_most(f"months_back_paid_{each}", values["back_paid_months_at_most"])
        for each in INSURANCES
    ]
    if made.insured_in is None:
        return [*months, *paid_back]
    insured = true("insured_in_month", month=f"{made.insured_in:%Y-%m}")
    return [*months, *paid_back, insured]


def criminal_record(rule: Rule, made: Round) -> list[Check]:
    """No sentence."""
    return [at_most("sentences", 0)]


def employer(rule: Rule, made: Round) -> list[Check]:
    """Registered in Beijing, registered for tax and paying it."""
    return [true(name) for name in ("registered_in_beijing", "tax_registered", "tax_paying")]


def not_barred(rule: Rule, made: Round) -> list[Check]:
    """No finding in force."""
    return [at_most(name, 0) for name in ("findings_on_person", "findings_on_employer")]


CHECKS: dict[str, Callable[[Rule, Round], list[Check]]] = {
    "residence_permit": residence_permit,
    "retirement_age": retirement_age,
    "social_insurance": social_insurance,
    "criminal_record": criminal_record,
    "employer": employer,
    "not_barred": not_barred,
}
