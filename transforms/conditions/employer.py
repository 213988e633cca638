"""Employer (申报单位): registered in Beijing, registered for tax and paying it (2020 rules, Q&A 3).

An employer that is in no row of the employers feed fails.
"""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.facts import Facts
from transforms.rounds import Round
from transforms.units import STRICT


@dataclass(frozen=True, config=STRICT)
class Params:
    """The rule has no values."""


def evidence(facts: Facts, p: Params, made: Round) -> pl.LazyFrame:
    """What the application's employer is registered as."""
    return (
        facts.applicants.select("person", "employer")
        .join(facts.feeds["employers"], on="employer", how="inner", validate="m:1")
        .select("person", "registered_in_beijing", "tax_registered", "tax_paying")
    )


def holds(p: Params) -> pl.Expr:
    """Whether it is all three."""
    return pl.all_horizontal("registered_in_beijing", "tax_registered", "tax_paying")
