"""Appeals: filed, decided once by two others, and what each did, against everybody scored again."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from commands import here
from deciding import HONOUR, QUOTA, YEAR, ARound, from_deliveries, result_of, scored
from delivering import bring, tables_later
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.common.failures import Failure
from flows.common.moments import moment
from flows.common.settings import Order
from flows.ledger.entries import LEDGER
from flows.ledger.file import read
from flows.ledger.state import State
from flows.process.appeals.withdrawing import withdraw
from flows.process.displacement import of_round
from flows.process.displacement.line import Line, Ranked
from flows.process.retract import retract
from flows.process.tables import rebuilt
from flows.run import stages
from flows.run.make_current import make_current

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


@pytest.fixture(autouse=True)
def tables_when_looked_at() -> Iterator[None]:
    """A dozen operations a test, whose tables are made once: when `ARound.rows` looks at them."""
    with tables_later():
        yield


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
    chosen = chance.sample(near, 2)
    kinds = ["honour", chance.choice(["criminal_record", "law"])]
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


@pytest.mark.soak
def test_every_decision_against_scoring_everybody_again(delivered: ARound, tmp_path: Path) -> None:
    found = delivered.copy(tmp_path)
    rows = against_brute_force(found, tmp_path, seed=1)
    assert any(
        row["line"] != row["line_without"] or row["tied"] != row["tied_without"] for row in rows
    )
    assert {row["together"] for row in rows} == {True, False}
    shown_and_kept(found)


def shown_and_kept(found: ARound) -> None:
    """The command shows the table's rows, and no other operation works them out again."""
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


# --- Filing: one pending on a matter, whole lists or nothing ---------------------------------------


@pytest.fixture
def open_round(delivered: ARound, tmp_path: Path) -> ARound:
    """The round with everything delivered and a run, to be changed."""
    return delivered.copy(tmp_path)


def refused(operation: Callable[[], object], found: ARound) -> str:
    """The message of what is refused; nothing is recorded."""
    before = (found.warehouse / LEDGER).read_bytes()
    with pytest.raises(Failure) as failure:
        operation()
    assert (found.warehouse / LEDGER).read_bytes() == before
    message = str(failure.value)
    assert "\n" not in message
    return message


def numbers(found: ARound) -> list[str]:
    """Application numbers of those around the line."""
    return [each["application_no"] for each in found.ranking()[QUOTA - 3 : QUOTA + 8]]


@pytest.mark.slow
def test_an_appeal_opens_its_matter_alone_and_one_is_pending_at_a_time(open_round: ARound) -> None:
    one, other, *_ = numbers(open_round)
    first = open_round.claim(one, "law", "2021-06-05")
    assert first == "2021-appeal-0001"
    told = refused(lambda: open_round.claim(one, "law", "2021-06-05"), open_round)
    assert told == f"expected no pending appeal on that matter, found {first} of 2021-06-05"
    # another matter of the application, and the same matter of another, are not touched by it
    assert open_round.claim(one, "tax", "2021-06-05") == "2021-appeal-0002"
    assert open_round.claim(other, "law", "2021-06-05") == "2021-appeal-0003"
    withdraw(open_round.asked("appeal withdraw", "2021-06-06"), first)
    told = refused(
        lambda: withdraw(open_round.asked("appeal withdraw", "2021-06-06"), first), open_round
    )
    assert "expected a pending appeal, found one that is withdrawn" in told
    again = open_round.claim(one, "law", "2021-06-06")  # a withdrawn one may be filed again
    # two pending are never made by taking something back either
    seq = next(
        each.seq
        for each in read(open_round.warehouse).entries
        if each.operation == "appeal withdraw"
    )
    asked = open_round.asked("retract", "2021-06-06", by="王芳", and_by="张伟")
    told = refused(lambda: retract(asked, seq, "误"), open_round)
    assert f"{first} would be pending again beside {again}" in told
    open_round.decide(again, "refused", "2021-06-07")
    told = refused(lambda: open_round.claim(one, "law", "2021-06-07"), open_round)
    assert told == f"expected no appeal on that matter that was decided, found {again}, refused"
    late = open_round.claim(
        one, "law", "2021-06-07", kind="review", override="早前已收", and_by="周七",
        received_on=moment("2021-05-30"),
    )  # fmt: skip
    assert [(each["appeal_id"], each["kind"], each["status"]) for each in open_round.rows(
        "FROM appeals ORDER BY appeal_id"
    )] == [
        (first, "appeal", "withdrawn"),
        ("2021-appeal-0002", "appeal", "pending"),
        ("2021-appeal-0003", "appeal", "pending"),
        (again, "appeal", "refused"),
        (late, "review", "pending"),
    ]  # fmt: skip
    listed = here("appeal", "list", YEAR, "--pending", *open_round.options()).stdout
    assert [line.split("  ")[0] for line in listed.splitlines()] == [
        "2021-appeal-0002", "2021-appeal-0003", late, "appeals: 3, pending: 3"
    ]  # fmt: skip
    told = refused(lambda: open_round.publish("2021-07-12"), open_round)
    assert f"3 pending: 2021-appeal-0002, 2021-appeal-0003, {late}" in told  # no time decides
    texts = open_round.rows("SELECT * FROM appeals")[0]
    assert "有误" not in str(texts)  # no claim reaches a table


