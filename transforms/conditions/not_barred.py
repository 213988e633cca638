"""Not barred (未在禁止申报期内): no finding of false material in force (Measures art. 10).

A finding bars the applicant, or every application the employer files, in its year, whenever in the
year it falls, and in the years after it.
"""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.checks import Check, at_most
from transforms.evidence import COUNT, DAY, Evidence
from transforms.facts import Facts
from transforms.rounds import Round
from transforms.units import STRICT, Years

EVIDENCE: Evidence = {
    "findings_on_person": COUNT,
    "findings_on_employer": COUNT,
    "last_found_on": DAY,
}


@dataclass(frozen=True, config=STRICT)
class Params:
    """The years after the finding in which it still bars."""

    years_after: Years


def in_force(p: Params, this_round: Round) -> pl.Expr:
    """Whether a finding bars the round, by the day it was made."""
    return pl.col("found_on").dt.year().is_between(this_round.year - p.years_after, this_round.year)


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The findings in force on the person and on the application's employer."""
    findings = facts.feeds["sanctions"].filter(in_force(p, this_round))
    on_person = findings.filter(pl.col("person").is_not_null()).select(
        "person", "found_on", subject=pl.lit("person")
    )
    on_employer = (
        findings.filter(pl.col("employer").is_not_null())
        .select("employer", "found_on")
        .join(facts.applicants.select("person", "employer"), on="employer", validate="m:m")
        .select("person", "found_on", subject=pl.lit("employer"))
    )
    return (
        pl.concat([on_person, on_employer])
        .group_by("person")
        .agg(
            findings_on_person=(pl.col("subject") == "person").sum().cast(pl.Int64),
            findings_on_employer=(pl.col("subject") == "employer").sum().cast(pl.Int64),
            last_found_on=pl.col("found_on").max(),
        )
    )


def checks(p: Params, this_round: Round) -> list[Check]:
    """There is none."""
    return [at_most("findings_on_person", 0), at_most("findings_on_employer", 0)]
