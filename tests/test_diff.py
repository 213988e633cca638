"""Two runs compared: a change with one cause is that cause's to the last point and place.

Every run is a real one.  What a cause should have done is worked out here from the delivered rows, by
hand or by the independent scorer of `reference/`.
"""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from commands import edited, luohu, other_code
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import scorer

from flows.attribution import FLAGS, POINTS, Effect, Results, Span, attribution
from flows.diff import Diff, diff
from flows.diff_page import lines
from flows.failures import BadUsage, CheckFailed, NotFound
from flows.moves import as_json, counts, write
from flows.pipeline import Outcome, run
from flows.settings import DATA, Order
from flows.simulate import simulate
from flows.storage import sha256, write_json, write_table

QUOTA, LARGER_QUOTA, APPLICANTS = 120, 140, 500
DETAINED = 12
REFERENCE = {"insured_in": date(2020, 6, 1)}


class Base(NamedTuple):
    """The run everything is compared with: warehouse, its delivery and its data folder."""

    warehouse: Path
    feeds: Path
    data: Path
    run: Outcome


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    folder = tmp_path_factory.mktemp("diff")
    feeds = folder / "feeds"
    simulate(2020, feeds, applicants=APPLICANTS, seed=3, dirty=0.002, data=DATA)
    (path,) = (feeds / "detentions").iterdir()
    pl.read_parquet(path).clear().write_parquet(path)  # nobody is detained, until a test says so
    data = folder / "data"
    shutil.copytree(DATA, data)
    edited(data / "rounds" / "2020.toml", "\nquota = 6000\n", f"\nquota = {QUOTA}\n")
    done = run(Order(2020, feeds, folder / "warehouse", data, recheck=False))
    return Base(folder / "warehouse", feeds, data, done)


