"""The smallest single change settles, when it is delivered and everything is run again; one less does
not.

Small rounds of every edition, with few places.  What the kinds propose is looked at in the accepted
rows; whether it is true is asked of the whole pipeline, on the feeds as delivered.
"""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from redelivery import Delivery

from flows.common.settings import DATA, Order
from flows.explain.what_if import Change, Edit, Nearest, Reached, nearest
from flows.explain.what_if.applicant import applicant
from flows.explain.what_if.kinds import KINDS, proposed
from flows.explain.what_if.nearest import Trial
from flows.kept.manifest import pin
from flows.kept.past_run import PastRun, Publication
from flows.run.stages import ingest_stage, rank_stage, score_stage
from flows.simulate import simulate

pytestmark = pytest.mark.slow

PEOPLE = 300
QUOTA = 45
Outcomes = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class SmallRound:
    """A published run of a simulated round with few places, and all it was made from."""

    year: int
    data: Path
    delivery: Delivery
    past: PastRun

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.past.directory / f"{name}.parquet")

    @cached_property
    def line(self) -> int:
        return int(self.table("ranking").filter("settled")["total"].min() * 100)

    @cached_property
    def unsettled(self) -> list[str]:
        """Applicants who did not settle: those next to the line, of each condition some who fail it
        alone, and a seeded sample."""
        stored = outcomes(self.past.directory)
        numbers = [number for number, each in stored.items() if not each["settled"]]
        numbers.sort(key=lambda number: (-stored[number]["total"], number))
        chosen = [number for number in numbers if stored[number]["eligible"]][:10]
        held = self.table("eligibility").select(pl.exclude("round", "eligible"))
        alone = held.filter(pl.sum_horizontal(~pl.col(pl.Boolean)) == 1)
        for condition in held.select(pl.col(pl.Boolean)).columns:
            failing = set(alone.filter(~pl.col(condition))["application_no"])
            chosen += [number for number in numbers if number in failing][:2]
        return list(dict.fromkeys([*chosen, *random.Random(1).sample(numbers, 6)]))

    @cached_property
    def found(self) -> dict[str, Nearest]:
        return {number: nearest(self.past, number) for number in self.unsettled}

    @cached_property
    def one_of_each(self) -> dict[str, tuple[str, Reached]]:
        """For each kind of change that settles somebody an applicant of their own: number, change."""
        chosen: dict[str, tuple[str, Reached]] = {}
        for number, each in sorted(self.found.items(), key=lambda item: len(item[1].reached)):
            for reached in each.reached:
                if reached.change.kind not in chosen:
                    chosen[reached.change.kind] = (number, reached)
                    break
        return chosen

    def again(self, changes: list[Change], folder: Path) -> Outcomes:
        """What becomes of everybody when a delivery with these changes goes through the pipeline."""
        feeds = self.delivery.with_changes(changes, folder / "feeds")
        return outcomes(scored_and_ranked(Order(self.year, feeds, folder, self.data)))


def scored_and_ranked(order: Order) -> Path:
    """The stages of a run up to the ranking; what is left, the second engine and the publication,
    changes no result."""
    work = order.warehouse / "work"
    work.mkdir()
    for stage in (ingest_stage, score_stage, rank_stage):
        stage(order, work)
    return work


def outcomes(run: Path) -> Outcomes:
    """application number -> total in centipoints, eligible, rank, settled, serial."""
    tables = [
        pl.read_parquet(run / f"{name}.parquet") for name in ("scores", "eligibility", "ranking")
    ]
    rows = tables[0].join(tables[1].select("application_no", "eligible"), on="application_no")
    rows = rows.join(tables[2].drop("total"), on="application_no", how="left")
    columns = ("total", "eligible", "rank", "settled", "serial")
    return {
        row["application_no"]: {name: row[name] for name in columns}
        | {"total": int(row["total"] * 100)}
        for row in rows.iter_rows(named=True)
    }


