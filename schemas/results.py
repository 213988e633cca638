"""The tables a run publishes (data contract 7), one pandera model each.

What we made ourselves is validated whole: a bad row raises, it is never dropped.  Description, unit
and source of every column also become the `dictionary` table, so that an analyst needs nothing else.
"""

from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData

from schemas.columns import (
    CalendarDay,
    Flag,
    Points,
    Text,
    Whole,
    Year,
)

INDICATORS = (
    "employment",
    "residence",
    "education",
    "education_deduction",
    "job_housing",
    "innovation",
    "tax",
    "age",
    "honour",
    "law",
)
CONDITIONS = (
    "residence_permit",
    "retirement_age",
    "social_insurance",
    "criminal_record",
    "employer",
    "not_barred",
)


def described(
    meaning: str, unit: str = "", source: str = "", *, nullable: bool = False, **checks: Any
) -> Any:
    """A published column: what it means, its unit, and where its values come from."""
    return pa.Field(
        description=meaning,
        metadata={"unit": unit, "source": source},
        nullable=nullable,
        **checks,
    )


def points(meaning: str, source: str) -> Any:
    """A column of points."""
    return described(meaning, "points", source)


class Table(pa.DataFrameModel):
    """A published table: exactly these columns."""

    round: Year = described("Application year (申报年度)", "year", "round file")

    class Config:
        strict = True
        ordered = True


class OfApplication(Table):
    """A table about accepted applications."""

    application_no: Text = described("Application number (申请编号)", "", "applications feed")


class TenIndicators(pa.DataFrameModel):
    """The ten indicators (积分指标) in points."""

    employment: Points = points("Stable employment (合法稳定就业)", "Measures art. 5(1)")
    residence: Points = points("Stable residence (合法稳定住所)", "Measures art. 5(2)")
    education: Points = points("Education (教育背景)", "Measures art. 5(3)")
    education_deduction: Points = points(
        "Deduction for the study period (学习期间扣分), 0 or less", "Measures art. 5(3)"
    )
    job_housing: Points = points(
        "Home and job outside the six districts (职住区域)", "Measures art. 5(4)"
    )
    innovation: Points = points("Innovation (创新创业)", "Measures art. 5(5)")
    tax: Points = points("Tax (纳税)", "Measures art. 5(6)")
    age: Points = points("Age (年龄)", "Measures art. 5(7)")
    honour: Points = points("Honours (荣誉表彰)", "Measures art. 5(8)")
    law: Points = points("Law-abiding record (守法记录), 0 or less", "Measures art. 5(9)")


class Rounds(Table):
    """One row a round: what pinned it and what it came to."""

    edition: Text = described("Edition of the measures (办法版本)", "", "data/policy/editions.toml")
    policy_date: CalendarDay = described(
        "Day that selects edition and values", "date", "round file"
    )
    reference_date: CalendarDay = described("Day facts count up to", "date", "round file")
    quota: Whole = described("Places of the year (落户规模)", "people", "round file", ge=0)
    run_id: Text = described(
        "Digest of round, policy, feeds and code: names the run's directory", "", "manifest.json"
    )
    applications: Whole = described("Accepted applications", "people", "applications feed")
    eligible: Whole = described("Applications that meet all conditions", "people", "eligibility")
    settled: Whole = described("People who may settle (落户人数)", "people", "ranking")
    cutoff: Points = described(
        "The line (落户分值): the lowest total that settles; null when nobody does",
        "points",
        "ranking",
        nullable=True,
    )
    tied_at_cutoff: Whole = described(
        "Settled people whose total is the line exactly (同分)", "people", "ranking"
    )
    highest: Points = described(
        "The highest total of an eligible applicant; null when nobody is",
        "points",
        "ranking",
        nullable=True,
    )
    rechecked: Flag = described(
        "The second engine worked everything out again and agreed", "", "manifest.json"
    )


class RoundsPublished(Rounds):
    """One row a round: what pinned it and what it came to."""

    anyway: Text = described(
        "Why it was published although it looked like a mistake; null where nobody had to say",
        "",
        "luohu run --anyway",
        nullable=True,
    )


class Scores(TenIndicators, OfApplication):
    """One row an accepted application, eligible or not: points of each indicator."""

    total: Points = described("Plain sum of the ten (总积分)", "points", "data contract 6")
    needs_review: Flag = described(
        "A row about the applicant, their employer or their firm was quarantined", "", "rejects"
    )

    @pa.check("total")
    def sum_of_the_ten(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("total") == pl.sum_horizontal(INDICATORS))


class Eligibility(OfApplication):
    """One row an accepted application: which conditions (申请条件) it meets."""

    residence_permit: Flag = described("Residence permit held (居住证)", "", "Measures art. 4(1)")
    retirement_age: Flag = described(
        "Below retirement age (法定退休年龄)", "", "Measures art. 4(2)"
    )
    social_insurance: Flag = described(
        "Seven years of social insurance (连续缴纳社会保险7年)", "", "Measures art. 4(3)"
    )
    criminal_record: Flag = described(
        "No criminal record (无刑事犯罪记录)", "", "Measures art. 4(4)"
    )
    employer: Flag = described(
        "Employer registered, registered for tax and paying; true where the edition has no such"
        " condition",
        "",
        "Release of 2020-07-16, Q&A 3",
    )
    not_barred: Flag = described("No finding of false material in force", "", "Measures art. 10")
    eligible: Flag = described("All of them hold", "", "data contract 3")


