"""`luohu score` gives exactly the points and conditions of the run, on everybody and in every edition."""

import json
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from people import facts_of
from reference import hostile, scorer

from flows.common.settings import DATA, Order
from flows.public.answer import answer, answers
from flows.public.facts import Facts, read_facts
from flows.run.stages import ingest_stage, score_stage
from flows.simulate import simulate
from schemas.results import CONDITIONS, INDICATORS

BATCH = 100
Told = dict[str, dict[str, Any]]


def run_and_told(order: Order, work: Path) -> tuple[Told, dict[str, Facts]]:
    """What the run gives everybody, and everybody's facts as they would tell them."""
    work.mkdir()
    for stage in (ingest_stage, score_stage):
        stage(order, work)
    table = pl.read_parquet(work / "scores.parquet").join(
        pl.read_parquet(work / "eligibility.parquet"), on="application_no"
    )
    given = {
        row["application_no"]: {
            "conditions": {name: row[name] for name in CONDITIONS},
            "eligible": row["eligible"],
            "indicators": {name: str(row[name]) for name in INDICATORS},
            "total": str(row["total"]),
        }
        for row in table.iter_rows(named=True)
    }
    people = facts_of(order.feeds, order.year)
    return given, {
        number: read_facts(json.dumps(facts), order.data) for number, facts in people.items()
    }


def require_same(given: Told, people: dict[str, Facts], verifier: ModuleType) -> None:
    """The answers agree with the run, and each receipt with itself."""
    assert given.keys() == people.keys()
    numbers = sorted(people)
    for start in range(0, len(numbers), BATCH):
        some = numbers[start : start + BATCH]
        for number, found in zip(some, answers([people[each] for each in some]), strict=True):
            assert {name: found[name] for name in given[number]} == given[number], number
            assert verifier.check(found["receipt"]) == [], number


@pytest.mark.parametrize(
    "year",
    [2018, 2020, *(pytest.param(year, marks=pytest.mark.soak) for year in (2019, 2022, 2026))],
)
def test_hostile_people_score_as_in_the_run(
    year: int, tmp_path: Path, verifier: ModuleType
) -> None:
    order = Order(year, tmp_path / "feeds", tmp_path)
    edition = "trial" if order.edition().name == "trial" else "2020"
    spec = scorer.RoundSpec(year, edition, insured_in=order.round().insured_in)
    hostile.write_feeds(order.feeds, spec, 100 + year, 40, dirty=False)
    given, people = run_and_told(order, tmp_path / "work")
    assert len({each["total"] for each in given.values()}) > 10
    require_same(given, people, verifier)
    for number in sorted(people)[:3]:  # alone as among others
        alone = answer(people[number])
        assert {name: alone[name] for name in given[number]} == given[number]


@pytest.mark.parametrize(
    ("year", "applicants"),
    [
        (2020, 50),
        *(pytest.param(year, 2_000, marks=pytest.mark.soak) for year in (2018, 2020, 2024, 2026)),
    ],
)
def test_a_simulated_round_scores_as_in_the_run(
    year: int, applicants: int, tmp_path: Path, verifier: ModuleType
) -> None:
    order = Order(year, tmp_path / "feeds", tmp_path)
    simulate(year, order.feeds, applicants=applicants, seed=11, dirty=0.0, data=DATA)
    given, people = run_and_told(order, tmp_path / "work")
    require_same(given, people, verifier)


def test_another_policy_is_followed(tmp_path: Path) -> None:
    """The rules are asked: a policy that gives a point more a year gives it here."""
    data = Path(shutil.copytree(DATA, tmp_path / "data"))
    path = data / "policy" / "employment.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count("value = 25\n") == 1
    path.write_text(text.replace("value = 25\n", "value = 50\n"), encoding="utf-8")
    months = [
        {"from": "2018-01-01", "to": "2018-12-01", "work_district": "110105", "status": "paid"}
    ]
    facts = {
        "round": 2020,
        "application": {"birth_date": "1980-05-01", "retirement_class": "male_60"},
        "feeds": {"social_insurance": months},
    }
    assert answer(read_facts(json.dumps(facts)))["indicators"]["employment"] == "3.00"
    assert answer(read_facts(json.dumps(facts), data))["indicators"]["employment"] == "6.00"


def test_it_is_asked_without_prefect() -> None:
    """The functions pages call import no scheduler, no server and no database of runs."""
    import subprocess

    code = (
        "import sys; import flows.public.answer, flows.public.forward, flows.public.study_or_work;"
        " print(*sorted({each.partition('.')[0] for each in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"prefect", "sqlalchemy", "httpx"} & set(done.stdout.split())