def test_a_list_is_entered_whole_or_not_at_all(open_round: ARound, tmp_path: Path) -> None:
    some = numbers(open_round)
    path = tmp_path / "appeals.csv"

    def enter(*rows: str, header: str = "application_no,subject,claim") -> str:
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        done = here("appeal", "file", YEAR, "--from", path, "--by", "李明",
                    *open_round.options("2021-06-05"))  # fmt: skip
        assert done.returncode in {0, 2}
        return done.stderr.splitlines()[-1] if done.returncode else done.stdout

    before = read(open_round.warehouse)
    good = f"{some[0]},law,一"
    for rows, told in {
        (good, f"{some[1]},lawful,二"): "row 2: expected one of employment",
        (good, "张三,law,二"): "row 2: expected an application number",
        (
            good,
            f"{some[1]},law,11010519491231002X",
        ): "row 2: --claim: expected a text without an ID",
        (
            good,
            f"{some[1]},law,１１０１０５-19491231-002x",
        ): "row 2: --claim: expected a text without",
        (good, f"{some[1]},law, "): "row 2: --claim: expected 1 to",
        (good, "no-such,law,二"): "row 2: expected an application of round 2021, found none",
        (good, good): "row 2: expected a matter once, found that of row 1",
        (good, f"{some[1]},law"): "row 2: expected 3 fields, found 2",
        (): "expected at least one row, found none",
    }.items():
        assert told in enter(*rows)
    assert "expected the columns application_no, subject, claim" in enter(
        good, header="name,subject,claim"
    )
    path.write_bytes("application_no,subject,claim\n张".encode("gb18030"))
    assert "expected UTF-8, found other bytes" in here(
        "appeal", "file", YEAR, "--from", path, "--by", "李明", *open_round.options("2021-06-05")
    ).stderr  # fmt: skip
    assert read(open_round.warehouse) == before
    out = enter(*(f"{number},law,有误" for number in some[:3]))
    assert out.splitlines()[:3] == [f"appeal 2021-appeal-000{place}" for place in (1, 2, 3)]
    assert "row 1: expected no pending appeal on that matter, found 2021-appeal-0001" in enter(good)


# --- Deciding: once, by two others, on what was delivered since ------------------------------------


def test_what_a_decision_may_rest_on(open_round: ARound) -> None:
    one, other, third, *_ = numbers(open_round)
    people = open_round.people()
    detained = {"decided_on": "2019-03-03"}
    before = open_round.correct(
        "detentions", [{"person_id": people[one], **detained}], "2021-06-05"
    )
    appeal = open_round.claim(one, "law", "2021-06-05")
    of_other = open_round.correct(
        "detentions", [{"person_id": people[other], **detained}], "2021-06-06"
    )
    of_feed = open_round.correct("honours", [{"person_id": people[one], **HONOUR}], "2021-06-06")
    taken_back = open_round.correct("detentions", [], "2021-06-06", withdrawn=[people[third]])
    asked = open_round.asked("retract", "2021-06-06", by="王芳", and_by="张伟")
    retract(asked, read(open_round.warehouse).seq, "误")
    right = open_round.correct("detentions", [], "2021-06-07", withdrawn=[people[one]])

    def told(result: str, *deliveries: str, of: str = appeal, **names: str) -> str:
        return refused(
            lambda: open_round.decide(of, result, "2021-06-13", *deliveries, **names), open_round
        )

    assert told("upheld") == "--delivery: upheld names at least one delivery, found none"
    assert told("partly_upheld").startswith("--delivery: partly_upheld names at least one")
    assert told("refused", right) == "--delivery: refused names no delivery, found 1"
    assert "expected one of upheld, partly_upheld, refused" in told("granted", right)
    assert "expected a delivery entered after 2021-appeal-0001" in told("upheld", before)
    assert "expected a delivery about the applicant" in told("upheld", of_other)
    assert "expected a delivery of what law rests on, detentions, found one of honours" in told(
        "upheld", of_feed
    )
    assert "which was retracted" in told("upheld", taken_back)
    assert "found none of that id" in told("upheld", "2021-detentions-0099")
    assert "expected a delivery about" in told("upheld", right, of_other)  # each one is looked at
    assert "expected one of the 1 appeals" in told("upheld", right, of="2021-appeal-0002")
    for name in ("张三", "11010519491231002X", "2021-honours-0001", "１２３４-appeal-0001"):
        message = told("upheld", right, of=name)
        assert message.startswith("expected the id of an appeal")
        assert name not in message
    # whoever filed it or entered what it names is not one of the two
    assert "whoever filed an appeal may not decide it" in told("upheld", right, by="李 明")
    assert "whoever filed an appeal may not decide it" in told("upheld", right, and_by="李明")
    assert "whoever entered a delivery that a decision names may" in told(
        "upheld", right, and_by="赵六"
    )
    assert "expected another person than --by" in told(
        "upheld", right, by="ＷＡＮＧ", and_by="wang "
    )
    open_round.decide(appeal, "upheld", "2021-06-13", right, right)
    entry = read(open_round.warehouse).last
    assert entry
    assert entry.body["deliveries"] == [right]
    assert "found one that is upheld, by entry" in told("refused")  # decided once
    # what it rests on is frozen with it
    seq = next(
        each.seq for each in read(open_round.warehouse).entries if each.body.get("id") == right
    )
    asked = open_round.asked("retract", "2021-06-14", by="王芳", and_by="张伟")
    assert f"decision {entry.seq} names it" in refused(
        lambda: retract(asked, seq, "误"), open_round
    )
    retract(asked, entry.seq, "误")
    assert open_round.rows("SELECT status FROM appeals") == [{"status": "pending"}]
    assert open_round.rows("FROM displacement") == []


