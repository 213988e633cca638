"""What is due, late or missing at a moment, and a tick that does each due step once, in order."""

import random
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from commands import here
from delivering import bring
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.common.failures import BadUsage, NotFound, RunRefused
from flows.common.moments import TICK, moment
from flows.common.settings import DATA
from flows.ledger.entries import at_text, sealed
from flows.ledger.file import read
from flows.ledger.state import State
from flows.ledger.verify import verified
from flows.process.calendar.due import day_of, due
from flows.process.calendar.missing import lacking
from flows.process.calendar.status import as_json, lines, status
from flows.process.calendar.tick import Done, Tick, makes_run, named, open_steps, tick
from flows.process.deliveries.findings import findings
from flows.process.deliveries.held import delivery_ids
from flows.process.rules import rules
from flows.process.turn import Asked, turn
from flows.simulate import simulate
from schemas.feeds import FEEDS
from transforms.phases import spans
from transforms.rounds import load_round

RULES = rules()
ASKED = Asked("tick", 2021)
OF_2021 = spans("2021", load_round(DATA / "rounds", 2021).phases)
PHASES = ["filing", "summary", "query", "recheck", "publication", "registration"]
DAILY = "08:05"


A_DELIVERY = {
    "department": "人力社保", "rows": 0, "accepted": 0, "quarantined": 0, "withdrawn": 0,
    "delivered_at": "2021-05-01T00:00:00+08:00", "parts": [], "files": {},
}  # fmt: skip


A_RUN: dict[str, Any] = {
    "as_known_on": None, "deliveries": [], "findings": [], "allow_missing": False, "recheck": True,
    "anyway": None, "current": True,
}  # fmt: skip


class Year:
    """A rehearsal of the round of 2021, entered without the operations themselves."""

    def __init__(self, folder: Path, year: int = 2021, data: Path = DATA) -> None:
        self.warehouse, self.year, self.data = folder / "w", year, data
        self.refused: str | None = None
        self.runs = 0

    def enter(self, operation: str, at: str | datetime, *bodies: dict[str, Any]) -> None:
        when = moment(at) if isinstance(at, str) else at
        asked = Asked(
            operation, self.year, by="李明", and_by="王芳" if operation == "publish" else None,
            at=when, warehouse=self.warehouse, data=self.data,
        )  # fmt: skip
        with turn(asked) as now:
            now.judge()
            now.record(*bodies)

    def deliver(self, at: str, *feeds: str, scope: str = "all") -> None:
        made = read(self.warehouse).made("deliver", self.year)
        self.enter(
            "deliver",
            at,
            *(
                {
                    **A_DELIVERY,
                    "id": f"{self.year}-{feed}-{number:04}",
                    "feed": feed,
                    "scope": scope,
                }
                for number, feed in enumerate(feeds, len(made) + 1)
            ),
        )

    def run(self, asked: Asked) -> str:
        if self.refused:
            raise RunRefused(self.refused)
        self.runs += 1
        held = delivery_ids(read(self.warehouse), asked.round)
        assert asked.at
        body = {**A_RUN, "id": f"run{self.runs}", "deliveries": held}
        body["findings"] = [each.seq for each in findings(read(self.warehouse))]
        self.enter("run", asked.at, body)
        return f"run{self.runs}"

    def tick(self, at: str) -> list[Done]:
        return tick(Tick(self.warehouse, self.data, moment(at), run=self.run))

    def steps(self) -> list[tuple[str, str]]:
        """What was done: step and phase, in order."""
        return [
            (each.body["step"], each.body["phase"])
            for each in read(self.warehouse).standing("tick", self.year)
        ]

    def status(self, at: str) -> dict[str, Any]:
        return as_json(status(read(self.warehouse), self.year, self.data, moment(at)))


