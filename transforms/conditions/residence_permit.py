"""Residence permit (居住证): held on the permit date (Measures art. 4(1)).

A permit counts from valid_from to valid_to, both days included; no end means still valid.
"""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.checks import Check, at_least
from transforms.evidence import COUNT, DAY, Evidence
from transforms.facts import Facts
from transforms.rounds import Round
from transforms.units import STRICT

EVIDENCE: Evidence = {"permits_valid": COUNT, "valid_from": DAY, "permit_date": DAY}


@dataclass(frozen=True, config=STRICT)
class Params:
    """The rule has no values: the permit date is the round's."""


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The permits that are valid on the permit date, and the day the longest of them ends."""
    day = this_round.permit_date
    return (
        facts.feeds["residence_permits"]
        .filter(
            pl.col("valid_from") <= day,
            pl.col("valid_to").is_null() | (pl.col("valid_to") >= day),
        )
        .group_by("person")
        .agg(
            permits_valid=pl.len().cast(pl.Int64),
            valid_from=pl.col("valid_from").min(),
            permit_date=pl.lit(day).first(),
        )
    )


def checks(p: Params, this_round: Round) -> list[Check]:
    """At least one permit is valid."""
    return [at_least("permits_valid", 1)]
