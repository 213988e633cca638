"""The indicators (积分指标): every rule file by the name an edition lists it under."""

from types import ModuleType

from transforms.indicators import (
    age,
    education,
    education_deduction,
    employment,
    honour,
    innovation,
    job_housing,
    law,
    residence,
    tax,
)

INDICATORS: dict[str, ModuleType] = {
    "employment": employment,
    "residence": residence,
    "education": education,
    "education_deduction": education_deduction,
    "job_housing": job_housing,
    "innovation": innovation,
    "tax": tax,
    "age": age,
    "honour": honour,
    "law": law,
}