class Ranking(OfApplication):
    """One row an eligible application, ascending by rank."""

    total: Points = described("Total points", "points", "scores")
    rank: Whole = described(
        "Place, shared by equal totals: 1, 2, 2, 4 (排名)", "", "data contract 6", gt=0
    )
    settled: Flag = described("At or above the line (同分同落)", "", "data contract 6")
    serial: Whole = described(
        "Public serial (公示编号): year and five digits; null unless settled",
        "",
        "data contract 6",
        nullable=True,
    )


class Evidence(OfApplication):
    """One row an accepted application and indicator: the counts and dates its points follow from."""

    indicator: Text = described("Indicator, a column of scores", "", "edition", isin=INDICATORS)
    points: Points = described("Points of the indicator", "points", "scores")
    evidence: Text = described(
        "Every count and date the points follow from", "JSON", "accepted rows"
    )


class ConditionEvidence(OfApplication):
    """One row an accepted application and condition: what decided it."""

    condition: Text = described(
        "Condition, a column of eligibility", "", "edition", isin=CONDITIONS
    )
    holds: Flag = described("Whether it holds", "", "eligibility")
    evidence: Text = described("Every count and date that decided it", "JSON", "accepted rows")


class Rejects(Table):
    """One row a failed check of a delivered row; a delivered row may fail several."""

    feed: Text = described("Feed the row came in", "", "delivery")
    file: Text = described(
        "feed/part-N: its place among the feed's files sorted by name, from 0", "", "delivery"
    )
    row_number: Whole = described("Data row in the file, the first is 1", "", "delivery", gt=0)
    column_name: Text = described("Column that failed", "", "schemas/feeds.py")
    check_name: Text = described("What was expected", "", "schemas/checks.py")
    masked_value: Text = described(
        "Shape of the value: digits as 9, letters as A, a or 字; null for a null",
        "",
        "delivery",
        nullable=True,
    )
    application_no: Text = described(
        "Application the row is about; null if none, or if the number did not pass its own check",
        "",
        "applications feed",
        nullable=True,
    )


class FeedCounts(Table):
    """One row a feed: what was delivered and what became of it."""

    feed: Text = described("Feed", "", "data contract 1")
    department: Text = described("Department that delivers it", "", "schemas/feeds.py")
    files: Whole = described("Files", "files", "delivery")
    rows: Whole = described("Rows delivered", "rows", "delivery")
    accepted: Whole = described("Rows that count", "rows", "ingest")
    quarantined: Whole = described("Rows with a failed check", "rows", "rejects")
    duplicates: Whole = described("Equal rows of a keyed feed dropped", "rows", "ingest")
    strangers: Whole = described("Rows about people who did not apply", "rows", "ingest")


class Segments(Table):
    """The score at places 1,000 to 6,000 (各区段分值), as the filing system shows it."""

    place: Whole = described("Place in the order of totals", "", "ranking")
    total: Points = described("Total at that place", "points", "ranking")


class Clauses(Table):
    """The law a condition or indicator of a round rests on."""

    kind: Text = described("condition or indicator", "", "edition")
    name: Text = described("Column of eligibility or scores", "", "edition")
    title: Text = described("Title", "", "data/policy")
    title_zh: Text = described("Chinese title", "", "data/policy")
    clause: Text = described("Clause and rule in short", "", "data/policy")
    cites: Text = described("Values in force and the text each rests on", "JSON", "data/policy")


class PublicList(TenIndicators, Table):
    """The published list (公示名单): settled applicants only, the one table with names."""

    serial: Whole = described("Public serial (公示编号)", "", "ranking")
    name: Text = described("Name (姓名)", "", "applications feed")
    birth_month: Text = described(
        "Year and month of birth (出生年月), YYYY-MM", "", "applications feed"
    )
    employer: Text = described(
        "Name of the employer that filed (单位名称)", "", "employers feed", nullable=True
    )
    total: Points = described("Total points (积分分值)", "points", "scores")


class Manifests(Table):
    """One row a run ever published or kept: the digest of its manifest shows an edited one."""

    run_id: Text = described("Run", "", "manifest.json")
    manifest_sha256: Text = described("SHA-256 of the run's manifest.json", "", "manifest.json")
    anyway: Text = described(
        "Why it was run although it looked like a mistake", "", "luohu run --anyway", nullable=True
    )


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
REGISTERS: dict[str, type[pa.DataFrameModel]] = {"manifests": Manifests}

# the tables of the database that come from runs; to `rounds` it adds what is no part of a run
PUBLISHED: dict[str, type[pa.DataFrameModel]] = {**TABLES, "rounds": RoundsPublished}


def columns_of(table: str) -> list[str]:
    """The columns of a table of a run or of a register, in order."""
    return list({**TABLES, **REGISTERS}[table].to_schema().columns)


def empty(table: str) -> pl.DataFrame:
    """A table of the database without rows."""
    columns = {**PUBLISHED, **REGISTERS}[table].to_schema().columns
    return pl.DataFrame(schema={name: column.dtype.type for name, column in columns.items()})


def dictionary() -> pl.DataFrame:
    """Every column of every table: table, column, unit, meaning, source."""
    return pl.DataFrame(
        [
            {
                "table": table,
                "column": name,
                "unit": (field.metadata or {})["unit"],
                "meaning": field.description,
                "source": (field.metadata or {})["source"],
            }
            for table, model in {**PUBLISHED, **REGISTERS}.items()
            for name, field in model.to_schema().columns.items()
        ]
    )