def other_data(base: Base, folder: Path) -> Path:
    """Some who settled, from the first to the last, are detained."""
    feeds = folder / "feeds"
    shutil.copytree(base.feeds, feeds)
    people = pl.read_parquet(Path(base.run.directory) / "restricted" / "people.parquet")
    ranking = pl.read_parquet(Path(base.run.directory) / "ranking.parquet")
    chosen = (
        ranking.sort("rank", "application_no").filter("settled").gather_every(QUOTA // DETAINED)
    )
    ids = people.join(chosen, on="application_no", how="semi")["person_id"]
    (path,) = (feeds / "detentions").iterdir()
    rows = pl.read_parquet(path)
    new = pl.DataFrame({"person_id": ids, "decided_on": [date(2019, 5, 5)] * len(ids)})
    pl.concat([rows, new.cast(dict(rows.schema))]).write_parquet(path)
    return feeds


def other_policy(base: Base, folder: Path, *edits: tuple[str, str, str]) -> Path:
    """Another data folder with some values changed."""
    data = folder / "data"
    shutil.copytree(base.data, data)
    for file, old, new in edits:
        edited(data / file, old, new)
    return data


YOUNGER = ("policy/age.toml", "\nvalue = 45\n", "\nvalue = 43\n")
MILDER = ("policy/law.toml", "\nvalue = -3000\n", "\nvalue = -2000\n")
LARGER = ("rounds/2020.toml", f"\nquota = {QUOTA}\n", f"\nquota = {LARGER_QUOTA}\n")


STRICTER = (
    "transforms/indicators/age.py",
    'pl.col("age") - p.full_until_age,',
    'pl.col("age") + 5 - p.full_until_age,',
)


def run_with(code: Path, base: Base, feeds: Path, data: Path, warehouse: Path | None = None) -> str:
    """A run by another version of the code, in a process of its own; its id."""
    known = set(ids(warehouse or base.warehouse))
    done = luohu(
        "run", 2020, "--feeds", feeds, "--data", data, "--direct", "--no-recheck",
        "--warehouse", warehouse or base.warehouse, cwd=code,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (new,) = set(ids(warehouse or base.warehouse)) - known
    return new


def ids(warehouse: Path) -> list[str]:
    return [path.name for path in warehouse.glob("runs/2020/*") if not path.name.startswith(".")]


@pytest.fixture(scope="module")
def detained(base: Base, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The delivery with detentions, and its run."""
    feeds = other_data(base, tmp_path_factory.mktemp("detained"))
    return feeds, run(Order(2020, feeds, base.warehouse, base.data, recheck=False)).run_id


@pytest.fixture(scope="module")
def stricter(base: Base, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Code that counts everybody five years older, and its run of the base."""
    code = other_code(tmp_path_factory.mktemp("stricter"), STRICTER)
    return code, run_with(code, base, base.feeds, base.data)


# --- independent calculation -------------------------------------------------------------------


class Tables(NamedTuple):
    points: dict[str, dict[str, int]]  # application -> measure -> centipoints
    eligible: set[str]
    settled: set[str]


def tables(base: Base, run_id: str) -> Tables:
    """What a run wrote, in plain Python."""
    folder = base.warehouse / "runs" / "2020" / run_id
    scores = pl.read_parquet(folder / "scores.parquet").rows(named=True)
    eligible = pl.read_parquet(folder / "eligibility.parquet").filter("eligible")
    ranking = pl.read_parquet(folder / "ranking.parquet").filter("settled")
    return Tables(
        {row["application_no"]: {name: int(row[name] * 100) for name in POINTS} for row in scores},
        set(eligible["application_no"]),
        set(ranking["application_no"]),
    )


def settled(totals: dict[str, int], eligible: set[str], quota: int) -> set[str]:
    """Everyone at or above the total at the place of the quota."""
    ordered = sorted((totals[number] for number in eligible), reverse=True)
    return {number for number in eligible if totals[number] >= ordered[quota - 1]}


def settled_of(result: scorer.Result) -> set[str]:
    return {number for number, row in result.ranking.items() if row.settled}


def birth_years(base: Base) -> dict[str, int]:
    (path,) = (base.feeds / "applications").iterdir()
    rows = pl.read_parquet(path).select("application_no", "birth_date").rows()
    return {number: born.year for number, born in rows if number and born}


def age_points(born: int, full_until: int) -> int:
    """Contract 4: max(0, 2000 - 400 * max(0, (Y - 2 - birth year) - 45))."""
    return max(0, 2000 - 400 * max(0, 2020 - 2 - born - full_until))


def told(found: Diff) -> dict[tuple[str, str, str], int]:
    """Application, measure, cause -> amount."""
    numbers = found.applications["application_no"]
    return {
        (numbers[place], measure, cause): amount
        for place, measure, cause, amount in found.shares.iter_rows()
    }


def of(found: Diff, measure: str, cause: str) -> dict[str, int]:
    """Application -> amount of one measure and cause."""
    return {
        number: amount
        for (number, each, why), amount in told(found).items()
        if (each, why) == (measure, cause)
    }


def causes_of(found: Diff) -> set[str]:
    return set(found.shares["cause"])


def add_up(found: Diff, base: Base) -> None:
    """All shares of a difference add up to it, and there are no others."""
    then, now = (tables(base, side.run.run_id) for side in (found.a, found.b))
    expected: dict[tuple[str, str], int] = {}
    for number in then.points.keys() | now.points.keys():
        if number in then.points and number in now.points:
            for name in POINTS:
                expected[number, name] = now.points[number][name] - then.points[number][name]
            expected[number, "eligible"] = (number in now.eligible) - (number in then.eligible)
        expected[number, "present"] = (number in now.points) - (number in then.points)
        expected[number, "settled"] = (number in now.settled) - (number in then.settled)
    sums: dict[tuple[str, str], int] = {}
    for (number, measure, _), amount in told(found).items():
        sums[number, measure] = sums.get((number, measure), 0) + amount
    assert {key: each for key, each in sums.items() if each} == {
        key: each for key, each in expected.items() if each
    }


def nonzero(values: dict[str, int]) -> dict[str, int]:
    return {name: value for name, value in values.items() if value}


# --- one cause each ------------------------------------------------------------------------------


def test_one_cause_data(base: Base, detained: tuple[Path, str]) -> None:
    feeds, run_id = detained
    found = diff(base.run.run_id, run_id, base.warehouse)
    assert found.causes.differing == ("data",)
    assert [(each.cause, each.what) for each in found.causes.changes] == [("data", "detentions")]
    assert causes_of(found) == {"data"}
    spec = scorer.RoundSpec(2020, "2020", quota=QUOTA, **REFERENCE)
    then, now = scorer.score_round(base.feeds, spec), scorer.score_round(feeds, spec)
    moved = {
        number: points["total"] - then.scores[number]["total"]
        for number, points in now.scores.items()
    }
    assert set(nonzero(moved).values()) == {-3000}
    assert of(found, "law", "data") == of(found, "total", "data") == nonzero(moved)
    assert len(nonzero(moved)) >= DETAINED
    crossed, had = settled_of(now), settled_of(then)
    assert of(found, "settled", "data") == {
        **dict.fromkeys(crossed - had, 1),
        **dict.fromkeys(had - crossed, -1),
    }
    assert (len(crossed - had), len(had - crossed)) == (
        counts(found)["crossed_upward"],
        counts(found)["crossed_downward"],
    )
    assert len(had - crossed) >= DETAINED - 1
    add_up(found, base)


def test_one_cause_policy(base: Base, tmp_path: Path) -> None:
    data = other_policy(base, tmp_path, YOUNGER)
    run_id = run(Order(2020, base.feeds, base.warehouse, data, recheck=False)).run_id
    found = diff(base.run.run_id, run_id, base.warehouse)
    assert found.causes.differing == ("policy",)
    assert found.causes.changes[1][1:] == (
        "age.toml full_until_age.from[2017-01-01].value", "45", "43"
    )  # fmt: skip
    assert causes_of(found) == {"policy"}
    then = tables(base, base.run.run_id)
    born = birth_years(base)
    moved = {
        number: age_points(born[number], 43) - age_points(born[number], 45)
        for number in then.points
    }
    assert of(found, "age", "policy") == of(found, "total", "policy") == nonzero(moved)
    totals = {number: points["total"] + moved[number] for number, points in then.points.items()}
    now = settled(totals, then.eligible, QUOTA)
    assert now != then.settled
    assert of(found, "settled", "policy") == {
        **dict.fromkeys(now - then.settled, 1),
        **dict.fromkeys(then.settled - now, -1),
    }
    add_up(found, base)


def test_one_cause_decision(base: Base, tmp_path: Path) -> None:
    data = other_policy(base, tmp_path, LARGER)
    edited(
        data / "rounds" / "2020.toml",
        "\ninsured_in = 2020-06-01",
        "\npermit_date = 2019-09-01\ninsured_in = 2020-06-01",
    )
    run_id = run(Order(2020, base.feeds, base.warehouse, data, recheck=False)).run_id
    found = diff(base.run.run_id, run_id, base.warehouse)
    assert found.causes.differing == ("decision",)
    changed = {each.what: each[2:] for each in found.causes.changes}
    assert changed["2020.toml quota"] == (str(QUOTA), str(LARGER_QUOTA))
    assert changed["2020.toml permit_date"] == ("none", "2019-09-01")
    assert causes_of(found) == {"decision"}
    spec = scorer.RoundSpec(2020, "2020", quota=QUOTA, **REFERENCE)
    then = scorer.score_round(base.feeds, spec)
    spec = scorer.RoundSpec(
        2020, "2020", quota=LARGER_QUOTA, permit_date=date(2019, 9, 1), **REFERENCE
    )
    now = scorer.score_round(base.feeds, spec)
    had, have = set(then.ranking), set(now.ranking)
    assert had - have
    assert of(found, "eligible", "decision") == {
        **dict.fromkeys(have - had, 1),
        **dict.fromkeys(had - have, -1),
    }
    had, have = settled_of(then), settled_of(now)
    assert have - had
    assert had - have
    assert of(found, "settled", "decision") == {
        **dict.fromkeys(have - had, 1),
        **dict.fromkeys(had - have, -1),
    }
    assert not of(found, "total", "decision")
    add_up(found, base)


def test_one_cause_code(base: Base, stricter: tuple[Path, str]) -> None:
    found = diff(base.run.run_id, stricter[1], base.warehouse)
    assert found.causes.differing == ("code",)
    assert [each.what for each in found.causes.changes] == ["transforms/indicators/age.py"]
    assert causes_of(found) == {"code"}
    born = birth_years(base)
    then = tables(base, base.run.run_id)
    moved = {
        number: age_points(born[number], 40) - age_points(born[number], 45)
        for number in then.points
    }
    assert of(found, "age", "code") == nonzero(moved)
    totals = {number: points["total"] + moved[number] for number, points in then.points.items()}
    now = settled(totals, then.eligible, QUOTA)
    assert of(found, "settled", "code") == {
        **dict.fromkeys(now - then.settled, 1),
        **dict.fromkeys(then.settled - now, -1),
    }
    add_up(found, base)


def test_a_day_of_receipt_lets_other_rows_in_and_that_is_the_decision(
    base: Base, tmp_path: Path
) -> None:
    """The delivery is the same: whoever drops out does so by the round file, not by the data."""
    data = other_policy(base, tmp_path)
    edited(data / "rounds" / "2020.toml", "\ninsured_in", "\nreceived_on = 2020-08-01\ninsured_in")
    order = Order(2020, base.feeds, base.warehouse, data, max_rejects="1", recheck=False)
    found = diff(base.run.run_id, run(order).run_id, base.warehouse)
    assert found.causes.differing == ("decision",)
    assert causes_of(found) == {"decision"}
    (path,) = (base.feeds / "applications").iterdir()
    rows = pl.read_parquet(path).filter(pl.col("submitted_at").cast(pl.Date) > date(2020, 8, 1))
    late = set(rows["application_no"]) & tables(base, base.run.run_id).points.keys()
    assert late
    assert of(found, "present", "decision") == dict.fromkeys(late, -1)
    assert any("the delivery is the same" in note for note in found.notes)
    add_up(found, base)


# --- several causes ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def milder(base: Base, detained: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The delivery with detentions under a policy that takes fewer points for them."""
    data = other_policy(base, tmp_path_factory.mktemp("milder"), MILDER)
    return run(Order(2020, detained[0], base.warehouse, data, recheck=False)).run_id


def test_what_only_two_causes_do_together_is_told_as_that(
    base: Base, detained: tuple[Path, str], milder: str
) -> None:
    found = diff(base.run.run_id, milder, base.warehouse)
    assert found.causes.differing == ("data", "policy")
    alone = of(diff(base.run.run_id, detained[1], base.warehouse), "law", "data")
    assert of(found, "law", "data") == alone
    assert set(alone.values()) == {-3000}
    assert of(found, "law", "together: data, policy") == dict.fromkeys(alone, 1000)
    # nobody is detained in the first run: alone the milder policy moves nobody
    assert not of(found, "total", "policy")
    assert not of(found, "settled", "policy")
    add_up(found, base)


def test_backwards_the_same_points_have_the_causes_seen_from_there(
    base: Base, detained: tuple[Path, str], milder: str
) -> None:
    found = diff(milder, base.run.run_id, base.warehouse)
    numbers = of(diff(base.run.run_id, detained[1], base.warehouse), "law", "data")
    assert of(found, "law", "data") == dict.fromkeys(numbers, 2000)
    assert of(found, "law", "policy") == dict.fromkeys(numbers, -1000)
    assert of(found, "law", "together: data, policy") == dict.fromkeys(numbers, 1000)
    add_up(found, base)


def test_settlement_that_either_cause_alone_would_bring(
    base: Base, stricter: tuple[Path, str], tmp_path: Path
) -> None:
    """Policy and code, each worked out by hand for everybody; the code of a run is the one it had."""
    data = other_policy(base, tmp_path, YOUNGER)
    run_id = run_with(stricter[0], base, base.feeds, data)
    found = diff(base.run.run_id, run_id, base.warehouse)
    assert found.causes.differing == ("policy", "code")
    then = tables(base, base.run.run_id)
    born = birth_years(base)

    def combined(full_until: int) -> dict[str, int]:
        return {
            number: points["total"] - points["age"] + age_points(born[number], full_until)
            for number, points in then.points.items()
        }

    limits = {"policy": 43, "code": 40, "both": 38}
    totals = {name: combined(limit) for name, limit in limits.items()}
    base_totals = combined(45)
    for cause in ("policy", "code"):
        effect = {number: totals[cause][number] - base_totals[number] for number in base_totals}
        assert of(found, "total", cause) == nonzero(effect)
    rest = {
        number: totals["both"][number] + total - totals["policy"][number] - totals["code"][number]
        for number, total in base_totals.items()
    }
    assert nonzero(rest)
    assert of(found, "age", "together: policy, code") == nonzero(rest)
    who = {name: settled(each, then.eligible, QUOTA) for name, each in totals.items()}
    expected: dict[str, dict[str, int]] = {}
    for number in then.settled ^ who["both"]:
        enough = [
            cause
            for cause in ("policy", "code")
            if (number in who[cause]) == (number in who["both"])
        ]
        cause = {0: "together: policy, code", 1: "".join(enough), 2: "each alone: policy, code"}
        expected.setdefault(cause[len(enough)], {})[number] = 1 if number in who["both"] else -1
    assert "each alone: policy, code" in expected
    settled_by = {cause: of(found, "settled", cause) for cause in causes_of(found)}
    assert {cause: each for cause, each in settled_by.items() if each} == expected
    add_up(found, base)


def test_four_causes_at_once_from_a_code_that_is_neither(
    base: Base, detained: tuple[Path, str], stricter: tuple[Path, str], tmp_path: Path
) -> None:
    """Whoever compares has moved on: both runs are recomputed with the code pinned with them."""
    data = other_policy(base, tmp_path, YOUNGER, LARGER)
    run_id = run_with(stricter[0], base, detained[0], data)
    later = other_code(tmp_path, ("transforms/indicators/law.py", "def centipoints(", "def none("))
    out = tmp_path / "moved.csv"
    done = luohu(
        "diff", base.run.run_id[:8], run_id, "--warehouse", base.warehouse, "--json", "--all",
        "--out", out, cwd=later,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["differing"] == ["data", "policy", "decision", "code"]
    causes = {each["cause"]: each["measures"] for each in found["causes"]}
    born = birth_years(base)
    then, now = tables(base, base.run.run_id), tables(base, run_id)

    def lost(full_until: int) -> str:
        less = sum(age_points(born[n], full_until) - age_points(born[n], 45) for n in then.points)
        return f"-{-less // 100}.{-less % 100:02}"

    assert (causes["policy"]["age"]["lost"], causes["code"]["age"]["lost"]) == (lost(43), lost(40))
    assert causes["data"]["law"]["lost"] == f"-{causes['data']['law']['applications'] * 30}.00"
    assert causes["decision"].keys() <= {"settled"}
    assert "together: policy, code" in causes
    rows = pl.read_csv(out, schema_overrides={"application_no": pl.String, "amount": pl.String})
    sums: dict[str, int] = {}
    for number, measure, amount in rows.select("application_no", "measure", "amount").iter_rows():
        if measure == "total":
            sums[number] = sums.get(number, 0) + int(amount.replace(".", ""))
    moved = {n: now.points[n]["total"] - then.points[n]["total"] for n in then.points}
    assert nonzero(sums) == nonzero(moved)
    across = {
        each["application_no"]
        for each in found["applications"]
        if each["settled"][0] != each["settled"][1]
    }
    assert across == then.settled ^ now.settled
    assert found["counts"]["moved"] == len(found["applications"]) == len({*nonzero(moved), *across})


def test_a_rule_and_its_code_that_do_not_fit_without_each_other(
    base: Base, detained: tuple[Path, str], tmp_path: Path
) -> None:
    """A policy that lists a rule the older code has not: no combination tells the two apart."""
    code = other_code(
        tmp_path,
        (
            "transforms/indicators/__init__.py",
            '    "age": age,\n',
            '    "age": age,\n    "age_new": age,\n',
        ),
    )
    data = other_policy(
        base,
        tmp_path,
        (
            "policy/editions.toml",
            AGE_OF_2020,
            AGE_OF_2020.replace('age = "age"', 'age = "age_new"'),
        ),
    )
    shutil.copy(data / "policy" / "age.toml", data / "policy" / "age_new.toml")
    edited(data / "policy" / "age_new.toml", YOUNGER[1], YOUNGER[2])
    found = diff(base.run.run_id, run_with(code, base, detained[0], data), base.warehouse)
    assert found.causes.differing == ("data", "policy", "code")
    born = birth_years(base)
    moved = {
        n: age_points(born[n], 43) - age_points(born[n], 45)
        for n in tables(base, base.run.run_id).points
    }
    assert of(found, "age", "policy with code") == nonzero(moved)
    assert of(found, "law", "data")
    assert causes_of(found) <= {
        "data", "policy with code", "each alone: data, policy with code",
        "together: data, policy with code",
    }  # fmt: skip
    assert any("names age_new, expected one of" in note for note in found.notes)
    add_up(found, base)


AGE_OF_2020 = 'tax = "tax", age = "age", honour'


# --- nothing to attribute, other rounds, other warehouses -------------------------------------------


def test_the_same_inputs_move_nobody(base: Base) -> None:
    order = Order(2020, base.feeds, base.warehouse, base.data, max_rejects="0.5", recheck=False)
    again = run(order).run_id
    assert again != base.run.run_id
    for other, changes in (
        (base.run.run_id, []),
        (again, [("option", "max_rejects", "0.05", "0.5")]),
    ):
        found = diff(base.run.run_id, other, base.warehouse)
        assert (found.causes.differing, found.causes.changes) == ((), changes)
        assert found.shares.is_empty()
        assert set(counts(found).values()) == {0}
    text = "\n".join(lines(found, 20))
    assert "option  max_rejects" in text
    done = luohu("diff", base.run.run_id, again, "--warehouse", base.warehouse)
    assert (done.returncode, done.stdout, done.stderr) == (0, text + "\n", "")


def test_another_round_and_another_warehouse(base: Base, tmp_path: Path) -> None:
    feeds, warehouse = tmp_path / "feeds", tmp_path / "warehouse"
    simulate(2021, feeds, applicants=300, seed=4, dirty=0, data=DATA)
    later = run(Order(2021, feeds, warehouse, DATA, recheck=False))
    then = tables(base, base.run.run_id)
    for pair, came, dropped in (
        ((base.run.directory, later.directory), 300, len(then.points)),
        ((later.directory, base.run.directory), len(then.points), 300),
    ):
        found = diff(*pair, base.warehouse)
        assert found.causes.differing == ("data", "decision")
        told_counts = counts(found)
        assert (told_counts["came_in"], told_counts["dropped_out"]) == (came, dropped)
        present = found.shares.filter(measure="present")
        assert set(present["cause"]) == {"data"}
        assert present.height == came + dropped
        settled_then, settled_now = found.a.line["settled"], found.b.line["settled"]
        assert found.shares.filter(measure="settled")["amount"].sum() == settled_now - settled_then
        assert f"{found.b.run.year}.toml quota" in {each.what for each in found.causes.changes}


# --- what is older, other or broken -----------------------------------------------------------------


@pytest.fixture
def warehouse(base: Base, tmp_path: Path) -> Base:
    """A copy of the warehouse to tamper with."""
    copy = shutil.copytree(base.warehouse, tmp_path / "warehouse")
    return base._replace(warehouse=Path(copy))


def directory(of_: Base, run_id: str) -> Path:
    return of_.warehouse / "runs" / "2020" / run_id


def edit(folder: Path, how: Callable[[dict], object]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    how(manifest)
    write_json(manifest, folder / "manifest.json")


def without_code(folder: Path) -> None:
    """As a run was before code was kept."""
    (folder / "pinned" / "code.zip").unlink()
    edit(folder, lambda manifest: manifest.pop("pinned"))


def test_without_kept_code_it_is_the_remainder(
    warehouse: Base, detained: tuple[Path, str], stricter: tuple[Path, str]
) -> None:
    without_code(directory(warehouse, stricter[1]))
    found = diff(base_id(warehouse), stricter[1], warehouse.warehouse)
    assert causes_of(found) == {"code"}  # nothing else differs: no need to recompute
    with_code = of(found, "age", "code")
    for pair, sign in (((stricter[1], detained[1]), -1), ((detained[1], stricter[1]), 1)):
        found = diff(*pair, warehouse.warehouse)
        assert found.causes.differing == ("data", "code")
        remainder = of(found, "age", "code (remainder)")
        assert remainder == {number: sign * amount for number, amount in with_code.items()}
        assert set(of(found, "law", "data").values()) == {3000 * sign}
        assert any("older than kept code" in note for note in found.notes)
        add_up(found, warehouse)


def base_id(of_: Base) -> str:
    return of_.run.run_id


def test_what_other_libraries_do_is_measured_apart(
    warehouse: Base, detained: tuple[Path, str], milder: str
) -> None:
    """A run whose libraries gave somebody a point more: today's give it back, and nobody else's."""
    folder = directory(warehouse, base_id(warehouse))
    scores = pl.read_parquet(folder / "scores.parquet")
    more = pl.when(pl.int_range(pl.len()) == 5).then(1).otherwise(0).cast(pl.Decimal(9, 2))
    write_table(
        scores.with_columns(pl.col("tax", "total") + more).cast(dict(scores.schema)),
        folder / "scores.parquet",
    )

    def other(manifest: dict) -> None:
        manifest["environment"]["libraries"]["polars"] = "0.1"
        manifest["outputs"]["scores.parquet"]["sha256"] = sha256(folder / "scores.parquet")

    edit(folder, other)
    found = diff(base_id(warehouse), milder, warehouse.warehouse)
    assert of(found, "tax", "libraries (remainder)") == {scores["application_no"][5]: -100}
    assert set(of(found, "law", "data").values()) == {-3000}
    assert any("today's Python and libraries" in note for note in found.notes)
    found = diff(base_id(warehouse), detained[1], warehouse.warehouse)
    assert of(found, "tax", "libraries (remainder)") == {scores["application_no"][5]: -100}
    assert set(of(found, "law", "data").values()) == {-3000}
    add_up(found, warehouse)


@pytest.mark.parametrize(
    "file", ["scores.parquet", "pinned/policy/age.toml", "accepted/tax.parquet", "pinned/code.zip"]
)
def test_a_run_that_was_changed_is_not_compared(file: str, warehouse: Base, milder: str) -> None:
    path = directory(warehouse, base_id(warehouse)) / file
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(CheckFailed, match=f"{file}: expected sha256"):
        diff(base_id(warehouse), milder, warehouse.warehouse)
    path.unlink()
    done = luohu("diff", base_id(warehouse), milder, "--warehouse", warehouse.warehouse)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no file" in done.stderr
    assert "luohu audit 2020 --run" in done.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [("flows/x.py", "expected code"), ("polars.so", "expected source files only")],
)
def test_code_that_is_not_the_one_that_names_the_run_is_not_run(
    name: str, message: str, warehouse: Base, stricter: tuple[Path, str], milder: str
) -> None:
    """Even when the manifest was edited along with it."""
    folder = directory(warehouse, stricter[1])
    archive = folder / "pinned" / "code.zip"
    with zipfile.ZipFile(archive, "a") as files:
        files.writestr(name, "raise SystemExit")
    edit(folder, lambda manifest: manifest["pinned"].update({"code.zip": sha256(archive)}))
    with pytest.raises(CheckFailed, match=message):
        diff(stricter[1], milder, warehouse.warehouse)


def test_an_edited_manifest_is_not_compared(warehouse: Base) -> None:
    folder = directory(warehouse, base_id(warehouse))
    edit(folder, lambda manifest: manifest["policy"].update({"age.toml": "0" * 64}))
    with pytest.raises(CheckFailed, match="it was edited"):
        diff(base_id(warehouse), base_id(warehouse), warehouse.warehouse)


def test_runs_that_are_not_there_or_fit_twice(warehouse: Base, tmp_path: Path) -> None:
    known = base_id(warehouse)
    twin = f"{known[:6]}{'0' * 10}"
    shutil.copytree(directory(warehouse, known), directory(warehouse, twin))
    for name, wrong, message in (
        ("ffffff", NotFound, f"holds no run ffffff; runs: 2020: .*{known}"),
        (known[:5], BadUsage, "at least 6 characters, found 5"),
        (known[:6], BadUsage, f"expected one run, found 2020: .*{twin}"),
        (str(tmp_path / "nowhere"), NotFound, "expected a run directory"),
    ):
        with pytest.raises(wrong, match=message):
            diff(name, known, warehouse.warehouse)
        with pytest.raises(wrong, match=message):
            diff(known, name, warehouse.warehouse)
    with pytest.raises(NotFound, match="runs: none"):
        diff(known, known, tmp_path / "nowhere")
    done = luohu("diff", "ffffff", known, "--warehouse", warehouse.warehouse)
    assert (done.returncode, done.stdout) == (2, "")


def test_out_is_refused_before_anything_is_compared(base: Base, tmp_path: Path) -> None:
    for out, message in (
        ("x.json", "ending in .parquet or .csv"),
        ("no/x.csv", "expected the folder"),
    ):
        done = luohu(
            "diff", "ffffff", "ffffff", "--out", tmp_path / out, "--warehouse", base.warehouse
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
    assert not list(tmp_path.iterdir())


def test_nobody_is_named_and_the_warehouse_is_not_written_to(
    base: Base, milder: str, tmp_path: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in base.warehouse.rglob("*")}
    found = diff(base.run.run_id, milder, base.warehouse)
    out = tmp_path / "moved.parquet"
    write(found, out)
    text = (
        "\n".join(lines(found, None))
        + json.dumps(as_json(found, None), ensure_ascii=False)
        + pl.read_parquet(out).cast({"amount": pl.String}).write_csv()
    )
    people = pl.read_parquet(Path(base.run.directory) / "restricted" / "people.parquet")
    for value in (*people["person_id"], *people["name"]):
        assert value not in text
    assert {path: path.stat().st_mtime_ns for path in base.warehouse.rglob("*")} == before
    assert [path.name for path in tmp_path.iterdir()] == ["moved.parquet"]


def test_an_application_number_like_an_id_is_shown_as_its_shape(base: Base, tmp_path: Path) -> None:
    feeds, secret = tmp_path / "feeds", "110101198001010010"
    shutil.copytree(base.feeds, feeds)
    (path,) = (feeds / "applications").iterdir()
    rows = pl.read_parquet(path)
    first = tables(base, base.run.run_id).settled.pop()
    rows.with_columns(
        application_no=pl.when(pl.col("application_no") == first)
        .then(pl.lit(secret))
        .otherwise("application_no")
    ).write_parquet(path)
    found = diff(
        base.run.run_id,
        run(Order(2020, feeds, tmp_path, base.data, recheck=False)).directory,
        base.warehouse,
    )
    text = "\n".join(lines(found, None)) + json.dumps(as_json(found, None))
    assert secret not in text
    assert "999999999999999999" in text
    assert (counts(found)["came_in"], counts(found)["dropped_out"]) == (1, 1)


# --- the attribution itself --------------------------------------------------------------------------


@st.composite
def cases(draw: st.DrawFn) -> tuple[Span, list[Effect]]:
    """Any results at all of up to four causes."""
    rows = draw(st.integers(1, 4))

    def results() -> Results:
        flags = np.array(draw(st.lists(st.booleans(), min_size=rows * 2, max_size=rows * 2)))
        present = np.array([[there] for there in here])
        return Results(
            np.array(
                draw(st.lists(st.integers(-300, 300), min_size=rows * 11, max_size=rows * 11))
            ).reshape(rows, 11),
            np.hstack([present, flags.reshape(rows, 2)]),
        )

    here = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    start = results()
    then = draw(st.sampled_from([start, results()]))
    here = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    end = results()
    now = draw(st.sampled_from([end, results()]))
    names = draw(st.sampled_from([["data"], ["data", "policy"], ["data", "policy", "code"]]))
    effects = (
        [Effect(names[0], end, start)]
        if len(names) == 1
        else [Effect(name, results(), results()) for name in names]
    )
    return Span(then, start, end, now, "aside"), effects


@settings(max_examples=150, deadline=None)
@given(cases())
def test_shares_add_up_whatever_the_results(case: tuple[Span, list[Effect]]) -> None:
    span, effects = case
    found = attribution(span, effects)
    sums = {
        (place, measure): amount
        for place, measure, amount in found.group_by("application", "measure")
        .agg(pl.col("amount").sum())
        .iter_rows()
    }
    both = span.then.flags[:, 0] & span.now.flags[:, 0]
    for place, name, before, after in cells(span):
        counted = both[place] or name in {"present", "settled"}
        assert sums.get((place, name), 0) == (after - before if counted else 0), name
    flags_told = found.filter(pl.col("measure").is_in(FLAGS))
    assert not flags_told.select("application", "measure").is_duplicated().any()
    assert (flags_told["amount"].abs() == 1).all()
    assert (found["amount"] != 0).all()
    if len(effects) == 1 and span.then is span.start and span.end is span.now:
        assert set(found["cause"]) <= {"data"}


def cells(span: Span) -> Iterator[tuple[int, str, int, int]]:
    for place in range(len(span.then.points)):
        for column, name in enumerate(POINTS):
            yield (
                place,
                name,
                int(span.then.points[place, column]),
                int(span.now.points[place, column]),
            )
        for column, name in enumerate(FLAGS):
            yield (
                place,
                name,
                int(span.then.flags[place, column]),
                int(span.now.flags[place, column]),
            )