@pytest.fixture(autouse=True)
def no_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger alone is looked at here: the next command that reads makes the tables again."""
    monkeypatch.setattr("flows.process.turn.rebuilt", lambda *_: False)


@pytest.fixture
def year(tmp_path: Path) -> Year:
    """All feeds delivered on 1 May."""
    found = Year(tmp_path)
    found.deliver("2021-05-01", *FEEDS)
    return found


ALL_STEPS = [
    ("phase", "filing"),
    ("phase", "summary"),
    ("feeds", "summary"),
    ("phase", "query"),
    ("run", "query"),
    ("phase", "recheck"),
    ("phase", "publication"),
    ("run", "publication"),
]


def test_day_by_day_each_step_is_done_once_and_in_order(year: Year) -> None:
    for day in ("05-10", "05-14", "05-15", "05-16", "06-03", "06-04", "06-05", "06-12", "07-12"):
        year.tick(f"2021-{day}T{DAILY}")
    assert year.steps() == [*ALL_STEPS, ("alarm", "publication")]
    assert year.runs == 1  # at the publication the last one lacked nothing
    days = {
        (step["step"], step["phase"]): each.at
        for each in read(year.warehouse).standing("tick", 2021)
        for step in [each.body]
    }
    assert days["run", "query"].startswith(f"2021-06-04T{DAILY}")
    assert days["feeds", "summary"].startswith(f"2021-05-15T{DAILY}")


def test_however_long_the_machine_was_off_each_step_is_done_once(year: Year) -> None:
    done = year.tick("2021-07-25T08:05")
    assert [each.message for each in done if each.is_late] == [
        each.message for each in done if "not published" in each.message
    ]
    expected = [*ALL_STEPS, ("alarm", "publication"), ("phase", "registration")]
    assert sorted(year.steps()) == sorted(expected)
    assert year.steps()[:-2] == ALL_STEPS
    assert year.tick("2021-07-25T20:00") == []
    assert year.runs == 1


def test_a_run_at_the_publication_only_where_the_last_one_lacks_something(year: Year) -> None:
    year.tick("2021-06-04T08:05")
    year.deliver("2021-06-20", "honours", scope="people")
    assert year.status("2021-06-21")["missing"]["run"] == ["2021-honours-0018"]
    assert year.status("2021-06-21")["late"] == []
    year.tick("2021-07-12T08:05")
    assert year.runs == 2
    assert "run" not in year.status("2021-07-12T09:00")["missing"]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"deliveries": []}, "2021-applications-0001"),
        ({"findings": [3]}, "without finding 3"),
        ({"recheck": False}, "without --no-recheck"),
        ({"anyway": "a trial"}, "without --anyway"),
        ({"allow_missing": True}, "without --allow-missing"),
        ({"current": False}, "2021-applications-0001"),
        ({"as_known_on": "2021-06-01"}, "2021-applications-0001"),
        ({}, None),
    ],
)
def test_a_run_that_cannot_be_published_lacks_something(
    other: dict[str, Any], words: str | None
) -> None:
    held = [f"2021-{feed}-0001" for feed in FEEDS]
    state = State()
    for feed in FEEDS:
        body = {"id": f"2021-{feed}-0001", "feed": feed, "scope": "all"}
        state = after(state, moment("2021-05-01"), "deliver", body)
    run = {**A_RUN, "id": "a", "deliveries": held, **other}
    state = after(state, moment("2021-07-01"), "run", run)
    assert ([*lacking(state, 2021), None][0]) == words
    steps = due(state, 2021, OF_2021, RULES, moment("2021-07-12"))
    (step,) = [each for each in steps if (each.name, each.phase) == ("run", "publication")]
    assert step.is_needed == (words is not None)


def test_an_unpublished_list_is_told_each_day_until_two_people_publish(year: Year) -> None:
    for day in ("12", "12", "13", "15"):
        told = [each for each in year.tick(f"2021-07-{day}T08:05") if each.is_late]
        assert len(told) <= 1
    alarms = [
        each.body["day"] for each in read(year.warehouse).standing("tick", 2021, step="alarm")
    ]
    assert alarms == ["2021-07-12", "2021-07-13", "2021-07-15"]
    late = year.status("2021-07-15T09:00")["late"]
    assert [each["what"] for each in late] == ["list"]
    year.enter("publish", "2021-07-15T10:00", {"run_id": "run1", "deliveries": []})
    assert year.tick("2021-07-16T08:05") == []
    assert year.status("2021-07-16T09:00")["late"] == []


def test_places_lapse_once_registration_is_over_and_only_of_a_published_list(year: Year) -> None:
    year.tick("2021-07-12T08:05")
    year.enter("publish", "2021-07-12T10:00", {"run_id": "run1", "deliveries": []})
    assert [each["step"] for each in year.status("2024-01-01T08:00")["due"]] == ["phase", "lapse"]
    assert [each["what"] for each in year.status("2024-01-02T08:00")["late"]] == ["lapse"]
    year.tick("2024-01-02T08:05")
    (entry,) = read(year.warehouse).standing("tick", 2021, step="lapse")
    assert entry.body["on"] == "2024-01-01"
    assert year.tick("2024-01-03T08:05") == []
    assert year.status("2024-01-03T09:00")["late"] == []


def test_a_refused_run_is_late_and_tried_again_the_next_day(year: Year) -> None:
    year.refused = "honours/part-0: expected a header\nfound none"
    (late,) = [each for each in year.tick("2021-06-04T08:05") if each.is_late]
    assert "honours/part-0: expected a header found none" in late.message
    found = year.status("2021-06-04T08:06")
    assert [each["what"] for each in found["late"]] == ["run"]
    assert found["due"][0]["refused"] == "honours/part-0: expected a header found none"
    assert year.tick("2021-06-04T20:00") == []  # once a day
    assert len([each for each in year.tick("2021-06-05T08:05") if each.is_late]) == 1
    year.refused = None
    assert [each.message for each in year.tick("2021-06-06T08:05")] == ["run run1 is made"]
    assert year.tick("2021-06-07T08:05") == []
    assert year.status("2021-06-07T08:06")["late"] == []


def test_a_refused_run_holds_up_the_next_one_but_no_alarm(year: Year) -> None:
    year.refused = "no"
    done = year.tick("2021-07-12T08:05")
    assert [each.is_late for each in done].count(True) == 2
    assert ("run", "publication") not in year.steps()
    assert ("alarm", "publication") in year.steps()


def test_what_a_refusal_says_is_recorded_without_an_id_number(year: Year) -> None:
    year.refused = "found 11010519491231002X"
    year.tick("2021-06-04T08:05")
    assert b"11010519491231002X" not in (year.warehouse / "ledger.jsonl").read_bytes()


def test_a_run_that_somebody_made_since_is_not_made_again(year: Year) -> None:
    """So a tick that was killed between its run and its entry makes no second one."""
    year.tick("2021-05-20")
    year.run(Asked("run", 2021, at=moment("2021-06-04T08:01")))
    year.tick("2021-06-04T08:05")
    assert year.runs == 1
    assert year.steps()[-1] == ("run", "query")


def test_two_ticks_at_once_do_each_step_once(year: Year) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(year.tick, ["2021-07-12T08:05"] * 4))
    assert year.steps() == [*ALL_STEPS, ("alarm", "publication")]
    assert year.runs == 1
    assert sum(map(len, done)) == 9


@pytest.mark.parametrize("at", ["2021-05-01T00:00", "2021-06-05", "2021-07-12T08:05"])
def test_without_a_delivery_nothing_is_due(at: str, tmp_path: Path) -> None:
    year = Year(tmp_path)
    year.enter("run", "2021-05-01", {**A_RUN, "id": "run0"})
    assert year.tick(at) == []


def test_a_round_of_few_phases_has_few_steps(tmp_path: Path) -> None:
    """Of 2023 only filing and publication are known."""
    year = Year(tmp_path, 2023)
    year.deliver("2023-04-21", *FEEDS)
    year.tick("2023-07-12T08:05")
    assert year.steps() == [
        ("phase", "filing"), ("phase", "publication"), ("run", "publication"), ("alarm", "publication"),
    ]  # fmt: skip
    assert year.runs == 1


def test_a_round_whose_file_is_gone_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    data = Path(shutil.copytree(DATA, tmp_path / "data"))
    year = Year(tmp_path, 2021, data)
    year.deliver("2021-05-01", *FEEDS)
    other = Year(tmp_path, 2023, data)
    other.deliver("2023-04-21", *FEEDS)
    (data / "rounds" / "2021.toml").unlink()
    done = other.tick("2023-07-12T08:05")
    (told,) = [each.message for each in done if each.round == 2021]
    assert told.startswith("there is no round 2021")
    assert len([each for each in done if each.round == 2023]) == 4


def after(state: State, at: datetime, operation: str, body: dict[str, Any]) -> State:
    """The state with one entry more, in memory."""
    later = max(at, state.last.moment + TICK) if state.last else at
    fields = {
        "seq": state.seq + 1, "at": at_text(later), "clock": "given", "round": 2021,
        "operation": operation, "by": None, "and_by": None, "user": "me", "override": None,
        "body": body, "previous": state.head,
    }  # fmt: skip
    return State((*state.entries, sealed(fields)))


@given(
    looks=st.lists(st.integers(0, 90 * 24), min_size=1, max_size=12).map(sorted),
    published_on=st.integers(0, 100 * 24),
    refused=st.sets(st.integers(0, 90)),
)
@settings(deadline=None)
def test_whenever_somebody_looks_each_step_is_done_once(
    looks: list[int], published_on: int, refused: set[int]
) -> None:
    start = moment("2021-05-02")
    held = {"id": "2021-housing-0001", "feed": "housing", "scope": "all"}
    state = after(State(), start, "deliver", held)
    published = False
    for hour in looks:
        at = start + timedelta(hours=hour)
        if hour >= published_on and not published:
            state, published = after(state, at, "publish", {}), True
        while steps := open_steps(ASKED, state, at):
            step = steps[0]
            body: dict[str, Any] = named(step)
            if makes_run(step) and hour // 24 in refused:
                body["refused"] = "no"
            elif makes_run(step):
                run = {**A_RUN, "id": "a", "deliveries": [held["id"]]}
                state = after(state, at, "run", run)
            state = after(state, at, "tick", body)
    bodies = [each.body for each in state.standing("tick", 2021)]
    done = [(each["step"], each["phase"]) for each in bodies if "refused" not in each]
    once = [each for each in done if each[0] != "alarm"]
    assert len(set(once)) == len(once)
    last = start + timedelta(hours=looks[-1])
    begun = [span.code for span in OF_2021 if span.begins is None or span.begins <= last]
    assert [phase for step, phase in once if step == "phase"] == begun
    days = [each["day"] for each in bodies if each["step"] == "alarm"]
    assert days == sorted(set(days))
    due_days = {
        day_of(start + timedelta(hours=hour)).isoformat()
        for hour in looks
        if hour < published_on and start + timedelta(hours=hour) >= moment("2021-07-12")
    }
    assert set(days) == due_days
    runs = [each for each in bodies if each["step"] == "run"]
    tried = [(each["phase"], each["refused"]) for each in runs if "refused" in each]
    assert len(tried) <= 91
    if last >= moment("2021-06-04T08:00") and hour // 24 not in refused:
        assert ("run", "query") in done


def test_status_says_what_is_missing_and_since_when_it_is_late(tmp_path: Path) -> None:
    year = Year(tmp_path)
    year.deliver("2021-05-01", *(feed for feed in FEEDS if feed != "honours"))
    found = year.status("2021-05-02")
    assert (found["phase"], found["late"], found["missing"]) == (
        "filing",
        [],
        {"feeds": ["honours"]},
    )
    assert found["next"]["what"].startswith("summary")
    (late,) = year.status("2021-05-15T00:00")["late"]
    assert (late["what"], late["since"]) == ("feeds", "2021-05-15T00:00:00.000000+08:00")
    year.deliver("2021-05-16", "honours", scope="people")
    assert year.status("2021-05-17")["missing"]["feeds"] == [
        "honours"
    ]  # a correction makes no feed
    year.deliver("2021-05-18", "honours", scope="part")
    assert year.status("2021-05-18T12:00")["missing"] == {}
    assert year.status("2021-05-17")["missing"]["feeds"] == ["honours"]  # as it was then


def test_pending_appeals_are_missing_and_late_once_the_list_is_due(year: Year) -> None:
    year.tick("2021-06-04T08:05")
    filed = (
        {
            "id": f"2021-appeal-{number:04}",
            "application_no": f"{number}",
            "subject": "age",
            "kind": "appeal",
        }
        for number in (1, 2, 3)
    )
    year.enter("appeal file", "2021-06-05", *filed)
    year.enter("appeal withdraw", "2021-06-06", {"appeal": "2021-appeal-0002"})
    found = year.status("2021-06-07")
    assert found["missing"]["appeals"] == ["2021-appeal-0001", "2021-appeal-0003"]
    assert found["late"] == []
    late = {each["what"] for each in year.status("2021-07-12T08:00")["late"]}
    assert late == {"appeals", "list"}


def test_a_step_nobody_does_is_due_at_once_and_late_after_a_day(year: Year) -> None:
    first = year.status("2021-06-04T08:00")
    assert [each["step"] for each in first["due"]][-1] == "run"
    assert first["late"] == []
    assert [each["what"] for each in year.status("2021-06-05T08:00")["late"]] == ["run"]


def test_what_is_expected_is_looked_for() -> None:
    from flows.process.calendar.missing import FINDERS
    from flows.process.calendar.tick import STEPS

    assert set(FINDERS) == {each.name for each in RULES.expected}
    assert set(STEPS) == {each.name for each in RULES.steps}


def test_status_leaves_with_1_when_something_is_late(year: Year) -> None:
    options = ("--warehouse", year.warehouse)
    well = here("status", 2021, "--at", "2021-05-02", *options)
    assert (well.returncode, "phase    filing 申报" in well.stdout) == (0, True), well.stderr
    late = here("status", 2021, "--at", "2021-07-12", *options, "--json")
    assert late.returncode == 1
    assert '"rehearsal": true' in late.stdout
    for wrong in (("--at", "soon"), ("--at", "2199-01-01")):
        done = here("status", 2021, *wrong, *options)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 2), done.stderr
    assert here("status", 1999, *options).returncode == 2
    assert here("status", 2021, "--warehouse", year.warehouse / "none").returncode == 2


def test_a_tick_refuses_a_time_it_cannot_have(year: Year, tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="time never goes back"):
        year.tick("2021-04-30")
    with pytest.raises(BadUsage, match="up to now"):
        year.tick("2199-01-01")
    with pytest.raises(NotFound, match="expected a warehouse"):
        Year(tmp_path / "none").tick("2021-05-01")
    done = here("tick", "--at", "2021-05-02", "--warehouse", year.warehouse)
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        0,
        "round 2021: filing 申报 has begun",
    )
    again = here("tick", "--at", "2021-05-02", "--warehouse", year.warehouse)
    assert (again.returncode, again.stdout) == (0, "nothing is due\n")


@pytest.mark.soak
def test_a_tick_that_is_killed_at_any_moment_is_made_up_for_by_the_next(tmp_path: Path) -> None:
    """Every step stands once, whatever a kill left undone; what was acknowledged is there."""
    simulate(2021, tmp_path / "feeds", applicants=60, seed=5, dirty=0, data=DATA)
    for feed in FEEDS:
        bring(
            *(tmp_path / "w", feed, [tmp_path / "feeds" / feed], "all", "2021-05-01"),
            delivered_at="2021-04-30",
        )
    chance = random.Random(9)
    command = [sys.executable, "-m", "flows.cli", "tick", "--at", "2021-07-12T08:05"]
    kills = 0
    for number in range(25):
        warehouse = Path(shutil.copytree(tmp_path / "w", tmp_path / f"w{number}"))
        process = subprocess.Popen(
            [*command, "--warehouse", warehouse],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.5, 6))
        process.kill()
        kills += process.wait() == -signal.SIGKILL
        before = read(warehouse)
        tick(Tick(warehouse, DATA, moment("2021-07-12T08:05")))
        state = verified(warehouse)
        assert state.entries[: before.seq] == before.entries
        found = [(each.body["step"], each.body["phase"]) for each in state.standing("tick", 2021)]
        assert found == [*ALL_STEPS, ("alarm", "publication")]
        assert len(list(state.standing("run", 2021))) == 1
        shutil.rmtree(warehouse)
    assert kills > 10


def test_status_of_a_warehouse_without_a_ledger_says_what_is_late(tmp_path: Path) -> None:
    """By the system's clock, as somebody asks who has only ever run with --feeds."""
    found = status(read(tmp_path), 2021, DATA)
    assert [each.name for each in found.late] == ["feeds", "list"]
    assert re.fullmatch("round 2021 at [0-9: -]{16}(:[0-9]{2})?, Beijing time", lines(found)[0])