def made(year: int, folder: Path) -> SmallRound:
    simulate(year, folder / "feeds", applicants=PEOPLE, seed=3, dirty=0, data=DATA)
    return published(year, folder / "feeds", folder, QUOTA)


def published(year: int, feeds: Path, folder: Path, quota: int) -> SmallRound:
    data = few_places(folder / "data", year, quota)
    order = Order(year, feeds, folder, data)
    directory = scored_and_ranked(order)
    pin(order, directory)
    past = PastRun(year, "work", directory, folder, {}, Publication())
    return SmallRound(year, data, Delivery(feeds, directory), past)


def few_places(folder: Path, year: int, quota: int) -> Path:
    shutil.copytree(DATA, folder)
    path = folder / "rounds" / f"{year}.toml"
    text = path.read_text(encoding="utf-8")
    assert "\nquota = 6000\n" in text
    path.write_text(text.replace("\nquota = 6000\n", f"\nquota = {quota}\n"), encoding="utf-8")
    return folder


def delivered_with(small: SmallRound, rows: dict[str, list[dict[str, Any]]], out: Path) -> Path:
    """The delivery with more rows in some feeds."""
    shutil.copytree(small.delivery.folder, out)
    for feed, more in rows.items():
        schema = small.delivery.feeds[feed].schema
        pl.DataFrame(more, schema=schema).write_parquet(out / feed / "more.parquet")
    return out


OF_2020 = pytest.mark.parametrize("small", [2020], indirect=True)


@pytest.fixture(scope="module", params=[2020, pytest.param(2019, marks=pytest.mark.soak)])
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SmallRound:
    return made(request.param, tmp_path_factory.mktemp(f"round{request.param}"))


def proposals(small: SmallRound, number: str) -> list[Change]:
    trial = Trial.of(small.past, number)
    return proposed(applicant(trial.records, trial.edition, trial.this_round, trial.failing))


def one_less(small: SmallRound, number: str, change: Change) -> Change | None:
    """The next smaller change of the kind: a unit less of the same record, or the one before it."""
    smaller = []
    for each in proposals(small, number):
        if each.rows() == change.rows() and each.kind == change.kind:
            break
        if each.kind == change.kind and each.edits[0].before == change.edits[0].before:
            smaller.append(each)
    return smaller[-1] if smaller else None


def test_one_change_of_every_kind_gives_the_total_it_was_said_to(
    small: SmallRound, tmp_path: Path
) -> None:
    """All of them delivered together: nobody's total depends on another's records."""
    chosen = small.one_of_each
    assert len(chosen) >= 10
    again = small.again([reached.change for _, reached in chosen.values()], tmp_path)
    for kind, (number, reached) in chosen.items():
        assert again[number]["eligible"], kind
        assert again[number]["total"] == reached.total, kind
        assert reached.total >= small.line


def test_the_smallest_change_settles_with_the_rank_it_was_said_to(
    small: SmallRound, tmp_path: Path
) -> None:
    """One applicant at a time, as the new total moves the line."""
    changed = [number for number, each in small.found.items() if each.reached]
    for number in random.Random(2).sample(changed, 2):
        smallest = small.found[number].reached[0]
        again = small.again([smallest.change], tmp_path / number)
        assert again[number]["settled"], smallest
        assert again[number]["rank"] == smallest.rank


def test_one_unit_less_does_not_reach_the_line(small: SmallRound, tmp_path: Path) -> None:
    """All of them delivered together: while nobody new comes in, the line stays."""
    smaller = {
        (kind, number): change
        for kind, (number, reached) in small.one_of_each.items()
        if (change := one_less(small, number, reached.change))
    }
    assert len(smaller) >= 3
    again = small.again(list(smaller.values()), tmp_path)
    for kind, number in smaller:
        assert not again[number]["settled"], kind
        assert not again[number]["eligible"] or again[number]["total"] < small.line, kind


