"""The seventeen feeds as departments deliver them (data contract 1), one pandera model each.

A model says who delivers the feed, what a row is, and what makes a row bad.  A check is named for
what it expects and may look at another column of the row; a null passes all but `not_null`.
"""

from dataclasses import dataclass
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData

from schemas.columns import (
    CODES,
    INSURANCES,
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

END_DATES = {"end_date", "held_to", "valid_to", "revoked_on", "graduated_on", "birth_date"}


def one_of(codes: str, *, nullable: bool = False) -> Any:
    """A column that holds one of the values of `data/codes.toml`."""
    return pa.Field(isin=CODES[codes], nullable=nullable)


def filled() -> Any:
    """A text that may not be empty."""
    return pa.Field(str_length={"min_value": 1})


def optional() -> Any:
    """A column that may be null."""
    return pa.Field(nullable=True)


def distinct(data: PolarsData, valid: pl.Expr) -> pl.LazyFrame:
    """Whether each value is valid; `valid` is worked out once for each distinct value of the column."""
    values = data.lazyframe.select(pl.col(data.key).unique().drop_nulls()).collect()
    bad = values.filter(~values.select(pl.col(data.key).cast(pl.String)).select(valid).to_series())
    return data.lazyframe.select(~pl.col(data.key).is_in(bad.to_series().implode()))


class Feed(pa.DataFrameModel):
    """Exactly these columns, of exactly these types."""

    class Config:
        strict = True


class OfPerson(Feed):
    """A row about a person, known by an ID number with a right check character."""

    person_id: PersonId

    @pa.check("person_id")
    def id_number(cls, data: PolarsData) -> pl.LazyFrame:
        return distinct(data, is_id_number(pl.col("person_id")))


class OfEmployer(Feed):
    """A row about an employer, known by a credit code with a right check character."""

    employer_id: EmployerId

    @pa.check("employer_id")
    def credit_code(cls, data: PolarsData) -> pl.LazyFrame:
        return distinct(data, is_credit_code(pl.col("employer_id")))


class Applications(OfPerson, OfEmployer):
    """人力社保 filing system: one application, filed by the applicant's employer."""

    application_no: Text = filled()
    name: Text = filled()
    sex: Code = one_of("sex")
    birth_date: Date
    retirement_class: Code = one_of("retirement_class")
    claims_education: Flag
    submitted_at: Moment

    @pa.check("birth_date")
    def agrees_with_person_id(cls, data: PolarsData) -> pl.LazyFrame:
        in_id = pl.col("person_id").cast(pl.String).str.slice(6, 8)
        return data.lazyframe.select(pl.col("birth_date").dt.strftime("%Y%m%d") == in_id)


class ResidencePermits(OfPerson):
    """公安: one Beijing residence permit (居住证) and the days it is valid."""

    valid_from: Date
    valid_to: Date = optional()

    @pa.check("valid_to")
    def in_order(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("valid_to") >= pl.col("valid_from"))


class CriminalRecords(OfPerson):
    """公安: one sentence."""

    sentenced_on: Date


class Detentions(OfPerson):
    """公安: one administrative detention (行政拘留) in Beijing."""

    decided_on: Date


class SocialInsurance(OfPerson, OfEmployer):
    """社保: one month of one person, with the status of each of the five insurances (五险)."""

    month: Date
    work_district: District
    pension: Code = one_of("insurance_status", nullable=True)
    medical: Code = one_of("insurance_status", nullable=True)
    unemployment: Code = one_of("insurance_status", nullable=True)
    injury: Code = one_of("insurance_status", nullable=True)
    maternity: Code = one_of("insurance_status", nullable=True)
    recorded_on: Date

    @pa.check("month")
    def first_day(cls, data: PolarsData) -> pl.LazyFrame:
        return distinct(data, pl.col("month").str.ends_with("-01"))

    @pa.check("work_district")
    def six_digits(cls, data: PolarsData) -> pl.LazyFrame:
        return distinct(data, pl.col("work_district").str.contains("^[0-9]{6}$"))

    @pa.check("recorded_on")
    def in_order(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("recorded_on") >= pl.col("month"))

    # on a column that is never null, since a null passes every check
    @pa.check("month")
    def some_status(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.any_horizontal(pl.col(INSURANCES).is_not_null()))


class Employers(OfEmployer):
    """市场监管, 税务, 科委: one employer and what it is registered as."""

    name: Text = filled()
    district: District
    registered_in_beijing: Flag
    tax_registered: Flag
    tax_paying: Flag
    high_tech: Flag
    tech_sme: Flag

    @pa.check("district")
    def six_digits(cls, data: PolarsData) -> pl.LazyFrame:
        return distinct(data, pl.col("district").str.contains("^[0-9]{6}$"))


class Housing(OfPerson):
    """住建, 规自: one home of a person, from its first to its last day held."""

    kind: Code = one_of("home_kind")
    district: District
    start_date: Date
    end_date: Date = optional()
    registered_on: Date = optional()

    @pa.check("district")
    def six_digits(cls, data: PolarsData) -> pl.LazyFrame:
        return distinct(data, pl.col("district").str.contains("^[0-9]{6}$"))

    @pa.check("end_date")
    def in_order(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("end_date") >= pl.col("start_date"))


class Education(OfPerson):
    """教育: one credential; `verified` when the ministry's register confirms it."""

    level: Code = one_of("education_level")
    has_diploma: Flag
    has_degree: Flag
    enrolled_on: Date = optional()
    graduated_on: Date
    verified: Flag

    @pa.check("has_diploma")
    def some_certificate(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("has_diploma") | pl.col("has_degree"))

    @pa.check("graduated_on")
    def in_order(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("graduated_on") >= pl.col("enrolled_on"))


class Tax(OfPerson):
    """税务: one payment of income tax by treasury date (入库日期), or a refund."""

    treasury_date: Date
    income_kind: Code = one_of("income_kind")
    amount_fen: Whole


class CompanyTax(OfPerson):
    """税务: a person's share of the tax their firm paid in a year."""

    year: Whole
    attributed_fen: Whole


class TaxViolations(OfPerson):
    """税务: one violation."""

    decided_on: Date


class Awards(OfPerson):
    """科委, 人力社保: one award in science, culture or a contest, with its approved points."""

    programme: Text = filled()
    scope: Code = one_of("award_scope")
    awarded_on: Date
    points: Whole = one_of("award_points")


class Shareholdings(OfPerson, OfEmployer):
    """科委, 市场监管: a share in a firm while it stays the same."""

    share_bp: Whole = pa.Field(in_range={"min_value": 1, "max_value": 10_000})
    held_from: Date
    held_to: Date = optional()

    @pa.check("held_to")
    def in_order(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("held_to") >= pl.col("held_from"))


class Financings(OfEmployer):
    """科委: equity cash a firm received."""

    received_on: Date
    amount_fen: Whole = pa.Field(gt=0)


class Positions(OfPerson):
    """科委: a post held in a high-tech firm, a start-up or an incubator."""

    kind: Code = one_of("position_kind")
    held_from: Date
    held_to: Date = optional()

    @pa.check("held_to")
    def in_order(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("held_to") >= pl.col("held_from"))


class Honours(OfPerson):
    """各主管部门: one honorary title."""

    title: Text = filled()
    awarded_on: Date
    revoked_on: Date = optional()

    @pa.check("revoked_on")
    def in_order(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("revoked_on") >= pl.col("awarded_on"))


class Sanctions(Feed):
    """人力社保: a finding of false material against a person or an employer."""

    subject_id: Text
    found_on: Date

    @pa.check("subject_id")
    def person_or_employer(cls, data: PolarsData) -> pl.LazyFrame:
        subject = pl.col("subject_id")
        return data.lazyframe.select(is_id_number(subject) | is_credit_code(subject))


@dataclass(frozen=True)
class Delivery:
    """A feed's model and the columns that may not repeat; no key: equal rows are separate events."""

    model: type[Feed]
    keys: tuple[tuple[str, ...], ...] = ()

    def schema(self) -> pa.DataFrameSchema:
        """The pandera schema every row is validated with; pandera keeps it, so copy it to add to it."""
        return self.model.to_schema()


FEEDS = {
    "applications": Delivery(Applications, (("application_no",), ("person_id",))),
    "residence_permits": Delivery(ResidencePermits),
    "criminal_records": Delivery(CriminalRecords),
    "detentions": Delivery(Detentions),
    "social_insurance": Delivery(SocialInsurance, (("person_id", "month"),)),
    "employers": Delivery(Employers, (("employer_id",),)),
    "housing": Delivery(Housing),
    "education": Delivery(Education),
    "tax": Delivery(Tax),
    "company_tax": Delivery(CompanyTax, (("person_id", "year"),)),
    "tax_violations": Delivery(TaxViolations),
    "awards": Delivery(Awards),
    "shareholdings": Delivery(Shareholdings),
    "financings": Delivery(Financings),
    "positions": Delivery(Positions),
    "honours": Delivery(Honours),
    "sanctions": Delivery(Sanctions),
}
