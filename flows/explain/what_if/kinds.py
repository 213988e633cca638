"""The kinds of single change there are, in the order that decides between equally small ones.

What an applicant does month by month comes before what is done once, what others decide comes
last.  A kind exists where the edition lists a rule it bears on.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from flows.explain.what_if import good_standing, homes, innovation, insurance, money, schooling
from flows.explain.what_if.applicant import Applicant
from flows.explain.what_if.change import Change


class Kind(NamedTuple):
    """What may change, the rule it bears on by file name, and the changes from small to large."""

    name: str
    rules: tuple[str, ...]
    proposed: Callable[[Applicant], Iterator[Change]]


JOB_HOUSING = ("job_housing", "job_housing_moved_out")
RESIDENCE = ("residence", "residence_unregistered")
TAX = ("tax", "tax_three_year_total")

KINDS = (
    Kind("insurance_months", ("employment",), insurance.months),
    Kind("insurance_months_outside", JOB_HOUSING, insurance.months_outside),
    Kind("job_outside_months", JOB_HOUSING, insurance.job_outside),
    Kind("back_paid_months", ("employment",), insurance.back_paid),
    Kind("seven_years_months", ("social_insurance",), insurance.seven_years),
    Kind("insured_before_filing", ("social_insurance",), insurance.before_filing),
    Kind("own_home_months", RESIDENCE, homes.own),
    Kind("own_home_outside", JOB_HOUSING, homes.own_outside),
    Kind("homes_registered", ("residence",), homes.registered),
    Kind("rented_home_months", RESIDENCE, homes.rented),
    Kind("education_claim", ("education", "education_from_enrolment"), schooling.claim),
    Kind("education_verified", ("education", "education_from_enrolment"), schooling.verified),
    Kind("credential", ("education", "education_from_enrolment"), schooling.higher),
    Kind("tax_years", ("tax",), money.high_years),
    Kind("tax_years", ("tax_three_year_total",), money.three_years),
    Kind("company_tax_years", ("tax_three_year_total",), money.company),
    Kind("award", ("innovation", "innovation_award_or_position"), innovation.award),
    Kind("position_months", ("innovation_award_or_position",), innovation.position),
    Kind("share", ("innovation",), innovation.share),
    Kind("financing", ("innovation",), innovation.financing),
    Kind("violations_absent", TAX, good_standing.violations),
    Kind("detentions_absent", ("law", "law_since_commencement"), good_standing.detentions),
    Kind("honour_kept", ("honour",), good_standing.honour),
    Kind("sentences_absent", ("criminal_record",), good_standing.sentences),
    Kind("findings_absent", ("not_barred",), good_standing.findings),
    Kind("residence_permit", ("residence_permit",), good_standing.permit),
    Kind("employer_qualified", ("employer",), good_standing.employer),
    Kind("employer_findings_absent", ("not_barred",), good_standing.findings_on_employer),
)

# shown only where it takes fewer months than the other kind, which asks for less
BESIDE = {"insurance_months_outside": "insurance_months"}


def proposed(of: Applicant) -> list[Change]:
    """Every change of every kind the edition knows, kind by kind, fewest units first."""
    listed = {rule.name for rule in of.edition.conditions.values()}
    listed |= {rule.name for rule in of.edition.indicators.values()}
    return [
        change
        for kind in KINDS
        if listed & set(kind.rules)
        for change in sorted(kind.proposed(of), key=lambda change: change.units)
    ]
