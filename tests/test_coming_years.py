"""The coming years are exact under what is assumed: each is what the facts of that year would score."""

import json
from typing import Any

import pytest

from flows.common.rounds import official_lines
from flows.explain.coming_years.lines import lines_of, mean_growth
from flows.public.answer import answer
from flows.public.facts import read_facts
from flows.public.forward import forward
from flows.public.study_or_work import study_or_work

HOME = {"kind": "own", "district": "110112", "start_date": "2016-05-01", "end_date": "2024-01-31"}
RENT = {"kind": "rent", "district": "110105", "start_date": "2014-01-01", "end_date": "2016-04-30"}
STUDY = {"level": "master", "has_diploma": True, "has_degree": True, "graduated_on": "2019-07-01"}


def told(year: int, last: str, end: str | None, tax: dict[int, int]) -> dict[str, Any]:
    """Somebody of 1976 who began in November 2017, six years and two months before 2024."""
    months = {"from": "2017-11-01", "to": last, "work_district": "110112", "status": "paid"}
    payments = [
        {"treasury_date": f"{of}-12-31", "income_kind": "comprehensive", "amount_fen": 100 * yuan}
        for of, yuan in tax.items()
    ]
    return {
        "round": year,
        "application": {"birth_date": "1976-03-05", "retirement_class": "female_50"},
        "feeds": {
            "social_insurance": [months], "housing": [RENT, {**HOME, "end_date": end}],
            "education": [STUDY], "tax": payments,
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def now() -> dict[str, Any]:
    """Round 2024, as told then."""
    return told(2024, "2023-12-01", HOME["end_date"], {2022: 120_000, 2023: 130_000})


@pytest.fixture(scope="module")
def found(now: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Year -> what comes of it."""
    return {each["year"]: each for each in forward(read_facts(json.dumps(now)), 300)["years"]}


@pytest.mark.parametrize("year", [2024, 2025, 2026, 2027])
def test_a_year_is_what_its_facts_would_score(year: int, found: dict[int, dict[str, Any]]) -> None:
    """Written out by hand: the months to December, the home kept, the tax of 2023 every year."""
    tax = {2022: 120_000, **dict.fromkeys(range(2023, year), 130_000)}
    then = answer(read_facts(json.dumps(told(year, f"{year - 1}-12-01", None, tax))))
    assert found[year]["indicators"] == then["indicators"]
    assert found[year]["total"] == then["total"]
    assert found[year]["eligible"] == then["eligible"]
    assert found[year]["assumed"] == then["assumed"] == (year > 2026)


def test_age_falls_the_seven_years_are_completed_and_retirement_is_reached(
    found: dict[int, dict[str, Any]],
) -> None:
    ages = [found[year]["indicators"]["age"] for year in range(2024, 2028)]
    assert ages == ["16.00", "12.00", "8.00", "4.00"]
    assert found[2024]["failing"] == ["social_insurance"]  # 74 months
    assert found[2025]["failing"] == []  # 86
    assert found[2024]["indicators"]["tax"] == "0.00"
    assert found[2025]["indicators"]["tax"] == "6.00"
    # fifty, and a month for every two begun since January 1975: on 5 November 2026
    assert max(found) == 2027
    assert found[2027]["failing"] == ["retirement_age"]
    assert found[2026]["failing"] == []


def test_the_lines(found: dict[int, dict[str, Any]]) -> None:
    assert {year: found[year]["line"] for year in found} == {
        2024: "114.46", 2025: "117.33", 2026: "119.92", 2027: "122.92",
    }  # fmt: skip
    assert [found[year]["official"] for year in sorted(found)] == [True, True, True, False]
    assert mean_growth({2023: 10992, 2024: 11446, 2025: 11733, 2026: 11992}) == 333
    assert mean_growth({2025: 100, 2026: 101}) == 1
    assert mean_growth({2024: 100, 2026: 101}) == 1  # half a centipoint
    assert (mean_growth({2026: 1}), mean_growth({})) == (0, 0)
    assert lines_of().growth == mean_growth(official_lines())
    assert lines_of(own={2026: 12000}).of(2027) == 12000 + lines_of(own={2026: 12000}).growth


def test_the_first_year_that_is_enough(now: dict[str, Any]) -> None:
    """Against lines that fall everybody settles some day, but not before the conditions hold."""
    person = read_facts(
        json.dumps({**now, "application": {**now["application"], "retirement_class": "male_60"}})
    )
    falling = forward(person, -2_000)
    year = next(each for each in falling["years"] if each["enough"])
    assert falling["first"] == year["year"] > 2026
    assert not year["gap"].startswith("-")
    before = next(each for each in falling["years"] if each["year"] == year["year"] - 1)
    assert before["gap"].startswith("-")
    assert forward(person, 10_000)["first"] is None


def test_work_that_ended_does_not_go_on(now: dict[str, Any]) -> None:
    ended = told(2024, "2023-11-01", None, {2023: 130_000})
    found = forward(read_facts(json.dumps(ended)), years=3)
    assert not found["work_goes_on"]
    assert {each["indicators"]["employment"] for each in found["years"]} == {"18.25"}
    moved = told(2024, "2023-12-01", "2023-12-30", {})
    homes = forward(read_facts(json.dumps(moved)), years=3)["years"]
    assert [each["indicators"]["job_housing"] for each in homes] == [
        "12.00",
        "0.00",
        "0.00",
        "0.00",
    ]


def test_study_against_work(now: dict[str, Any]) -> None:
    """Claiming costs the months of study: here a late junior college costs more than it earns less."""
    person = {**now, "feeds": {**now["feeds"], "social_insurance": [
        {"from": "2012-01-01", "to": "2023-12-01", "work_district": "110112", "status": "paid"}]}}  # fmt: skip
    college = {
        **STUDY,
        "level": "junior_college",
        "has_degree": False,
        "graduated_on": "2015-07-01",
    }
    poor = {**STUDY, "level": "bachelor", "has_degree": False, "graduated_on": "2015-07-01"}
    person["feeds"]["education"] = [STUDY, college, poor]
    found = study_or_work(read_facts(json.dumps(person)))
    claimed = answer(read_facts(json.dumps(person)))
    assert found["claimed"]["with"] == claimed["total"]
    waived = {**person, "application": {**person["application"], "claims_education": False}}
    assert found["without"] == answer(read_facts(json.dumps(waived)))["total"]
    master, junior, diploma = found["credentials"]
    assert (master["gained"], master["deducted"]) == ("26.00", "-10.50")
    assert (master["better"], master["by"]) == ("study", "15.50")
    assert (junior["gained"], junior["deducted"], junior["by"]) == ("10.50", "-10.50", "0.00")
    assert junior["better"] == diploma["better"] == "equal"
    window = master["months"]
    assert [window[0]["month"], window[-1]["month"], len(window)] == ["2016-08", "2019-07", 36]
    assert all(each["employment"] for each in window)
    assert {each["residence"] for each in window} == {"own_early"}
    early = junior["months"][0]
    assert early == {
        "month": "2012-08", "employment": True, "home": None, "residence": "default_early",
    }  # fmt: skip