@pytest.mark.slow
def test_a_preview_shows_what_displacement_shows_afterwards(open_round: ARound) -> None:
    one = open_round.ranking()[QUOTA + 2]["application_no"]
    appeal = open_round.claim(one, "honour", "2021-06-05")
    delivery = open_round.correct(
        "honours", [{"person_id": open_round.people()[one], **HONOUR}], "2021-06-06"
    )
    files = sorted(path for path in open_round.warehouse.rglob("*") if path.is_file())
    contents = [path.read_bytes() for path in files]
    asking = ["appeal", "decide", appeal, "upheld", "--delivery", delivery, "--reason", "已核"]
    done = here(*asking, "--preview", "--json", *open_round.options("2021-06-13"))
    assert done.returncode == 0, done.stderr
    (seen,) = json.loads(done.stdout)["displacement"]
    assert sorted(path for path in open_round.warehouse.rglob("*") if path.is_file()) == files
    assert [path.read_bytes() for path in files] == contents  # nothing is recorded
    for wrong in (["--by", "李明", "--and-by", "张伟"], ["--by", "张伟", "--and-by", "赵六"]):
        done = here(*asking, "--preview", *wrong, *open_round.options("2021-06-13"))
        assert (done.returncode, "expected somebody else" in done.stderr) == (2, True)
    assert here(*asking, "--preview", *open_round.options("2021-07-20")).returncode == 2
    open_round.decide(appeal, "upheld", "2021-06-13", delivery)
    (row,) = open_round.rows("FROM displacement")  # the run after does not hold it yet
    assert row["total_after"] == row["total_before"]
    shown = here("displacement", YEAR, *open_round.options()).stdout
    assert f"the run after, does not hold {delivery} yet" in shown
    open_round.run("2021-06-20")
    (row,) = open_round.rows("FROM displacement")
    same = {name: row[name] for name in row.keys() - {"run_after"}}
    assert {name: seen[name] for name in same} == {
        name: f"{each}" if isinstance(each, Decimal) else each for name, each in same.items()
    }
    assert (row["settled_before"], row["settled_after"]) == (False, True)
    assert row["rank_after"] < row["rank_before"]


def test_why_a_decision_cannot_be_measured(open_round: ARound, tmp_path: Path) -> None:
    """The run before holds its delivery already: the columns of before are null, and it is said why."""
    one = numbers(open_round)[0]
    appeal = open_round.claim(one, "honour", "2021-06-05")
    delivery = open_round.correct(
        "honours", [{"person_id": open_round.people()[one], **HONOUR}], "2021-06-06"
    )
    run_id = open_round.run("2021-06-07")
    open_round.decide(appeal, "partly_upheld", "2021-06-13", delivery)
    (row,) = open_round.rows("FROM displacement")
    assert row["total_before"] is not None
    done = here("displacement", YEAR, "--from", run_id, "--json", *open_round.options())
    (row,) = json.loads(done.stdout)["displacement"]
    before = ["total_before", "rank_before", "settled_before", "line_without", "tied_without",
              "settled_without"]  # fmt: skip
    assert [row[name] for name in before] == [None] * 6
    assert row["why"] == f"run {run_id}, the run before, already holds {delivery}"
    assert row["total_after"] is not None
    # without a run after the summary there is nothing to measure from
    state = read(open_round.warehouse)
    kept = tuple(each for each in state.entries if each.operation != "run")
    spans = open_round.asked("run", "2021-06-13").spans
    found = of_round.measured(State(kept), open_round.warehouse, YEAR, spans, run_id)
    assert [each.why for each in found.decided()] == ["no run was entered after summary ended"]
    without = tuple(each for each in spans if each.code != "summary")
    found = of_round.measured(state, open_round.warehouse, YEAR, without, run_id)
    assert found.before.run_id == run_id  # the last one before the first decision
    done = here("displacement", YEAR, "--from", "ffffff", *open_round.options())
    assert (done.returncode, "has no run ffffff" in done.stderr) == (2, True)


