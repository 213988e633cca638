"""Displacement is exact: held against everybody scored again without the decision (contract 9.5)."""

import random
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pytest
from commands import here
from deciding import HONOUR, QUOTA, YEAR, ARound, from_deliveries, result_of, scored
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.ledger.file import read
from flows.process import tables
from flows.process.appeals.deciding import decision_of
from flows.process.appeals.preview import preview
from flows.process.displacement import of_round
from flows.process.displacement.line import Line, Ranked
from flows.process.displacement.rows import in_points
from flows.process.tables import rebuilt

TOTALS = st.lists(st.integers(0, 12), max_size=30)  # few values: lines are crowded


@given(TOTALS, st.data(), st.integers(0, 12))
@settings(max_examples=400, deadline=None)
def test_a_line_with_others_is_the_line_of_them_all(
    totals: list[int], data: st.DataObject, quota: int
) -> None:
    gone = data.draw(st.lists(st.sampled_from(range(len(totals))), unique=True)) if totals else []
    come = data.draw(st.lists(st.integers(-3, 14), max_size=6))
    run = Ranked("run", quota, np.array(sorted(totals), dtype=np.int64), {})
    found = run.line_with([totals[place] for place in gone], come)
    left = [each for place, each in enumerate(totals) if place not in gone] + come
    ordered = sorted(left, reverse=True)
    places = min(quota, len(ordered))
    if not places:
        assert found == Line(None, 0, 0)
    else:
        line = ordered[places - 1]
        assert found == Line(line, ordered.count(line), sum(each >= line for each in ordered))


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> ARound:
    """A round with everything delivered and one run, the run before; not to be changed."""
    return from_deliveries(tmp_path_factory.mktemp("delivered"))


class Made(NamedTuple):
    """A correction that an appeal was upheld for."""

    number: str
    appeal: str
    delivery: str


def contested(found: ARound, chance: random.Random) -> list[Made]:
    """Corrections of every kind around the line, each upheld on appeal, and one nobody asked for."""
    people, employers = found.people(), found.employers()
    near = [each["application_no"] for each in found.ranking()[QUOTA - 12 : QUOTA + 14]]
    chosen = chance.sample(near, 3)
    kinds = ["honour", "criminal_record", chance.choice(["honour", "law"])]
    chance.shuffle(kinds)
    wanted = [*zip(chosen, kinds, strict=False)]
    twice = next((each for each in wanted if each[1] == "honour"), wanted[0])
    wanted.append((twice[0], "law"))  # a second decision on one applicant
    rows = {
        "honour": ("honours", HONOUR),
        "law": ("detentions", {"decided_on": "2019-03-03"}),
        "criminal_record": ("criminal_records", {"sentenced_on": "2015-01-01"}),
    }
    codes = [employers[number] for number in near]
    code = max(sorted(set(codes)), key=codes.count)
    of_employer = next(each for each in near if employers[each] == code)
    rows["employer"] = ("employers", found.row_of_employer(code) | {"tax_paying": "false"})
    wanted = [*dict.fromkeys(wanted), (of_employer, "employer")]
    appeals = [found.claim(*each, "2021-06-05") for each in wanted]
    deliveries = []
    for number, subject in wanted:
        feed, row = rows[subject]
        who = {} if subject == "employer" else {"person_id": people[number]}
        deliveries.append(found.correct(feed, [who | row], "2021-06-06"))
    other = next(each for each in near if each not in {number for number, _ in wanted})
    found.correct("honours", [{"person_id": people[other], **HONOUR}], "2021-06-06")
    made = []
    for (number, _), appeal, delivery in zip(wanted, appeals, deliveries, strict=True):
        result = chance.choice(["upheld", "partly_upheld"])
        found.decide(appeal, result, "2021-06-13", delivery)
        made.append(Made(number, appeal, delivery))
    return made


def against_brute_force(found: ARound, folder: Path, seed: int) -> list[dict[str, Any]]:
    """The rows of displacement, each held against scoring everybody again."""
    was = result_of(found)
    made = contested(found, random.Random(seed))
    found.run("2021-06-20")
    now = result_of(found)
    rows = {each["appeal_id"]: each for each in found.rows("FROM displacement")}
    assert rows.keys() == {each.appeal for each in made}
    employers = found.employers()
    for place, each in enumerate(made):
        row = rows[each.appeal]
        own = {other.delivery for other in made if other.number == each.number}
        # who is put back with it: every applicant of the employer, and whatever moved them since
        back = {each.number} | {
            number
            for other in made
            if other.number == each.number and "-employers-" in other.delivery
            for number in employers
            if employers[number] == employers[each.number]
        }
        without = scored(found, folder / f"without-{place}", own)
        mixed = now._replace(
            totals=now.totals | {number: was.totals[number] for number in back},
            eligible=(now.eligible - back) | (was.eligible & back),
        )
        if len(back) == 1:
            assert mixed == without  # nobody's points depend on another
        assert together(row) == mixed.line, each
        assert (row["line"], row["tied"], row["settled"]) == in_row(now.line)
        assert row["total_before"] == points(was.totals[each.number])
        assert row["total_after"] == points(now.totals[each.number])
        assert (row["rank_before"], row["rank_after"]) == (
            was.rank(each.number),
            now.rank(each.number),
        )
        line = was.line[0]
        assert row["settled_before"] == (
            each.number in was.eligible and was.totals[each.number] >= (line or 0)
        )
        assert row["together"] == (len(own) > 1 or len(back) > 1)
    return list(rows.values())


def points(centipoints: int | None) -> Decimal | None:
    return None if centipoints is None else Decimal(centipoints) / 100


def in_row(line: tuple[int | None, int, int]) -> tuple[Decimal | None, int, int]:
    return points(line[0]), line[1], line[2]


def together(row: dict[str, Any]) -> tuple[int | None, int, int]:
    line = row["line_without"]
    return None if line is None else int(line * 100), row["tied_without"], row["settled_without"]


def test_every_decision_against_scoring_everybody_again(delivered: ARound, tmp_path: Path) -> None:
    found = delivered.copy(tmp_path)
    rows = against_brute_force(found, tmp_path, seed=1)
    assert any(row["line"] != row["line_without"] or row["tied"] != row["tied_without"] for row in rows)
    assert {row["together"] for row in rows} == {True, False}
    shown_and_kept(found)


def shown_and_kept(found: ARound) -> None:
    """The command shows the table's rows, and no other operation works them out again."""
    done = here("displacement", YEAR, "--json", *found.options())
    assert done.returncode == 0, done.stderr
    done = here("displacement", YEAR, *found.options())
    assert "all that changed between the two runs (luohu diff)" in done.stdout
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of_round, "decided", None)  # whoever calls it fails
        found.claim(found.ranking()[0]["application_no"], "tax", "2021-06-21", **LATE)
        rebuilt(found.warehouse, found.data)
        with pytest.raises(TypeError):
            rebuilt(found.warehouse, found.data, anew=True)
    before = found.rows("FROM displacement")
    rebuilt(found.warehouse, found.data, anew=True)
    assert found.rows("FROM displacement") == before


LATE = {"override": "邮路延误", "and_by": "周七", "kind": "appeal"}


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 12))
def test_random_rounds_against_scoring_everybody_again(seed: int, tmp_path: Path) -> None:
    found = from_deliveries(tmp_path / "round", seed=seed)
    against_brute_force(found, tmp_path, seed)