def test_changes_are_told_smallest_first_and_one_of_a_kind(small: SmallRound) -> None:
    order = list(dict.fromkeys(kind.name for kind in KINDS))
    several = [each.reached for each in small.found.values() if len(each.reached) > 1]
    assert several
    for reached in several:
        sizes = [(r.change.units, r.total, order.index(r.change.kind)) for r in reached]
        assert sizes == sorted(sizes)
        assert len({r.change.kind for r in reached}) == len(reached)


def test_who_fails_a_condition_is_told_only_what_mends_it_and_reaches_the_line(
    small: SmallRound,
) -> None:
    stored = outcomes(small.past.directory)
    ineligible = {n: each for n, each in small.found.items() if each.failing}
    assert {bool(each.reached) for each in ineligible.values()} == {True, False}
    for number, each in ineligible.items():
        assert not stored[number]["eligible"]
        if "retirement_age" in each.failing:
            assert not each.reached  # nobody grows younger
    for number, each in small.found.items():
        assert bool(each.failing) is not stored[number]["eligible"]
        assert each.line == small.line
        assert each.tried > 50


def test_who_settled_is_told_how_far_above_the_line(small: SmallRound) -> None:
    first = small.table("ranking").row(0, named=True)
    found = nearest(small.past, first["application_no"])
    assert (found.settled, found.reached, found.tried) == (True, (), 0)
    assert found.total == int(first["total"] * 100) > small.line == found.line


def test_the_applicant_alone_is_read_and_nobody_else(small: SmallRound) -> None:
    trial = Trial.of(small.past, small.unsettled[0])
    for feed, rows in trial.records.feeds.items():
        if "person" in rows.columns:
            assert set(rows["person"]) <= {trial.records.people[0], None}, feed


@OF_2020
def test_what_was_taken_from_somebody_would_have_been_enough(
    small: SmallRound, tmp_path: Path
) -> None:
    """Records few applicants have, given to some who settled, and to some just below the line."""
    ranked = small.table("ranking").with_columns(centipoints=(pl.col("total") * 100).cast(pl.Int64))
    just_settled = ranked.filter("settled")["application_no"].reverse().to_list()
    just_missed = ranked.filter(~pl.col("settled"))["application_no"].to_list()
    people = dict(small.delivery.feeds["applications"].select("application_no", "person_id").rows())
    fined, detained, sentenced, accused = just_settled[:4]
    revoked, small_share, poor_firm = just_missed[6:9]
    on, first = date(2019, 6, 1), date(2012, 1, 1)
    december = small.delivery.feeds["social_insurance"].filter(month=date(2019, 12, 1))
    works_for = dict(december.select("person_id", "employer_id").rows())
    firms = {number: works_for[people[number]] for number in (small_share, poor_firm)}
    registers = small.delivery.feeds["employers"].with_columns(
        high_tech=pl.col("high_tech") | pl.col("employer_id").is_in(list(firms.values()))
    )

    def share(number: str, share_bp: int) -> dict[str, Any]:
        held = {"held_from": first, "held_to": None}
        return {
            "person_id": people[number],
            "employer_id": firms[number],
            "share_bp": share_bp,
            **held,
        }

    spoiled = {
        "tax_violations": [{"person_id": people[fined], "decided_on": on}],
        "detentions": [{"person_id": people[detained], "decided_on": on}] * 2,
        "criminal_records": [{"person_id": people[sentenced], "sentenced_on": on}] * 2,
        "sanctions": [{"subject_id": people[accused], "found_on": on}],
        "honours": [
            {
                "person_id": people[revoked],
                "title": "moral_model_capital",
                "awarded_on": first,
                "revoked_on": on,
            }
        ],
        "shareholdings": [share(small_share, 999), share(poor_firm, 1000)],
        "financings": [
            {"employer_id": firms[small_share], "received_on": on, "amount_fen": 4_000_000_000}
        ],
    }
    feeds = delivered_with(small, spoiled, tmp_path / "feeds")
    shutil.rmtree(feeds / "employers")
    (feeds / "employers").mkdir()
    registers.write_parquet(feeds / "employers" / "a.parquet")
    again = published(small.year, feeds, tmp_path, QUOTA)
    expected = {
        fined: ("violations_absent", 1),
        detained: ("detentions_absent", 2),
        sentenced: ("sentences_absent", 2),
        accused: ("findings_absent", 1),
        revoked: ("honour_kept", 1),
        small_share: ("share", 1),
        poor_firm: ("financing", 1),
    }
    told = {}
    for number, (kind, units) in expected.items():
        found = {each.change.kind: each for each in nearest(again.past, number).reached}
        assert found[kind].change.units == units
        told[number] = found[kind]
    after = again.again([each.change for each in told.values()], tmp_path / "after")
    for number, each in told.items():
        assert (after[number]["total"], after[number]["eligible"]) == (each.total, True)
    assert told[fined].total == ranked.filter(application_no=fined)["centipoints"].item()


