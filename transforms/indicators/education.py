"""Education (教育背景): the points of the best verified credential (Measures art. 5(3)).

Diploma and degree together count more than one alone; each row is judged on its own.  Best is most
points, then the latest graduation, then the fewest counted months of study.  Nothing is rounded.
"""

from typing import Annotated

import polars as pl
from pydantic import with_config
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from transforms.evidence import CODE, DAY, FLAG, MONTH, MONTHS, Evidence
from transforms.facts import Facts
from transforms.parts import Part, Parts
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints, Flag, Level, Several, SomeMonths

CREDENTIAL = ("level", "has_diploma", "has_degree")

EVIDENCE: Evidence = {
    "level": CODE,
    "has_diploma": FLAG,
    "has_degree": FLAG,
    "graduated_on": DAY,
    "study_from": MONTH,
    "window_months": MONTHS,
    "months_studied": MONTHS,
}


@with_config(STRICT)
class Credential(TypedDict):
    """What a row of some level that holds these certificates is worth, and its window of study."""

    level: Level
    has_diploma: Flag
    has_degree: Flag
    centipoints: Centipoints
    window_months: SomeMonths


@dataclass(frozen=True, config=STRICT)
class Params:
    """The table of credentials: level, has_diploma, has_degree -> centipoints, window_months."""

    credentials: Annotated[list[Credential], Several("centipoints, months", by=CREDENTIAL)]


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The best credential of each applicant who claims the indicator, with its counted months of study."""
    return best(studied(facts, credentials(facts, p, this_round)))


def best(found: pl.LazyFrame) -> pl.LazyFrame:
    """The best of each person's credentials."""
    return (
        found.sort(
            "person",
            "centipoints",
            "graduated_on",
            "months_studied",
            *CREDENTIAL,
            "study_from",  # decides where all else is equal, so that the evidence is one
            descending=[False, True, True, *[False] * 5],
        )
        .unique("person", keep="first", maintain_order=True)
        .select("person", *EVIDENCE)
    )


def credentials(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """Verified credentials that earn points, of applicants who claim them, with their window."""
    table = pl.LazyFrame(p.credentials).with_columns(
        pl.col("level").cast(facts.feeds["education"].collect_schema()["level"])
    )
    claims = facts.applicants.filter("claims_education").select("person")
    months = pl.format("-{}mo", pl.col("window_months") - 1)
    return (
        facts.feeds["education"]
        .filter(pl.col("verified"), pl.col("graduated_on") <= this_round.reference_date)
        .join(claims, on="person", how="semi")
        .join(table, on=CREDENTIAL, how="inner", validate="m:1")
        .select(
            "person",
            *CREDENTIAL,
            "enrolled_on",
            "graduated_on",
            "window_months",
            "centipoints",
            study_from=pl.col("graduated_on").dt.truncate("1mo").dt.offset_by(months),
        )
    )


def studied(facts: Facts, found: pl.LazyFrame) -> pl.LazyFrame:
    """Credentials with `months_studied`: counted months from `study_from` to the graduation month."""
    rows = found.with_row_index("credential")
    begun = facts.careers.select("person", "first_month")
    overlapping = rows.join(begun, on="person", how="inner", validate="m:1").filter(
        pl.col("graduated_on") >= pl.col("first_month")
    )
    months = (
        facts.counted.join(
            overlapping.select("person", "credential", "study_from", "graduated_on"),
            on="person",
            validate="m:m",
        )
        .filter(pl.col("month").is_between("study_from", "graduated_on"))
        .group_by("credential")
        .agg(months_studied=pl.len().cast(pl.Int64))
    )
    return rows.join(months, on="credential", how="left", validate="1:1").with_columns(
        pl.col("months_studied").fill_null(0)
    )


def parts(p: Params, this_round: Round) -> Parts:
    """The table's points for what the row holds."""
    points = pl.coalesce(
        pl.when(
            pl.col("level") == each["level"],
            pl.col("has_diploma") == each["has_diploma"],
            pl.col("has_degree") == each["has_degree"],
        ).then(each["centipoints"])
        for each in p.credentials
    )
    shown = {name: pl.col(name) for name in ("level", "graduated_on")}
    return Parts([Part("credential", points, shown=shown)])
