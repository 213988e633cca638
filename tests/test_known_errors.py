"""What hobby calculators get wrong (each named in the survey of them), right here."""

import json
from typing import Any

import pytest

from flows.public.answer import answers
from flows.public.facts import read_facts

INSIDE, OUTSIDE = "110105", "110112"
BACHELOR = {"level": "bachelor", "has_diploma": True, "has_degree": True}


def work(first: str, last: str, district: str = INSIDE) -> dict[str, Any]:
    """Months of insurance."""
    return {"from": first, "to": last, "work_district": district, "status": "paid"}


def own(start: str, district: str = INSIDE, **more: Any) -> dict[str, Any]:
    """An own home."""
    return {"kind": "own", "district": district, "start_date": start, **more}


def study(graduated_on: str, **credential: Any) -> dict[str, Any]:
    """A credential."""
    return {**BACHELOR, **credential, "graduated_on": graduated_on}


def taxed(**years: int) -> list[dict[str, Any]]:
    """Income tax of some years, in yuan."""
    return [
        {"treasury_date": f"{year[1:]}-06-01", "amount_fen": 100 * yuan,
         "income_kind": "wage" if year < "y2019" else "comprehensive"}
        for year, yuan in years.items()
    ]  # fmt: skip


# what is wrong elsewhere: round, birth date, feeds, indicators as they are
CASES: dict[str, tuple[int, str, dict[str, Any], dict[str, str]]] = {
    "residence rounded once, not part by part": (
        2020, "1980-05-01",
        {"social_insurance": [work("1999-04-01", "2019-12-01")], "housing": [own("2007-06-01")]},
        {"residence": "16.66"},  # 151 months owned 12.58, 98 by default 4.08; at once 16.67
    ),
    "deduction without a limit of months": (
        2020, "1980-05-01",
        {"social_insurance": [work("2005-01-01", "2019-12-01")], "education": [study("2014-07-01")]},
        {"education_deduction": "-14.00"},  # 48 of 115 months
    ),
    "a master's degree alone is missing": (
        2020, "1980-05-01",
        {"education": [study("2006-07-01", level="master", has_diploma=False)]},
        {"education": "15.00", "education_deduction": "0.00"},
    ),
    "home and job: each kind floored on its own": (
        2022, "1980-05-01",
        {"social_insurance": [work("2010-01-01", "2018-01-01", OUTSIDE),
                              work("2018-02-01", "2020-12-01"), work("2021-01-01", "2021-12-01", OUTSIDE)],
         "housing": [own("2010-01-01", OUTSIDE)]},
        {"job_housing": "9.00"},  # 48 months, 13 with the job: 4 x 2 + 1, not 2 x 2 + 3
    ),
    "home and job: one kind only": (
        2020, "1980-05-01",
        {"social_insurance": [work("2018-01-01", "2018-12-01", OUTSIDE), work("2019-01-01", "2019-12-01")],
         "housing": [own("2010-01-01", OUTSIDE)]},
        {"job_housing": "5.00"},  # not 4 and not 3
    ),
    "age by the birthday, first day": (2020, "1972-01-01", {}, {"age": "16.00"}),
    "age by the birthday, last day": (2020, "1972-12-31", {}, {"age": "16.00"}),
    "age by the birthday, a day later": (2020, "1973-01-01", {}, {"age": "20.00"}),
    "rent not registered filled from employment": (
        2022, "1975-05-01",
        {"social_insurance": [work("1998-07-01", "2021-12-01")],
         "housing": [{"kind": "rent", "district": INSIDE, "start_date": "1998-07-01", "registered_on": None}]},
        {"residence": "11.04"},
    ),
    "the border of rent moves with the year": (
        2024, "1975-05-01",
        {"social_insurance": [work("1998-07-01", "2023-12-01")]},
        {"residence": "11.04"},  # of 306 months the 265 before August 2020
    ),
    "three years of window for 15 points": (
        2020, "1980-05-01",
        {"social_insurance": [work("2010-08-01", "2019-12-01")], "education": [study("2014-07-01")]},
        {"education": "15.00", "education_deduction": "-14.00"},
    ),
    "no residence taken back for rented months of study": (
        2020, "1980-05-01",
        {"social_insurance": [work("2013-08-01", "2019-12-01")], "education": [study("2014-07-01")]},
        {"education_deduction": "-3.50"},  # 12 months at 3 and 0.5 a year
    ),
    "tax all or nothing": (
        2020, "1980-05-01", {"tax": taxed(y2017=150_000, y2018=90_000, y2019=150_000)}, {"tax": "4.00"},
    ),
    "tax of a year without any": (
        2020, "1980-05-01", {"tax": taxed(y2017=150_000, y2019=150_000)}, {"tax": "0.00"},
    ),
    "the job needed for home and job": (
        2020, "1980-05-01",
        {"social_insurance": [work("2010-01-01", "2019-12-01")], "housing": [own("2010-01-01", OUTSIDE)]},
        {"job_housing": "4.00"},
    ),
    "age below zero": (2020, "1961-05-01", {}, {"age": "0.00"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, str]]:
    """The indicators of each case; those of one round are scored together."""
    points = {}
    for year in {case[0] for case in CASES.values()}:
        of_year = {name: case for name, case in CASES.items() if case[0] == year}
        people = []
        for _, born, feeds, _ in of_year.values():
            application = {"birth_date": born, "retirement_class": "male_60"}
            told = {"round": year, "application": application, "feeds": feeds}
            people.append(read_facts(json.dumps(told)))
        given = answers(people)
        points |= {name: each["indicators"] for name, each in zip(of_year, given, strict=True)}
    return points


@pytest.mark.parametrize("name", CASES)
def test_not_wrong_as_elsewhere(name: str, found: dict[str, dict[str, str]]) -> None:
    expected = CASES[name][3]
    assert {each: found[name][each] for each in expected} == expected