def rows_of(small: SmallRound, number: str, feed: str) -> list[dict[str, Any]]:
    return Trial.of(small.past, number).records.feeds[feed].to_dicts()


def unclaimed(small: SmallRound, number: str) -> list[Edit]:
    (row,) = rows_of(small, number, "applications")
    return [Edit("applications", row, {**row, "claims_education": False})]


def without_injury(small: SmallRound, number: str) -> list[Edit]:
    """Three months that count by the pension insurance, and lack one of the five."""
    rows = rows_of(small, number, "social_insurance")
    late = [row for row in rows if row["month"].year == small.year - 2][:3]
    return [Edit("social_insurance", row, {**row, "injury": None}) for row in late]


def employer_accused(small: SmallRound, number: str) -> list[Edit]:
    (row,) = rows_of(small, number, "applications")
    found = {"person": None, "employer": row["employer"], "found_on": date(small.year - 2, 5, 4)}
    return [Edit("sanctions", None, found)]


def unregistered(small: SmallRound, number: str) -> list[Edit]:
    rows = rows_of(small, number, "housing")
    filed = [row for row in rows if row["kind"] != "own" and row["registered_on"]]
    return [Edit("housing", row, {**row, "registered_on": None}) for row in filed]


def no_home(small: SmallRound, number: str) -> list[Edit]:
    rows = rows_of(small, number, "housing")
    return [Edit("housing", row, None) for row in rows if row["kind"] != "own"]


@pytest.mark.parametrize(
    ("small", "spoil", "kind"),
    [
        (2020, unclaimed, "education_claim"),
        (2020, without_injury, "seven_years_months"),
        (2020, employer_accused, "employer_findings_absent"),
        (2024, unregistered, "homes_registered"),
        (2024, no_home, "rented_home_months"),
    ],
    indirect=["small"],
)
def test_a_record_taken_away_is_told_back(
    small: SmallRound, spoil: Callable[..., list[Edit]], kind: str, tmp_path: Path
) -> None:
    """The last of the settled loses a record: to have it back is among what is told."""
    ranked = small.table("ranking")
    totals = ranked["total"].to_list()
    evidence = small.table("evidence").filter(indicator="residence")
    rents = pl.col("evidence").str.json_path_match("$.counted_rented_late").cast(pl.Int64)
    renters = set(evidence.filter(rents > 12)["application_no"])
    place, number = next(
        (place, number)
        for place, number in enumerate(ranked["application_no"], start=1)
        if place > 20
        and totals[place - 1] > totals[place]
        and (spoil not in {unregistered, no_home} or number in renters)
        and totals[place - 1] - totals[place] < Decimal("0.3")
    )
    taken = Change("taken away", 1, tuple(spoil(small, number)))
    feeds = small.delivery.with_changes([taken], tmp_path / "feeds")
    spoiled = published(small.year, feeds, tmp_path, quota=place)
    found = {each.change.kind: each for each in nearest(spoiled.past, number).reached}
    assert found[kind].change.units >= 1
    smaller = one_less(spoiled, number, found[kind].change)
    assert spoiled.again([found[kind].change], tmp_path / "more")[number]["settled"]
    if smaller:
        assert not spoiled.again([smaller], tmp_path / "less")[number]["settled"]
    if kind in {"seven_years_months", "education_claim"}:
        assert found[kind].change.units == len(taken.edits)
        assert found[kind].total == int(totals[place - 1] * 100)


