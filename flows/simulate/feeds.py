"""The seventeen feeds as delivered: their columns, types and keys (data contract, section 1)."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import polars as pl

Feeds: TypeAlias = dict[str, pl.DataFrame]

TEXT, DAY, WHOLE, YES = pl.String(), pl.Date(), pl.Int64(), pl.Boolean()
TIME = pl.Datetime("us")

FEEDS: Mapping[str, Mapping[str, pl.DataType]] = {
    "applications": {
        "application_no": TEXT,
        "person_id": TEXT,
        "name": TEXT,
        "sex": TEXT,
        "birth_date": DAY,
        "retirement_class": TEXT,
        "employer_id": TEXT,
        "claims_education": YES,
        "submitted_at": TIME,
    },
    "residence_permits": {"person_id": TEXT, "valid_from": DAY, "valid_to": DAY},
    "criminal_records": {"person_id": TEXT, "sentenced_on": DAY},
    "detentions": {"person_id": TEXT, "decided_on": DAY},
    "social_insurance": {
        "person_id": TEXT,
        "month": DAY,
        "employer_id": TEXT,
        "work_district": TEXT,
        "pension": TEXT,
        "medical": TEXT,
        "unemployment": TEXT,
        "injury": TEXT,
        "maternity": TEXT,
        "recorded_on": DAY,
    },
    "employers": {
        "employer_id": TEXT,
        "name": TEXT,
        "district": TEXT,
        "registered_in_beijing": YES,
        "tax_registered": YES,
        "tax_paying": YES,
        "high_tech": YES,
        "tech_sme": YES,
    },
    "housing": {
        "person_id": TEXT,
        "kind": TEXT,
        "district": TEXT,
        "start_date": DAY,
        "end_date": DAY,
        "registered_on": DAY,
    },
    "education": {
        "person_id": TEXT,
        "level": TEXT,
        "has_diploma": YES,
        "has_degree": YES,
        "enrolled_on": DAY,
        "graduated_on": DAY,
        "verified": YES,
    },
    "tax": {"person_id": TEXT, "treasury_date": DAY, "income_kind": TEXT, "amount_fen": WHOLE},
    "company_tax": {"person_id": TEXT, "year": WHOLE, "attributed_fen": WHOLE},
    "tax_violations": {"person_id": TEXT, "decided_on": DAY},
    "awards": {
        "person_id": TEXT,
        "programme": TEXT,
        "scope": TEXT,
        "awarded_on": DAY,
        "points": WHOLE,
    },
    "shareholdings": {
        "person_id": TEXT,
        "employer_id": TEXT,
        "share_bp": WHOLE,
        "held_from": DAY,
        "held_to": DAY,
    },
    "financings": {"employer_id": TEXT, "received_on": DAY, "amount_fen": WHOLE},
    "positions": {"person_id": TEXT, "kind": TEXT, "held_from": DAY, "held_to": DAY},
    "honours": {"person_id": TEXT, "title": TEXT, "awarded_on": DAY, "revoked_on": DAY},
    "sanctions": {"subject_id": TEXT, "found_on": DAY},
}

KEYS: Mapping[str, list[str]] = {
    "applications": ["application_no", "person_id"],
    "social_insurance": ["person_id", "month"],
    "employers": ["employer_id"],
    "company_tax": ["person_id", "year"],
}


def frame(feed: str, columns: Mapping[str, Any]) -> pl.DataFrame:
    """A feed's frame from its columns, in the contract's order and types.

    Whole numbers given for a date column are days since 1970-01-01.
    """
    return pl.DataFrame(
        [
            pl.Series(name, columns[name]).cast(dtype)  # a day is an Int32 inside a Date
            for name, dtype in FEEDS[feed].items()
        ]
    )
