"""Conditions from evidence: the checks one comes down to, each with what was found and asked.

A rule declares its checks once; whether the condition holds and what a receipt shows both come from
them.  It holds when all of them do; nothing on record is a count of zero, and not true.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from transforms.parts import count, flag


@dataclass(frozen=True)
class Check:
    """One comparison: what was found, and what was asked, in the words of a receipt."""

    name: str
    found: pl.Expr
    asked: dict[str, Any]
    holds: pl.Expr


def at_least(name: str, asked: int) -> Check:
    """A count of the evidence that must reach a number."""
    return Check(name, count(name), {"at_least": asked}, count(name) >= asked)


def at_most(name: str, asked: int) -> Check:
    """A count of the evidence that must not exceed a number."""
    return Check(name, count(name), {"at_most": asked}, count(name) <= asked)


def after(name: str, asked: date) -> Check:
    """A day of the evidence that must come after another."""
    later = (pl.col(name) > asked).fill_null(value=False)
    return Check(name, pl.col(name), {"after": asked}, later)


def is_true(name: str, **shown: Any) -> Check:
    """A truth value of the evidence."""
    return Check(name, flag(name), {**shown, "equals": True}, flag(name))


def all_hold(checks: Iterable[Check]) -> pl.Expr:
    """Whether a condition holds."""
    return pl.all_horizontal(check.holds for check in checks)