@OF_2020
def test_an_employers_record_brings_back_its_other_applicants_too(
    small: SmallRound, tmp_path: Path
) -> None:
    """A colleague ahead takes the last place: what would reach the line alone does not settle."""
    applications = pl.read_parquet(small.past.directory / "accepted" / "applications.parquet")
    ranked = small.table("ranking").join(applications, on="application_no", maintain_order="left")
    totals, firms = ranked["total"].to_list(), ranked["employer"].to_list()
    last = next(
        place
        for place in range(10, len(totals) - 1)
        if firms[place] in firms[:place] and totals[place] < totals[place - 1]
    )
    firm = small.delivery.codes[firms[last]]
    feeds = delivered_with(small, {}, tmp_path / "feeds")
    shutil.rmtree(feeds / "employers")
    (feeds / "employers").mkdir()
    register = small.delivery.feeds["employers"].with_columns(
        tax_paying=pl.col("tax_paying") & (pl.col("employer_id") != firm)
    )
    register.write_parquet(feeds / "employers" / "a.parquet")
    spoiled = published(2020, feeds, tmp_path, quota=last)  # one place less than it would take
    number, ahead = (
        ranked["application_no"][last],
        ranked["application_no"][firms.index(firms[last])],
    )
    missed, settled = nearest(spoiled.past, number), nearest(spoiled.past, ahead)
    assert missed.total >= spoiled.line
    assert "employer_qualified" not in [each.change.kind for each in missed.reached]
    (reached,) = (each for each in settled.reached if each.change.kind == "employer_qualified")
    again = spoiled.again([reached.change], tmp_path / "again")
    assert again[ahead]["settled"]
    assert again[ahead]["rank"] == reached.rank
    assert not again[number]["settled"]


@OF_2020
def test_with_places_left_it_is_enough_to_be_eligible(small: SmallRound, tmp_path: Path) -> None:
    """The last of a round with places for all, without a permit: below the line, and yet settled."""
    last = small.table("ranking")["application_no"][-1]
    change = Change(
        "permit taken away",
        1,
        tuple(
            Edit("residence_permits", row, None)
            for row in Trial.of(small.past, last).records.feeds["residence_permits"].to_dicts()
        ),
    )
    feeds = small.delivery.with_changes([change], tmp_path / "spoiled")
    spoiled = published(2020, feeds, tmp_path / "last", quota=6000)
    found = nearest(spoiled.past, last)
    assert (found.line, found.failing) == (None, ("residence_permit",))
    permit = found.reached[0]
    assert (permit.change.kind, permit.total < spoiled.line) == ("residence_permit", True)
    assert spoiled.again([permit.change], tmp_path / "mended")[last]["settled"]


@OF_2020
def test_a_round_without_places(small: SmallRound, tmp_path: Path) -> None:
    """Nothing would have helped."""
    none = published(2020, small.delivery.folder, tmp_path, quota=0)
    found = [nearest(none.past, number) for number in small.unsettled[:3]]
    assert {(each.line, each.places, each.reached, each.tried) for each in found} == {
        (None, False, (), 0)
    }


@OF_2020
def test_a_round_in_which_nobody_is_eligible(small: SmallRound, tmp_path: Path) -> None:
    """Whoever is mended is first."""
    everybody = small.delivery.feeds["applications"]["person_id"]
    barred = [{"subject_id": person, "found_on": date(2019, 1, 1)} for person in everybody]
    feeds = delivered_with(small, {"sanctions": barred}, tmp_path / "feeds")
    nobody = published(2020, feeds, tmp_path, QUOTA)
    assert nobody.table("ranking").is_empty()
    first = nearest(nobody.past, small.table("ranking")["application_no"][0])
    assert [(each.change.kind, each.rank) for each in first.reached] == [("findings_absent", 1)]
