"""Two runs compared: a change with one cause is that cause's to the last point and place.

Every run is a real one.  What a cause should have done is worked out from the delivered rows, by hand
or by the independent scorer of `reference/`.
"""

import json
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from commands import edited, here, luohu, other_code
from reference import scorer
from two_runs import (
    DETAINED,
    LARGER,
    LARGER_QUOTA,
    QUOTA,
    REFERENCE,
    YOUNGER,
    Base,
    add_up,
    age_points,
    birth_years,
    causes_of,
    nonzero,
    of,
    other_policy,
    run_with,
    settled,
    settled_of,
    tables,
)

from flows.audit.diff import diff
from flows.audit.diff.attribution import FLAGS
from flows.audit.diff.moves import counts
from flows.audit.diff.page import lines
from flows.common.settings import DATA, Order
from flows.run.stages import run
from flows.simulate import simulate

pytestmark = pytest.mark.usefixtures("todays_code_here")
CAME = 60  # of the other round
AGE_OF_2020 = 'tax = "tax", age = "age", honour'


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.soak
def test_four_causes_at_once_from_a_code_that_is_neither(
    base: Base, detained: tuple[Path, str], stricter: tuple[Path, str], tmp_path: Path
) -> None:
    """Whoever compares has moved on: both runs are recomputed with the code pinned with them."""
    data = other_policy(base, tmp_path, YOUNGER, LARGER)
    run_id = run_with(stricter[0], base, detained[0], data)
    later = other_code(tmp_path, ("transforms/indicators/law.py", "def parts(", "def none("))
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
    flags = rows.filter(pl.col("measure").is_in(FLAGS))
    assert set(flags["amount"]) <= {"1.00", "-1.00"}
    assert set(flags["unit"]) == {"people"}
    assert set(rows.filter(~pl.col("measure").is_in(FLAGS))["unit"]) == {"points"}
    settled = flags.filter(measure="settled").select("application_no", pl.col("amount").cast(float))
    by_number = dict(settled.group_by("application_no").agg(pl.col("amount").sum()).iter_rows())
    expected = {number: (number in now.settled) - (number in then.settled) for number in across}
    assert nonzero(by_number) == expected
    assert found["counts"]["moved"] == len(found["applications"]) == len({*nonzero(moved), *across})


@pytest.mark.slow
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
    done = here("diff", base.run.run_id, again, "--warehouse", base.warehouse)
    assert (done.returncode, done.stdout, done.stderr) == (0, text + "\n", "")


@pytest.mark.slow
def test_another_round_and_another_warehouse(base: Base, tmp_path: Path) -> None:
    feeds, warehouse = tmp_path / "feeds", tmp_path / "warehouse"
    simulate(2021, feeds, applicants=CAME, seed=4, dirty=0, data=DATA)
    later = run(Order(2021, feeds, warehouse, DATA, recheck=False))
    then = tables(base, base.run.run_id)
    for pair, came, dropped in (
        ((base.run.directory, later.directory), CAME, len(then.points)),
        ((later.directory, base.run.directory), len(then.points), CAME),
    ):
        found = diff(*pair, base.warehouse)
        assert found.causes.differing == ("data", "decision")
        told_counts = counts(found)
        assert (told_counts["came_in"], told_counts["dropped_out"]) == (came, dropped)
        assert told_counts["moved"] == 0  # they share nobody
        assert any("share no application" in note for note in found.notes)
        assert f"and {came + dropped - 20:,} more" in "\n".join(lines(found, 20))
        present = found.shares.filter(measure="present")
        assert set(present["cause"]) == {"data"}
        assert present.height == came + dropped
        settled_then, settled_now = found.a.line["settled"], found.b.line["settled"]
        assert found.shares.filter(measure="settled")["amount"].sum() == settled_now - settled_then
        assert f"{found.b.run.year}.toml quota" in {each.what for each in found.causes.changes}