# --- Publishing a round that has deliveries: every matter that is open, told at once ----------------


@pytest.mark.slow
def test_what_stands_against_publishing(open_round: ARound) -> None:
    (first,) = open_round.rows(f"SELECT run_id FROM rounds WHERE round = {YEAR}")
    one = open_round.ranking()[QUOTA // 2]["application_no"]
    told = partial(refused, found=open_round)
    correction = open_round.correct(
        "honours", [{"person_id": open_round.people()[one], **HONOUR}], "2021-06-12"
    )
    assert told(lambda: open_round.publish("2021-06-12")) == (
        f"run {first['run_id']}: not published: it lacks deliveries that stand: {correction};"
        " it was made with --no-recheck"
    )
    asked = open_round.asked("retract", "2021-06-12", by="王芳", and_by="张伟")
    state = read(open_round.warehouse)
    every = next(each for each in state.entries if each.body.get("id") == f"{YEAR}-tax-0001")
    retract(asked, state.seq, "误")
    retract(asked, every.seq, "误")
    assert "not published: it holds deliveries that stand no more: 2021-tax-0001;" in told(
        lambda: open_round.publish("2021-06-12")
    )
    open_round.run("2021-06-12", allow_missing=True, anyway="试算")
    appeal = open_round.claim(one, "law", "2021-06-12", **LATE)
    message = told(lambda: open_round.publish("2021-06-12"))
    assert message.split(": not published: ")[1].split("; ") == [
        f"1 pending: {appeal}",
        "it was made with --allow-missing",
        "it was made with --no-recheck",
        "it was made with --anyway",
    ]
    open_round.decide(appeal, "refused", "2021-06-12")
    path = open_round.part("tax")
    done = bring(open_round.warehouse, "tax", [path], at="2021-06-12", delivered_at="2021-06-12")
    feeds = open_round.feeds_alone()  # the same in all else: it would be one run with the first
    stages.run(Order(YEAR, feeds, open_round.warehouse, open_round.data, "0.03", recheck=False))
    assert "it was made with --feeds, and round 2021 has deliveries" in told(
        lambda: open_round.publish("2021-06-12")
    )
    # outside its phase, by one name twice, by nobody
    for wrong in ({"at": "2021-07-20"}, {"and_by": "王 芳"}, {"by": None}, {"and_by": None}):
        told(lambda wrong=wrong: open_round.publish(**{"at": "2021-06-15", **wrong}))
    assert open_round.rows("SELECT state FROM rounds") == [{"state": "preliminary"}]
    # a run that is only kept may be published by name, and is current from then on
    (row,) = open_round.rows("SELECT run_id FROM rounds")
    other = open_round.run("2021-06-15", keep=True, recheck=True)
    assert other != row["run_id"]
    entry = open_round.publish("2021-06-15", other[:8]).recorded[0]
    assert entry.body["deliveries"][-1].startswith(f"{YEAR}-sanctions")
    assert done.entry.body["id"] in entry.body["deliveries"]
    row, *_ = open_round.rows("SELECT run_id, state, published_at FROM rounds")
    assert (row["run_id"], row["state"]) == (other, "published")
    assert row["published_at"].date() == date(2021, 6, 15)
    assert "published by entry" in told(lambda: open_round.publish("2021-06-16"))
    with pytest.raises(Failure, match="no other run becomes current"):
        make_current(YEAR, first["run_id"], open_round.warehouse)
    later = here("run", YEAR, "--direct", "--no-recheck", *open_round.options("2021-06-16"))
    assert (later.returncode, "is published: its result stands" in later.stdout) == (0, True)
    asked = open_round.asked("retract", "2021-06-16", by="王芳", and_by="张伟")
    for each in read(open_round.warehouse).entries[4:]:  # nothing that the result rests on
        if each.operation in {"deliver", "appeal decide", "publish"} and (
            each.seq not in read(open_round.warehouse).retracted
        ):
            told(lambda seq=each.seq: retract(asked, seq, "误"))
    # a database that is lost comes back with the official result
    (open_round.warehouse / "luohu.duckdb").unlink()
    assert here("ledger", YEAR, "--verify", *open_round.options()).returncode == 0
    assert open_round.rows("SELECT run_id, state, published_at FROM rounds") == [row]
