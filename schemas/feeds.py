"""The seventeen feeds as departments deliver them (data contract 1), one pandera model each.

A model says who delivers the feed, what a row is, and what makes a row bad.  A check is named for
what it expects and may look at another column of the row; a null passes all but `not_null`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from schemas import models as pa
from schemas import text
from schemas.columns import (
    CODES,
    INSURANCES,
    LIMITS,
    Code,
    Date,
    District,
    EmployerId,
    Flag,
    Moment,
    PersonId,
    Text,
    Whole,
)
from schemas.identifiers import is_credit_code, is_id_number
from schemas.models import PolarsData

# every first of a month: found by look-up, since taking a day from millions of dates costs ten times that
FIRST_DAYS = pl.date_range(LIMITS["earliest_date"], LIMITS["latest_date"], "1mo", eager=True)

END_DATES = {"end_date", "held_to", "valid_to", "revoked_on", "graduated_on"}


def one_of(codes: str, *, nullable: bool = False) -> Any:
    """A column that holds one of the values of `data/codes.toml`."""
    return pa.Field(isin=CODES[codes], nullable=nullable, metadata={"codes": codes})


def filled() -> Any:
    """A text that may not be empty."""
    return pa.Field(str_length={"min_value": 1})


def row_check(column: str, name: str, holds: pl.Expr, *, once: bool = False) -> Any:
    """A check of a column that may look at the other columns of the row.

    `once` works it out once for each distinct value of the column, as text.
    """

    def check(_model: type, data: PolarsData) -> pl.LazyFrame | bool:
        return distinct(data, holds) if once else data.lazyframe.select(holds)

    check.__name__ = name
    return pa.check(column)(check)


def text_check(column: str, valid: Callable[[pl.Expr], pl.Expr], name: str) -> Any:
    """A check of a text column that looks at its value alone."""
    return row_check(column, name, valid(pl.col(column)))


def name_checks(column: str) -> list[Any]:
    """What a name or a title must be: shown as it is, to anybody, on one screen."""
    return [
        text_check(column, text.is_plain_with_lines, "plain_text"),
        text_check(column, text.is_not_blank, "not_blank"),
        text_check(column, text.is_not_too_long, "not_too_long"),
        text_check(column, text.is_without_id_number, "without_id_number"),
    ]


def district_check(column: str) -> Any:
    """A district is a code of six digits."""
    return row_check(column, "six_digits", pl.col(column).str.contains("^[0-9]{6}$"), once=True)


def optional() -> Any:
    """A column that may be null."""
    return pa.Field(nullable=True)


def distinct(data: PolarsData, valid: pl.Expr) -> pl.LazyFrame | bool:
    """Whether each value is valid, or all are; `valid` is worked out once for each distinct value.

    The column is of texts that come in runs: looking at each run's first costs a fifth.  Texts that are
    no categories are few: each is looked at.
    """
    if data.lazyframe.collect_schema()[data.key] == pl.String:
        return data.lazyframe.select(valid)
    column = pl.col(data.key)
    starts = column.filter(column.ne_missing(column.shift()))
    values = data.lazyframe.select(starts.unique().drop_nulls()).collect()
    bad = values.filter(~values.select(column.cast(pl.String)).select(valid).to_series())
    return bad.is_empty() or data.lazyframe.select(~column.is_in(bad.to_series().implode()))


class Feed(pa.DataFrameModel):
    """Exactly these columns, of exactly these types."""

    class Config:
        strict = True


class OfPerson(Feed):
    """A row about a person, known by an ID number with a right check character."""

    person_id: PersonId

    id_number = row_check("person_id", "id_number", is_id_number(pl.col("person_id")), once=True)


class OfEmployer(Feed):
    """A row about an employer, known by a credit code with a right check character."""

    employer_id: EmployerId

    credit_code = row_check(
        "employer_id", "credit_code", is_credit_code(pl.col("employer_id")), once=True
    )


class Applications(OfPerson, OfEmployer):
    """One application, filed by the applicant's employer."""

    application_no: Text = filled()
    name: Text = filled()
    sex: Code = one_of("sex")
    birth_date: Date
    retirement_class: Code = one_of("retirement_class")
    claims_education: Flag
    submitted_at: Moment

    application_no_shape = text_check(
        "application_no", text.is_application_no, "application_no_shape"
    )
    plain_name, name_not_blank, name_not_too_long, name_without_id = name_checks("name")

    @pa.check("birth_date")
    def agrees_with_person_id(cls, data: PolarsData) -> pl.LazyFrame:
        in_id = pl.col("person_id").cast(pl.String).str.slice(6, 8)
        return data.lazyframe.select(pl.col("birth_date").dt.strftime("%Y%m%d") == in_id)


