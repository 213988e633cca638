"""Facts as somebody tells them: what may be left out, what is wrong and where, how much is taken."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flows.public.answer import answer
from flows.public.facts import MOST_ROWS, read_facts
from flows.public.faults import BadFacts
from flows.public.json_text import MOST_BYTES

MONTH = {"month": "2019-12-01", "work_district": "110105", "status": "paid"}
YEARS = {"from": "2010-01-01", "to": "2020-06-01", "work_district": "110112", "status": "paid"}
RENT = {"kind": "rent", "district": "110105", "start_date": "2021-01-01"}
BACHELOR = {
    "level": "bachelor",
    "has_diploma": True,
    "has_degree": True,
    "graduated_on": "2005-07-01",
}
FIRM = {
    "employer_id": "91110000000000000E", "name": "甲", "district": "110108",
    "registered_in_beijing": True, "tax_registered": True, "tax_paying": True,
    "high_tech": True, "tech_sme": False,
}  # fmt: skip
ID = "110101198001010010"


def facts(year: int = 2020, application: Any = (), **feeds: Any) -> dict[str, Any]:
    """The least there may be, and some feeds."""
    least = {"birth_date": "1980-05-01", "retirement_class": "male_60", **dict(application)}
    return {"round": year, "application": least, "feeds": feeds}


def scored(told: Any) -> dict[str, Any]:
    """The answer to facts."""
    return answer(read_facts(json.dumps(told)))


def faults(told: Any) -> dict[str, str]:
    """Path -> the rest of its line."""
    text = told if isinstance(told, bytes | str) else json.dumps(told)
    with pytest.raises(BadFacts) as refused:
        read_facts(text)
    lines = str(refused.value).splitlines()
    assert all(": expected " in line and ", came " in line for line in lines)
    assert ID not in str(refused.value)
    return dict(line.split(": ", 1) for line in lines)


def test_the_least_is_enough() -> None:
    found = scored({"round": 2020, "application": facts()["application"]})
    assert list(found) == [
        *("round", "edition", "assumed", "conditions", "eligible", "indicators", "total"),
        *("receipt", "lines", "gap"),
    ]
    assert found["total"] == found["indicators"]["age"] == "20.00"
    assert found["conditions"] == {
        "residence_permit": True, "retirement_age": True, "social_insurance": False,
        "criminal_record": True, "employer": True, "not_barred": True,
    }  # fmt: skip
    assert found["lines"][-1] == {"year": 2026, "line": "119.92"}
    assert found["gap"] == "-99.92"
    receipt = found["receipt"]
    left_out = {"application_no", "run_id", "salt", "standing", "needs_review", "rejects"}
    assert not receipt.keys() & (left_out | {"made_from", "delivered", "proof"})


def test_what_is_left_out_takes_its_default() -> None:
    told = scored(facts(social_insurance=[YEARS], education=[BACHELOR]))
    month = {"month": "2019-12-01", "recorded_on": "2019-12-01"}
    five = dict.fromkeys(("pension", "medical", "unemployment", "injury", "maternity"), "paid")
    whole = {**BACHELOR, "verified": True, "enrolled_on": None}
    months = [
        {"work_district": "110112", **five, **dict.fromkeys(month, f"{n // 12}-{n % 12 + 1:02}-01")}
        for n in range(2010 * 12, 2020 * 12 + 6)
    ]
    assert len(months) == 126
    permit = {"valid_from": "2015-01-01", "valid_to": None}
    said = facts(
        application={"claims_education": True},
        social_insurance=months, education=[whole], residence_permits=[permit],
    )  # fmt: skip
    for name in ("conditions", "indicators", "total"):
        assert scored(said)[name] == told[name]
    assert told["eligible"]
    assert told["indicators"]["education"] == "15.00"


def test_registered_on_is_the_start_of_what_must_be_registered() -> None:
    """Null is null: who says that a home is not registered is believed."""
    years = {**YEARS, "to": "2021-12-01"}
    homes = facts(2022, social_insurance=[years], housing=[RENT])
    assert scored(homes)["indicators"]["residence"] == "5.79"  # 127 months by default, then 12
    homes["feeds"]["housing"] = [{**RENT, "registered_on": None}]
    assert scored(homes)["indicators"]["residence"] == "5.29"


def test_null_and_empty_are_no_default() -> None:
    assert not scored(facts(residence_permits=[]))["conditions"]["residence_permit"]
    assert not scored(facts(employers=[]))["conditions"]["employer"]
    assert scored(facts(employers=[FIRM]))["conditions"]["employer"]
    named = facts(application={"employer_id": FIRM["employer_id"]})
    assert scored(named)["conditions"]["employer"]
    poor = {**FIRM, "tax_paying": False}
    assert not scored({**named, "feeds": {"employers": [poor]}})["conditions"]["employer"]
    assert faults(facts(application={"claims_education": None})).keys() == {
        "application.claims_education"
    }
    assert faults(facts(education=[{**BACHELOR, "verified": None}])).keys() == {
        "feeds.education[0].verified"
    }
    assert faults(facts(housing=None)).keys() == {"feeds.housing"}
    assert faults({**facts(), "feeds": None}).keys() == {"feeds"}


def test_a_firm_named_earns_the_financing() -> None:
    """Only an employer that is told to be high-tech earns it: the one left out never does."""
    share = {"share_bp": 1000, "held_from": "2018-12-31", "held_to": None}
    cash = {"received_on": "2018-05-01", "amount_fen": 2_000_000_000}
    firm = {"employer_id": FIRM["employer_id"]}
    told = facts(
        social_insurance=[{**YEARS, **firm}], employers=[FIRM], shareholdings=[{**share, **firm}],
        financings=[{**cash, **firm}],
    )  # fmt: skip
    assert scored(told)["indicators"]["innovation"] == "4.00"
    told["feeds"] |= {"social_insurance": [YEARS], "shareholdings": [share]}
    assert scored(told)["indicators"]["innovation"] == "0.00"


def test_a_finding_without_subject_is_ones_own() -> None:
    found_on = {"found_on": "2018-05-01"}
    assert not scored(facts(sanctions=[found_on]))["conditions"]["not_barred"]
    of_firm = {**found_on, "subject_id": FIRM["employer_id"]}
    assert scored(facts(sanctions=[of_firm]))["conditions"]["not_barred"]
    named = facts(application={"employer_id": FIRM["employer_id"]}, sanctions=[of_firm])
    assert not scored(named)["conditions"]["not_barred"]


@pytest.mark.parametrize(
    ("told", "path", "expected", "came"),
    [
        ([], "facts", "an object", "a list of 0"),
        ("{", "facts", "JSON", "something else"),
        (b"\xff{}", "facts", "JSON in UTF-8", "other bytes"),
        ('{"round": NaN}', "facts", "JSON", "NaN"),
        ('{"round": 2020, "round": 2021}', "round", "a name once", "it twice"),
        ("[" * 100_000, "facts", "a few deep", "hundreds"),
        ('{"round": ' + "9" * 5000 + "}", "facts", "numbers that fit", "thousands of digits"),
        (" " * (MOST_BYTES + 1), "facts", "at most 1,048,576 bytes", "more"),
        ({**facts(), "round": 2017}, "round", "a round from 2018 to 2066", "2017"),
        ({**facts(), "round": 2067}, "round", "a round from 2018 to 2066", "2067"),
        ({**facts(), "round": "2020"}, "round", "a year", '"2020"'),
        ({**facts(), "round": True}, "round", "a year", "true"),
        ({**facts(), "why": 1}, "why", "one of round, application, feeds", "no meaning"),
        ({"round": 2020}, "application", "an object", "nothing"),
        (facts(application={"birth_date": "1980-02-30"}), "application.birth_date", "YYYY-MM-DD", '"1980-02-30"'),
        (facts(application={"birth_date": "1880-02-03"}), "application.birth_date", "1900-01-01", '"1880-02-03"'),
        (facts(application={"retirement_class": "male"}), "application.retirement_class", "one of male_60, female_55, female_50", '"male"'),
        (facts(application={"name": "某人"}), "application.name", "one of birth_date", "no meaning"),
        (facts(patents=[]), "feeds.patents", "one of residence_permits", "no meaning"),
        (facts(housing=[RENT, 1]), "feeds.housing[1]", "an object", "1"),
        (facts(housing=[RENT, {**RENT, "start_date": "2019-13-01"}]), "feeds.housing[1].start_date", "YYYY-MM-DD", '"2019-13-01"'),
        (facts(housing=[{**RENT, "end_date": "2020-12-31"}]), "feeds.housing[0].end_date", "an end not before its start", '"2020-12-31"'),
        (facts(housing=[{**RENT, "district": "1101"}]), "feeds.housing[0].district", "six digits", '"1101"'),
        (facts(housing=[{**RENT, "kind": "tent"}]), "feeds.housing[0].kind", "one of own, dormitory, rent", '"tent"'),
        (facts(housing=[{"kind": "rent", "district": "110105"}]), "feeds.housing[0].start_date", "YYYY-MM-DD", "nothing"),
        (facts(housing=[{**RENT, "person_id": ID}]), "feeds.housing[0].person_id", "one of kind", "no meaning"),
        (facts(housing=[{**RENT, ID: 1}]), 'feeds.housing[0]."999999999999999999"', "one of kind", "no meaning"),
        (facts(social_insurance=[{**MONTH, "month": "2019-12-02"}]), "feeds.social_insurance[0].month", "the first day of a month", '"2019-12-02"'),
        (facts(social_insurance=[{**MONTH, "pension": "paid"}]), "feeds.social_insurance[0].pension", "either one status or the five", "both"),
        (facts(social_insurance=[{**MONTH, **YEARS}]), "feeds.social_insurance[0].month", "either month or from and to", "both"),
        (facts(social_insurance=[{**YEARS, "to": "2009-12-01"}]), "feeds.social_insurance[0].to", "not before", '"2009-12-01"'),
        (facts(social_insurance=[{**YEARS, "to": "2019-12-31"}]), "feeds.social_insurance[0].to", "the first day of a month", '"2019-12-31"'),
        (facts(social_insurance=[{"from": "2019-12-01", "work_district": "110105", "status": "paid"}]), "feeds.social_insurance[0].to", "YYYY-MM-DD", "nothing"),
        (facts(social_insurance=[{"month": "2019-12-01", "work_district": "110105"}]), "feeds.social_insurance[0].month", "at least one insurance with a status", '"2019-12-01"'),
        (facts(social_insurance=[{**YEARS, "recorded_on": "2019-12-31"}]), "feeds.social_insurance[0].recorded_on", "an end not before its start", '"2019-12-31"'),
        (facts(social_insurance=[YEARS, MONTH]), "feeds.social_insurance[1].month", "another month than feeds.social_insurance[0] has", "again"),
        (facts(social_insurance=[MONTH, MONTH]), "feeds.social_insurance[1].month", "another month than feeds.social_insurance[0] has", "again"),
        (facts(company_tax=[{"year": 2018, "attributed_fen": 1}, {"year": 2018, "attributed_fen": 2}]), "feeds.company_tax[1].year", "another year than feeds.company_tax[0] has", "2018 again"),
        (facts(tax=[{"treasury_date": "2019-05-01", "income_kind": "comprehensive", "amount_fen": 1.0}]), "feeds.tax[0].amount_fen", "a whole number", "the fraction 1.0"),
        (facts(tax=[{"treasury_date": "2019-05-01", "income_kind": "comprehensive", "amount_fen": 10**16}]), "feeds.tax[0].amount_fen", "within +-10^15", "beyond"),
        (facts(awards=[{"programme": "奖", "scope": "national", "awarded_on": "2019-01-01", "points": 7}]), "feeds.awards[0].points", "one of 1, 2, 3", "7"),
        (facts(awards=[{"programme": "\ud800", "scope": "national", "awarded_on": "2019-01-01", "points": 8}]), "feeds.awards[0].programme", "text in UTF-8", "text like"),
        (facts(shareholdings=[{"share_bp": 0, "held_from": "2019-01-01"}]), "feeds.shareholdings[0].share_bp", "the allowed range", "0"),
        (facts(honours=[{"title": ID, "awarded_on": "2019-01-01"}]), "feeds.honours[0].title", "no ID number", 'text like "999999999999999999"'),
        (facts(sanctions=[{"subject_id": "9111", "found_on": "2019-01-01"}]), "feeds.sanctions[0].subject_id", "a right check character", '"9111"'),
        (facts(employers=[{**FIRM, "employer_id": "91110000000000000B"}]), "feeds.employers[0].employer_id", "a credit code", 'text like "99999999999999999A"'),
        (facts(employers=[{name: FIRM[name] for name in FIRM if name != "employer_id"}]), "feeds.employers[0].employer_id", "text", "nothing"),
        (facts(employers=[FIRM, {**FIRM, "high_tech": False}]), "feeds.employers[1].employer_id", "another employer_id than feeds.employers[0] has", "again"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(told: Any, path: str, expected: str, came: str) -> None:
    found = faults(told)
    assert found.keys() == {path}
    said = found[path]
    assert expected in said.partition(", came ")[0]
    assert came in said.partition(", came ")[2]


def test_all_faults_are_told_at_once() -> None:
    told = facts(1999, {"birth_date": None}, housing=[{"kind": 3}, RENT, {**RENT, "x": 1}])
    assert faults(told).keys() == {
        "round", "application.birth_date", "feeds.housing[0].kind", "feeds.housing[0].district",
        "feeds.housing[0].start_date", "feeds.housing[2].x",
    }  # fmt: skip


def test_months_are_counted_before_they_are_written_out() -> None:
    long = {**YEARS, "from": "1900-01-01", "to": "9999-12-01"}
    assert "97,200" in faults(facts(social_insurance=[long]))["feeds"]
    detention = {"decided_on": "1999-01-01"}
    many = facts(detentions=[detention] * MOST_ROWS)
    assert scored(many)["indicators"]["law"] == "0.00"
    many["feeds"]["detentions"].append(detention)
    assert "5,001" in faults(many)["feeds"]


def test_a_round_to_come_goes_by_the_latest_edition() -> None:
    months = {**YEARS, "to": "2039-12-01"}
    found = scored(facts(2040, social_insurance=[months]))
    assert found["assumed"]
    assert found["edition"] == "2020"
    assert found["receipt"]["reference_date"] == found["receipt"]["permit_date"] == "2039-12-31"
    assert found["receipt"]["insured_in"] is None
    assert found["indicators"]["employment"] == "90.00"
    assert found["indicators"]["age"] == "0.00"
    assert found["conditions"]["retirement_age"]  # reached in May 2043 after the reform
    assert not scored(facts(2045))["conditions"]["retirement_age"]
    assert not scored(facts(2026))["assumed"]


def luohu(*arguments: str, given: bytes, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """The command in a folder of its own."""
    command = [sys.executable, "-m", "flows.cli", "score", *arguments]
    path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    return subprocess.run(
        command, input=given, capture_output=True, check=False, cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    """JSON, a page, a refusal; nothing is left behind."""
    told = facts(social_insurance=[YEARS], education=[BACHELOR])
    (tmp_path / "facts.json").write_text(json.dumps(told), encoding="utf-8")
    done = luohu("-", "--json", given=json.dumps(told).encode(), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == scored(told)
    page = luohu("facts.json", "--lang", "zh", given=b"", folder=tmp_path)
    text = page.stdout.decode()
    assert (page.returncode, page.stderr) == (0, b"")
    for word in (
        "总积分 70.00 分",
        "申报条件全部满足",
        "就业与就学积分比较",
        "历年落户分值",
        "119.92",
    ):
        assert word in text
    bad = luohu("-", given=json.dumps(facts(1999, housing=[1])).encode(), folder=tmp_path)
    assert (bad.returncode, bad.stdout) == (2, b"")
    first, second = bad.stderr.decode().splitlines()
    assert first.startswith("luohu: round: expected a round from 2018 to 2066, came 1999")
    assert second.startswith("feeds.housing[0]: expected an object, came 1")
    assert [path.name for path in tmp_path.iterdir()] == ["facts.json"]
