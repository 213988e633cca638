"""The tables a run publishes (data contract 7), one pandera model each.

What we made ourselves is validated whole: a bad row raises, it is never dropped.  Meaning, unit and
source of every column stand in `words.toml`; the views beside the tables stand in `database.toml`.
"""

from typing import Any

import polars as pl

from schemas import models as pa
from schemas.columns import CalendarDay, Flag, Moment, Points, Text, Whole, Year
from schemas.models import PolarsData
from schemas.process import PROCESS


def nullable() -> Any:
    """A column that may be null."""
    return pa.Field(nullable=True)


class Table(pa.DataFrameModel):
    """A published table: exactly these columns."""

    round: Year

    class Config:
        strict = True
        ordered = True


class OfApplication(Table):
    """A table about accepted applications."""

    application_no: Text


class TenIndicators(pa.DataFrameModel):
    """The ten indicators (积分指标) in points; null where the edition has no such indicator."""

    employment: Points = nullable()
    residence: Points = nullable()
    education: Points = nullable()
    education_deduction: Points = nullable()
    job_housing: Points = nullable()
    innovation: Points = nullable()
    tax: Points = nullable()
    age: Points = nullable()
    honour: Points = nullable()
    law: Points = nullable()


class SixConditions(pa.DataFrameModel):
    """The six conditions (申请条件); one the edition does not have holds, one not known yet is null."""

    residence_permit: Flag = nullable()
    retirement_age: Flag = nullable()
    social_insurance: Flag = nullable()
    criminal_record: Flag = nullable()
    employer: Flag = nullable()
    not_barred: Flag = nullable()


INDICATORS = tuple(TenIndicators.__annotations__)
CONDITIONS = tuple(SixConditions.__annotations__)


class Rounds(Table):
    """One row a round: what pinned it and what it came to."""

    edition: Text
    policy_date: CalendarDay
    reference_date: CalendarDay
    quota: Whole = pa.Field(ge=0)
    run_id: Text
    applications: Whole
    eligible: Whole
    settled: Whole
    cutoff: Points = nullable()
    tied_at_cutoff: Whole
    highest: Points = nullable()
    rechecked: Flag


class RoundsPublished(Rounds):
    """One row a round: what pinned it and what it came to."""

    anyway: Text = nullable()
    state: Text = pa.Field(isin=["preliminary", "published"])
    published_at: Moment = nullable()
    cancelled: Whole
    withdrawn: Whole
    lapsed: Whole
    registered: Whole
    children: Whole


class Scores(TenIndicators, OfApplication):
    """One row an accepted application, eligible or not: points of each indicator."""

    total: Points
    needs_review: Flag

    @pa.check("total")
    def sum_of_the_ten(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("total") == pl.sum_horizontal(INDICATORS))


class Eligibility(SixConditions, OfApplication):
    """One row an accepted application: which conditions (申请条件) it meets."""

    eligible: Flag


class Ranking(OfApplication):
    """One row an eligible application, ascending by rank."""

    total: Points
    rank: Whole = pa.Field(gt=0)
    settled: Flag
    serial: Whole = nullable()


class Evidence(OfApplication):
    """One row an accepted application and indicator: the counts and dates its points follow from."""

    indicator: Text = pa.Field(isin=INDICATORS)
    points: Points
    evidence: Text


class ConditionEvidence(OfApplication):
    """One row an accepted application and condition: what decided it."""

    condition: Text = pa.Field(isin=CONDITIONS)
    holds: Flag
    evidence: Text


class Rejects(Table):
    """One row a failed check of a delivered row; a delivered row may fail several."""

    feed: Text
    file: Text
    row_number: Whole = pa.Field(gt=0)
    column_name: Text
    check_name: Text
    masked_value: Text = nullable()
    application_no: Text = nullable()


class FeedCounts(Table):
    """One row a feed: what was delivered and what became of it."""

    feed: Text
    department: Text
    files: Whole
    rows: Whole
    accepted: Whole
    quarantined: Whole
    duplicates: Whole
    strangers: Whole


class Segments(Table):
    """The score at places 1,000 to 6,000 (各区段分值), as the filing system shows it."""

    place: Whole
    total: Points


class Clauses(Table):
    """The law a condition or indicator of a round rests on."""

    kind: Text
    name: Text
    title: Text
    title_zh: Text
    clause: Text
    cites: Text


class PublicList(TenIndicators, Table):
    """The published list (公示名单): settled applicants only, the one table with names."""

    serial: Whole
    name: Text
    birth_month: Text
    employer: Text = nullable()
    total: Points


class Manifests(Table):
    """One row a run ever published or kept: the digest of its manifest shows an edited one."""

    run_id: Text
    manifest_sha256: Text
    anyway: Text = nullable()


class Filings(OfApplication):
    """What an accepted application was filed with, as far as that is about nobody by name."""

    employer_district: Text = nullable()


class Official(Table):
    """The official result of a round, as far as it is known."""

    applications: Whole = nullable()
    settled: Whole = nullable()
    cutoff: Points = nullable()
    tied_at_cutoff: Whole = nullable()
    highest: Points = nullable()
    cite: Text = nullable()


TABLES: dict[str, type[pa.DataFrameModel]] = {
    "rounds": Rounds,
    "scores": Scores,
    "eligibility": Eligibility,
    "ranking": Ranking,
    "evidence": Evidence,
    "condition_evidence": ConditionEvidence,
    "rejects": Rejects,
    "feeds": FeedCounts,
    "segments": Segments,
    "clauses": Clauses,
    "public_list": PublicList,
}

# tables of the database that no run directory holds
REGISTERS: dict[str, type[pa.DataFrameModel]] = {
    "manifests": Manifests,
    "filings": Filings,
    "official": Official,
    **PROCESS,
}

# the tables of the database that come from runs; to `rounds` it adds what is no part of a run
PUBLISHED: dict[str, type[pa.DataFrameModel]] = {**TABLES, "rounds": RoundsPublished}


def types_of(table: str, among: dict[str, type[pa.DataFrameModel]] = TABLES) -> dict[str, Any]:
    """The columns of a table of a run or of a register with their types, in order."""
    columns = pa.columns({**REGISTERS, **among}[table])
    return {name: column.type for name, column in columns.items()}


def columns_of(table: str) -> list[str]:
    """The columns of a table of a run or of a register, in order."""
    return list(types_of(table))


def empty(table: str) -> pl.DataFrame:
    """A table of the database without rows."""
    return pl.DataFrame(schema=types_of(table, PUBLISHED))