class ResidencePermits(OfPerson):
    """One Beijing residence permit (居住证) and the days it is valid."""

    valid_from: Date
    valid_to: Date = optional()

    in_order = row_check("valid_to", "in_order", pl.col("valid_to") >= pl.col("valid_from"))


class CriminalRecords(OfPerson):
    """One sentence."""

    sentenced_on: Date


class Detentions(OfPerson):
    """One administrative detention (行政拘留) in Beijing."""

    decided_on: Date


class SocialInsurance(OfPerson, OfEmployer):
    """One month of one person, with the status of each of the five insurances (五险)."""

    month: Date
    work_district: District
    pension: Code = one_of("insurance_status", nullable=True)
    medical: Code = one_of("insurance_status", nullable=True)
    unemployment: Code = one_of("insurance_status", nullable=True)
    injury: Code = one_of("insurance_status", nullable=True)
    maternity: Code = one_of("insurance_status", nullable=True)
    recorded_on: Date

    first_day = row_check("month", "first_day", pl.col("month").is_in(FIRST_DAYS.implode()))
    six_digits = district_check("work_district")
    in_order = row_check("recorded_on", "in_order", pl.col("recorded_on") >= pl.col("month"))

    # on a column that is never null, since a null passes every check
    @pa.check("month")
    def some_status(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.any_horizontal(pl.col(INSURANCES).is_not_null()))


class Employers(OfEmployer):
    """One employer and what it is registered as."""

    name: Text = filled()
    district: District
    registered_in_beijing: Flag
    tax_registered: Flag
    tax_paying: Flag
    high_tech: Flag
    tech_sme: Flag

    plain_name, name_not_blank, name_not_too_long, name_without_id = name_checks("name")
    six_digits = district_check("district")


class Housing(OfPerson):
    """One home of a person, from its first to its last day held."""

    kind: Code = one_of("home_kind")
    district: District
    start_date: Date
    end_date: Date = optional()
    registered_on: Date = optional()

    six_digits = district_check("district")
    in_order = row_check("end_date", "in_order", pl.col("end_date") >= pl.col("start_date"))


class Education(OfPerson):
    """One credential; `verified` when the ministry's register confirms it."""

    level: Code = one_of("education_level")
    has_diploma: Flag
    has_degree: Flag
    enrolled_on: Date = optional()
    graduated_on: Date
    verified: Flag

    @pa.check("has_diploma")
    def some_certificate(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("has_diploma") | pl.col("has_degree"))

    in_order = row_check(
        "graduated_on", "in_order", pl.col("graduated_on") >= pl.col("enrolled_on")
    )


class Tax(OfPerson):
    """One payment of income tax by treasury date (入库日期), or a refund."""

    treasury_date: Date
    income_kind: Code = one_of("income_kind")
    amount_fen: Whole


class CompanyTax(OfPerson):
    """A person's share of the tax their firm paid in a year."""

    year: Whole
    attributed_fen: Whole


class TaxViolations(OfPerson):
    """One violation."""

    decided_on: Date


class Awards(OfPerson):
    """One award in science, culture or a contest, with its approved points."""

    programme: Text = filled()
    scope: Code = one_of("award_scope")
    awarded_on: Date
    points: Whole = one_of("award_points")

    plain_programme = text_check("programme", text.is_plain, "plain_text")


class Shareholdings(OfPerson, OfEmployer):
    """A share in a firm while it stays the same."""

    share_bp: Whole = pa.Field(in_range={"min_value": 1, "max_value": 10_000})
    held_from: Date
    held_to: Date = optional()

    in_order = row_check("held_to", "in_order", pl.col("held_to") >= pl.col("held_from"))


