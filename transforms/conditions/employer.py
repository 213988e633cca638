"""Employer (申报单位): registered in Beijing, registered for tax and paying it (2020 rules, Q&A 3).

An employer that is in no row of the employers feed fails.
"""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.checks import Check, is_true
from transforms.evidence import FLAG, Evidence
from transforms.facts import Facts
from transforms.rounds import Round
from transforms.units import STRICT

REGISTERED = ("registered_in_beijing", "tax_registered", "tax_paying")
EVIDENCE: Evidence = dict.fromkeys(REGISTERED, FLAG)


@dataclass(frozen=True, config=STRICT)
class Params:
    """The rule has no values."""


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """What the application's employer is registered as."""
    return (
        facts.applicants.select("person", "employer")
        .join(facts.feeds["employers"], on="employer", how="inner", validate="m:1")
        .select("person", *REGISTERED)
    )


def checks(p: Params, this_round: Round) -> list[Check]:
    """It is all three."""
    return [is_true(name) for name in REGISTERED]
