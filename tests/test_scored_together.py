"""People scored together by the pages' processes: what fails about one of them is that one's alone."""

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flows.common.failures import StageFailed
from flows.public.answer import answers
from flows.public.facts import Facts
from flows.public.web import jobs
from flows.public.web.scoring import Scoring
from transforms.policy import PolicyError

BORN = ("1980-01-01", "1981-02-02", "1982-03-03")
UNFORESEEN = BORN[1]


def text(birth_date: str, year: int = 2020) -> bytes:
    person = {"birth_date": birth_date, "retirement_class": "male_60"}
    return json.dumps({"round": year, "application": person}).encode()


@pytest.fixture(autouse=True)
def one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked together with one of them fails, as an error that nobody foresaw would."""

    def failing(people: Sequence[Facts]) -> list[dict[str, Any]]:
        if any(str(each.rows["applications"][0]["birth_date"]) == UNFORESEEN for each in people):
            raise KeyError(UNFORESEEN)
        return answers(people)

    monkeypatch.setattr(jobs, "answers", failing)


def test_the_others_are_scored() -> None:
    found = jobs.score_all([text(each) for each in BORN])
    assert [type(each) for each in found] == [jobs.Reply, StageFailed, jobs.Reply]
    assert UNFORESEEN not in str(found[1])


def test_facts_that_fail_unforeseen_take_nobody_along(monkeypatch: pytest.MonkeyPatch) -> None:
    read = jobs.read_facts

    def failing(given: bytes) -> Facts:
        if UNFORESEEN.encode() in given:
            raise KeyError(UNFORESEEN)
        return read(given)

    monkeypatch.setattr(jobs, "read_facts", failing)
    found = jobs.score_all([text(each) for each in BORN])
    assert [type(each) for each in found] == [jobs.Reply, StageFailed, jobs.Reply]


def test_a_round_whose_policy_is_wrong_fails_its_own_people(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(people: Sequence[Facts]) -> list[dict[str, Any]]:
        if people[0].this_round.year == 2021:
            raise PolicyError("age.toml has no value in force")
        return answers(people)

    monkeypatch.setattr(jobs, "answers", failing)
    found = jobs.score_all([text(BORN[0]), text(BORN[1], 2021), text(BORN[2])])
    assert [type(each) for each in found] == [jobs.Reply, PolicyError, jobs.Reply]


def test_each_who_waits_gets_what_is_theirs() -> None:
    async def asked() -> list[Any]:
        with ThreadPoolExecutor(1) as pool:
            scoring = Scoring(processes=1, pool=pool, free=1)
            waiting = (scoring.score(text(each)) for each in BORN)
            return await asyncio.gather(*waiting, return_exceptions=True)

    found = asyncio.run(asked())
    assert [type(each) for each in found] == [jobs.Reply, StageFailed, jobs.Reply]
    assert [each.status for each in found if isinstance(each, jobs.Reply)] == [jobs.SCORED] * 2
