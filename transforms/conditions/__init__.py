"""The conditions (积分落户申请条件): every rule file by the name an edition lists it under."""

from types import ModuleType

from transforms.conditions import (
    criminal_record,
    employer,
    not_barred,
    residence_permit,
    retirement_age,
    social_insurance,
)

CONDITIONS: dict[str, ModuleType] = {
    "residence_permit": residence_permit,
    "retirement_age": retirement_age,
    "social_insurance": social_insurance,
    "criminal_record": criminal_record,
    "employer": employer,
    "not_barred": not_barred,
}
