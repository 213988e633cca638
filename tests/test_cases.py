"""Every worked case in `cases/` comes out as it says.

Cases of one round are scored together, one person a case, in one ledger: so that a rule that lets
one applicant's facts reach another's points fails here too.
"""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import pytest
from cases import ACCEPTED, ROOT, Case, feeds, load_cases, totals

from schemas.feeds import FEEDS
from transforms.editions import edition
from transforms.policy import Edition
from transforms.ranking import line, ranking
from transforms.scorecard import ledger

POLICY = ROOT / "data" / "policy"
CASES = load_cases()
RANKED = [case for case in CASES if case.rule == "ranking"]
SCORED = [case for case in CASES if case.rule != "ranking"]


@dataclass(frozen=True)
class Outcome:
    """What one rule makes of one case: centipoints or whether it holds, and why."""

    result: int | bool
    evidence: dict[str, Any]


Outcomes = dict[str, Outcome]


@cache
def edition_on(policy_date: date) -> Edition:
    """The edition of a policy date."""
    return edition(POLICY, policy_date)


@cache
def by_round() -> dict[str, list[Case]]:
    """The cases of each round."""
    found: dict[str, list[Case]] = {}
    for case in SCORED:
        found.setdefault(str(case.this_round), []).append(case)
    return found


@cache
def outcomes(of_round: str) -> dict[str, Outcomes]:
    """Rule by rule, what becomes of every case of a round: case -> rule -> outcome."""
    return scored(by_round()[of_round])


def scored(cases: list[Case]) -> dict[str, Outcomes]:
    """The cases of one round in one ledger, by case and rule."""
    in_force = edition_on(cases[0].this_round.policy_date)
    made = ledger(feeds(cases), in_force, cases[0].this_round)
    rules = {**in_force.conditions, **in_force.indicators}
    frames = {**made.conditions, **made.indicators}
    found: dict[str, Outcomes] = {str(case): {} for case in cases}
    for column, frame in frames.items():
        assert frame["person"].to_list() == list(range(len(cases)))
        for case, (_, result, evidence) in zip(cases, frame.iter_rows(), strict=True):
            found[str(case)][rules[column].name] = Outcome(result, json.loads(evidence))
    return found


def told(value: Any) -> Any:
    """A value of a case file as evidence tells it: dates as text, "none" as nothing."""
    if value == "none":
        return None
    return value.isoformat() if isinstance(value, date) else value


@pytest.mark.parametrize("case", [c for c in SCORED if c.rule != "total"], ids=str)
def test_rule(case: Case) -> None:
    """The rule gives the centipoints, or holds, as expected, and shows the facts it counted."""
    outcome = outcomes(str(case.this_round))[str(case)][case.rule]
    known = {"centipoints", "holds", "evidence"}
    assert set(case.expect) <= known
    assert "centipoints" in case.expect or "holds" in case.expect
    expected = case.expect["holds" if isinstance(outcome.result, bool) else "centipoints"]
    assert (outcome.result, type(outcome.result)) == (expected, type(expected)), outcome.evidence
    wanted = case.expect["evidence"]
    if not wanted:
        assert outcome.evidence == {}
    assert {name: outcome.evidence.get(name) for name in wanted} == {
        name: told(value) for name, value in wanted.items()
    }


@pytest.mark.parametrize("case", [c for c in SCORED if c.rule == "total"], ids=str)
def test_total(case: Case) -> None:
    """The total is the plain sum of the ten indicators, each as published."""
    in_force = edition_on(case.this_round.policy_date)
    found = outcomes(str(case.this_round))[str(case)]
    parts = {name: found[rule.name].result for name, rule in in_force.indicators.items()}
    assert parts == case.expect["parts"]
    assert sum(parts.values()) == case.expect["centipoints"]


@pytest.mark.parametrize("case", RANKED, ids=str)
def test_ranking(case: Case) -> None:
    """The line, and who settles; shared ranks, serials and the order where the case tells them."""
    ranked = ranking(totals(case), case.this_round.quota, case.this_round.year)
    drawn = line(ranked)
    found = {
        "eligible": drawn.eligible,
        "settled": drawn.settled,
        "cutoff": "none" if drawn.cutoff is None else drawn.cutoff,
        "tied_at_cutoff": drawn.tied_at_cutoff,
        "ranks": ranked["rank"].to_list(),
        "serials": ranked["serial"].drop_nulls().to_list(),
        "order": ranked["application_no"].to_list(),
    }
    assert {name: found[name] for name in case.expect} == case.expect


@pytest.mark.parametrize("rule", sorted({case.rule for case in SCORED}))
def test_nobody_else_changes_the_outcome(rule: str) -> None:
    """A case scored alone comes out as it does in the company of the others."""
    case = next(case for case in SCORED if case.rule == rule)
    assert scored([case])[str(case)] == outcomes(str(case.this_round))[str(case)]


def test_the_feeds_of_the_cases_are_those_departments_deliver() -> None:
    """The accepted form has the columns of the feed models, people and employers as numbers."""
    replaced = {"person_id": "person", "employer_id": "employer"}
    for feed, delivery in FEEDS.items():
        delivered = {replaced.get(name, name) for name in delivery.model.to_schema().columns}
        if feed == "applications":
            delivered -= {"name"}  # no rule sees a name
        if feed == "employers":
            delivered |= {"employer_id"}
        if feed == "sanctions":
            delivered = delivered - {"subject_id"} | {"person", "employer"}
        assert set(ACCEPTED[feed]) == delivered, feed
    assert ACCEPTED.keys() == FEEDS.keys()


def test_every_case_is_told_apart() -> None:
    """A vector belongs to one case, and no two cases of a rule have the same facts."""
    vectors = Counter(case.vector for case in CASES if case.vector)
    facts = Counter(f"{case.rule} {case.this_round} {case.facts}" for case in CASES)
    assert [name for name, times in (vectors + facts).items() if times > 1] == []
