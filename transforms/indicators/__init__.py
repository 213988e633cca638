"""The indicators (积分指标): every rule file by the name an edition lists it under."""

from types import ModuleType

from transforms.indicators import (
    age,
    education,
    education_deduction,
    education_deduction_limited,
    education_from_enrolment,
    employment,
    honour,
    innovation,
    innovation_award_or_position,
    job_housing,
    job_housing_moved_out,
    law,
    law_since_commencement,
    residence,
    residence_unregistered,
    tax,
    tax_three_year_total,
)

INDICATORS: dict[str, ModuleType] = {
    "employment": employment,
    "residence": residence,
    "residence_unregistered": residence_unregistered,
    "education": education,
    "education_from_enrolment": education_from_enrolment,
    "education_deduction": education_deduction,
    "education_deduction_limited": education_deduction_limited,
    "job_housing": job_housing,
    "job_housing_moved_out": job_housing_moved_out,
    "innovation": innovation,
    "innovation_award_or_position": innovation_award_or_position,
    "tax": tax,
    "tax_three_year_total": tax_three_year_total,
    "age": age,
    "honour": honour,
    "law": law,
    "law_since_commencement": law_since_commencement,
}