class Financings(OfEmployer):
    """Equity cash a firm received."""

    received_on: Date
    amount_fen: Whole = pa.Field(gt=0)


class Positions(OfPerson):
    """A post held in a high-tech firm, a start-up or an incubator."""

    kind: Code = one_of("position_kind")
    held_from: Date
    held_to: Date = optional()

    in_order = row_check("held_to", "in_order", pl.col("held_to") >= pl.col("held_from"))


class Honours(OfPerson):
    """One honorary title."""

    title: Text = filled()
    awarded_on: Date
    revoked_on: Date = optional()

    plain_title, title_not_blank, title_not_too_long, title_without_id = name_checks("title")

    in_order = row_check("revoked_on", "in_order", pl.col("revoked_on") >= pl.col("awarded_on"))


class Sanctions(Feed):
    """A finding of false material against a person or an employer."""

    subject_id: Text
    found_on: Date

    @pa.check("subject_id")
    def person_or_employer(cls, data: PolarsData) -> pl.LazyFrame:
        subject = pl.col("subject_id")
        return data.lazyframe.select(is_id_number(subject) | is_credit_code(subject))


@dataclass(frozen=True)
class Delivery:
    """A feed's model, who delivers it, and the columns that may not repeat.

    Without a key equal rows are separate events.
    """

    model: type[Feed]
    department: str
    keys: tuple[tuple[str, ...], ...] = ()

    def schema(self) -> pa.DataFrameSchema:
        """The pandera schema every row is validated with; pandera keeps it, so copy it to add to it."""
        return self.model.to_schema()


FEEDS = {
    "applications": Delivery(
        Applications, "人力社保 filing system", (("application_no",), ("person_id",))
    ),
    "residence_permits": Delivery(ResidencePermits, "公安"),
    "criminal_records": Delivery(CriminalRecords, "公安"),
    "detentions": Delivery(Detentions, "公安"),
    "social_insurance": Delivery(SocialInsurance, "社保", (("person_id", "month"),)),
    "employers": Delivery(Employers, "市场监管, 税务, 科委", (("employer_id",),)),
    "housing": Delivery(Housing, "住建, 规自"),
    "education": Delivery(Education, "教育"),
    "tax": Delivery(Tax, "税务"),
    "company_tax": Delivery(CompanyTax, "税务", (("person_id", "year"),)),
    "tax_violations": Delivery(TaxViolations, "税务"),
    "awards": Delivery(Awards, "科委, 人力社保"),
    "shareholdings": Delivery(Shareholdings, "科委, 市场监管"),
    "financings": Delivery(Financings, "科委"),
    "positions": Delivery(Positions, "科委"),
    "honours": Delivery(Honours, "各主管部门"),
    "sanctions": Delivery(Sanctions, "人力社保"),
}
NUMBERED = {"person": ("person_id", "subject_id"), "employer": ("employer_id", "subject_id")}
RESTRICTED = {("applications", "name")}


def accepted(feed: str) -> dict[str, Any]:
    """The columns of a feed as its rows are accepted, with their types, in order.

    People and employers are numbers, a code is an enum, a district its number.
    """
    columns = pa.columns(FEEDS[feed].model)
    numbers = [to for to, by in NUMBERED.items() if columns.keys() & by]
    of_ids = {name for by in NUMBERED.values() for name in by}
    types = {
        name: kept_type(column.type, column.metadata)
        for name, column in columns.items()
        if name not in of_ids and (feed, name) not in RESTRICTED
    }
    code = {"employer_id": pl.String()} if feed == "employers" else {}
    return {**dict.fromkeys(numbers, pl.UInt32()), **types, **code}


def kept_type(delivered: Any, about: dict[str, str] | None) -> Any:
    """The type a delivered column is kept in; the order of a list of codes is the order of its enum."""
    if not isinstance(delivered, pl.Categorical):
        return delivered
    return pl.Enum(CODES[about["codes"]]) if about else pl.Int32()
