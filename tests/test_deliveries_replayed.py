"""Deliveries against a plain replay, for random sequences; and killed at random moments."""

import csv
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from delivering import YEAR, asked, bring, rows_file, withdrawn_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.common.failures import Failure
from flows.common.moments import moment
from flows.common.private_folder import private_folder
from flows.common.settings import HOME, Order
from flows.ledger.file import read
from flows.ledger.verify import verified
from flows.process import turn as turns
from flows.process.deliveries.known import known
from flows.process.deliveries.run import run_on_known
from flows.process.deliveries.write_note import noted, write_note
from flows.process.retract import retract
from flows.run.delivery import folder_of
from flows.run.known import left_out, replaced_in
from flows.run.read_files import read as read_rows
from schemas.feeds import FEEDS
from schemas.identifiers import ID_CHECKS, ID_WEIGHTS, credit_check_character

pytestmark = pytest.mark.slow

PEOPLE = [
    first + ID_CHECKS[sum(int(d) * w for d, w in zip(first, ID_WEIGHTS, strict=True)) % 11]
    for first in (f"11010519800101{number:03}" for number in range(6))
]
CODE = "91110108710924313"
EMPLOYER = CODE + pl.select(credit_check_character(pl.lit(CODE))).item()
REPLAYED = ("applications", "housing", "company_tax")


def row(feed: str, person: int, value: int) -> dict[str, object]:
    """A row about a person, another for another value."""
    if feed == "applications":
        return {
            "application_no": f"A{person}", "person_id": PEOPLE[person], "name": "某某", "sex": "M",
            "birth_date": "1980-01-01", "retirement_class": "male_60", "employer_id": EMPLOYER,
            "claims_education": "true" if value % 2 else "false",
            "submitted_at": f"2021-05-{value + 1:02}T08:00:00",
        }  # fmt: skip
    if feed == "housing":
        # every fifth is bad: quarantined rows are replaced as well
        kind = "castle" if value % 5 == 4 else "own"
        return {
            "person_id": PEOPLE[person], "kind": kind, "district": "110112",
            "start_date": f"2019-01-{value + 1:02}",
        }  # fmt: skip
    return {"person_id": PEOPLE[person], "year": 2018 + value % 3, "attributed_fen": value}


@dataclass(frozen=True)
class Step:
    """Somebody does something."""

    what: str
    feed: str = "housing"
    scope: str = "all"
    rows: tuple[tuple[int, int], ...] = ()
    withdrawn: tuple[int, ...] = ()
    number: int = 0


people = st.integers(0, len(PEOPLE) - 1)
steps = st.builds(
    Step,
    what=st.sampled_from(["deliver"] * 6 + ["again", "wrong", "retract"]),
    feed=st.sampled_from(["applications", "housing", "housing", "company_tax"]),
    scope=st.sampled_from(["all", "part", "part", "people", "people", "people"]),
    rows=st.lists(st.tuples(people, st.integers(0, 6)), max_size=5, unique_by=lambda each: each[0])
    .map(tuple),
    withdrawn=st.lists(people, max_size=2, unique=True).map(tuple),
    number=st.integers(0, 9),
)  # fmt: skip


@dataclass
class Replay:
    """What stands, in plain Python."""

    deliveries: list[dict[str, Any]] = field(default_factory=list)

    def held(self, feed: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for each in self.deliveries:
            if each["feed"] == feed and not each["retracted"]:
                if each["scope"] == "all":
                    found = []
                found.append(each)
        return found

    def rows(self, feed: str) -> list[tuple[int, int, tuple[str, ...]]]:
        """File, row number and cells of every row that counts."""
        found: list[tuple[int, int, tuple[str, ...]]] = []
        held = self.held(feed)
        if all(each["scope"] == "people" for each in held):  # a feed is missing until it has more
            return []
        for number, each in enumerate(held):
            about = {cells["person_id"] for cells in each["rows"]} | each["withdrawn"]
            if each["scope"] == "people":
                person = list(FEEDS[feed].schema().columns).index("person_id")
                found = [one for one in found if one[2][person] not in about]
            found += [
                (number, place, tuple(cells.values()))
                for place, cells in enumerate(each["rows"], 1)
            ]
        return found

    def refuses(
        self, feed: str, scope: str, rows: list[dict[str, str]], withdrawn: set[str]
    ) -> bool:
        held = self.held(feed)
        if scope == "people":
            about = {cells["person_id"] for cells in rows} | withdrawn
            column = list(FEEDS["applications"].schema().columns).index("person_id")
            applied = {one[2][column] for one in self.rows("applications")}
            return (
                all(each["scope"] == "people" for each in held)
                or any(cells.get("kind") == "castle" for cells in rows)
                or (feed != "applications" and not about <= applied)
            )
        return scope == "part" and bool(rows) and any(each["rows"] == rows for each in held)


def known_rows(warehouse: Path, state: Any, feed: str) -> list[tuple[int, int, tuple[str, ...]]]:
    """The rows a run would read of a feed and count, by file and row number."""
    found = []
    with private_folder(warehouse) as work:
        folder = known(state, warehouse, YEAR, work, allow_missing=True)
        if feed in folder.missing:
            return []
        gone = replaced_in(folder.beside, feed)
        for part in folder_of(folder.feeds, feed).parts:
            with part.path.open(encoding="utf-8", newline="") as file:
                cells = list(csv.DictReader(file))
            place = 0
            for piece in read_rows(part, FEEDS[feed].schema()):
                rows = piece.rows
                numbers = pl.repeat(part.number, rows.height, dtype=pl.Int64, eager=True)
                out = set(left_out(feed, rows, numbers, gone))
                found += [
                    (part.number, place + one + 1, tuple(cells[place + one].values()))
                    for one in range(rows.height)
                    if one not in out
                ]
                place += rows.height
    return found


def replay(folder: Path, sequence: list[Step]) -> Path:
    """Do the steps for real and in plain Python, and hold one against the other at every moment."""
    warehouse, plain = folder / "w", Replay()
    moments: list[tuple[str, dict[str, Any]]] = []
    made: list[tuple[Step, Path, Path | None]] = []
    for place, step in enumerate(sequence):
        at = f"2021-05-{10 + place:02}"
        ledger = read(warehouse)
        if step.what == "retract":
            standing = [each for each in plain.deliveries if not each["retracted"]]
            if standing:
                one = standing[step.number % len(standing)]
                retract(asked(warehouse, at, "retract", and_by="王芳"), one["seq"], "a mistake")
                one["retracted"] = True
        elif step.what == "again" and made:
            before, path, beside = made[step.number % len(made)]
            note = path.with_name(f"{path.name}.{before.scope}.toml")
            with suppress(Failure):  # one that was retracted comes anew, and may be refused
                done = bring(
                    warehouse, before.feed, [path], before.scope, at, withdrawn=beside, note=note
                )
                if done.recorded:
                    retract(asked(warehouse, at, "retract", and_by="王芳"), done.entry.seq, "twice")
        elif step.what in {"deliver", "wrong"}:
            rows = [row(step.feed, *each) for each in step.rows]
            path = rows_file(folder / f"{place}" / "rows.csv", step.feed, rows)
            with path.open(encoding="utf-8", newline="") as file:
                cells = list(csv.DictReader(file))
            gone = {PEOPLE[each] for each in step.withdrawn if step.scope == "people"}
            gone -= {each["person_id"] for each in cells}
            beside = withdrawn_file(path.with_name("gone.csv"), sorted(gone)) if gone else None
            given = {"withdrawn": beside, "share": Fraction(1), "delivered_at": "2021-05-01"}
            try:
                if step.what == "wrong":
                    note = path.with_name("wrong.toml")
                    right = noted(
                        *(YEAR, step.feed, [path]), scope=step.scope, department="局",
                        delivered_at=moment("2021-05-01"), withdrawn=beside,
                    )  # fmt: skip
                    write_note(right, note)
                    note.write_text(note.read_text("utf-8").replace("rows = ", "rows = 1"), "utf-8")
                    given["note"] = note
                done = bring(warehouse, step.feed, [path], step.scope, at, **given)
            except Failure:
                assert step.what == "wrong" or plain.refuses(step.feed, step.scope, cells, gone)
                assert read(warehouse).head == ledger.head
            else:
                assert step.what != "wrong"
                if done.recorded:  # the same file and note may have been drawn before
                    assert not plain.refuses(step.feed, step.scope, cells, gone)
                    plain.deliveries.append(
                        {"feed": step.feed, "scope": step.scope, "rows": cells, "withdrawn": gone,
                         "retracted": False, "seq": done.entry.seq}
                    )  # fmt: skip
                    made.append((step, path, beside))
        state = read(warehouse)
        if state.entries:
            moments.append((state.entries[-1].at, {feed: plain.rows(feed) for feed in REPLAYED}))
    state = read(warehouse)
    for at, expected in dict(moments).items():
        then = state.known_at(moment(at))
        for feed, rows in expected.items():
            held = list(rows)
            if all(each["scope"] == "people" for each in plain.held(feed)) and not held:
                continue
            assert known_rows(warehouse, then, feed) == held, (at, feed)
    return warehouse


@pytest.fixture
def without_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tables are made: they show the ledger, and another test looks at them."""
    monkeypatch.setattr(turns, "rebuilt", lambda *_: False)


SEQUENCE = [
    Step("deliver", "applications", "all", ((0, 0), (1, 1), (2, 2), (3, 3))),
    Step("deliver", "housing", "part", ((0, 0), (1, 4), (2, 2))),
    Step("deliver", "housing", "people", ((1, 1),), (2,)),
    Step("again", number=1),
    Step("deliver", "housing", "part", ((2, 3), (1, 2))),
    Step("wrong", "housing", "part", ((3, 3),)),
    Step("deliver", "housing", "people", ((4, 3),)),  # did not apply
    Step("deliver", "housing", "people", ((0, 3),), (1,)),
    Step("retract", number=3),
    Step("deliver", "housing", "all", ((3, 1),)),
    Step("retract", number=4),
    Step("deliver", "company_tax", "part", ((1, 1), (2, 2))),
    Step("deliver", "company_tax", "part", ((1, 4),)),
]


def test_a_sequence_of_every_kind_is_known_as_it_is_replayed(
    tmp_path: Path, without_tables: None
) -> None:
    warehouse = replay(tmp_path, SEQUENCE)
    text = (warehouse / "ledger.jsonl").read_text("utf-8")
    assert not [person for person in PEOPLE if person in text]


def test_corrections_alone_are_no_feed(tmp_path: Path, without_tables: None) -> None:
    """The delivery they correct was retracted: the feed is missing again, as before it came."""
    replay(
        tmp_path,
        [
            Step("deliver", "applications", "all", ((0, 0), (1, 1))),
            Step("deliver", "applications", "people", ((0, 0),)),
            Step("retract", number=0),
        ],
    )


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, min_size=3, max_size=6))
def test_what_is_known_at_any_moment_is_what_a_replay_says(
    tmp_path_factory: pytest.TempPathFactory, without_tables: None, sequence: list[Step]
) -> None:
    first = Step("deliver", "applications", "all", ((0, 0), (1, 1), (2, 2), (3, 3)))
    replay(tmp_path_factory.mktemp("replay"), [first, *sequence])


@pytest.mark.soak
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, min_size=3, max_size=14))
def test_the_same_for_many_sequences(
    tmp_path_factory: pytest.TempPathFactory, without_tables: None, sequence: list[Step]
) -> None:
    first = Step("deliver", "applications", "all", ((0, 0), (1, 1), (2, 2), (3, 3)))
    replay(tmp_path_factory.mktemp("replay"), [first, *sequence])


@pytest.mark.soak
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, min_size=4, max_size=10), st.integers(1, 8))
def test_a_run_as_known_then_is_the_run_made_then(
    tmp_path_factory: pytest.TempPathFactory, without_tables: None, sequence: list[Step], cut: int
) -> None:
    first = Step("deliver", "applications", "all", ((0, 0), (1, 1), (2, 2), (3, 3)))
    folder = tmp_path_factory.mktemp("replay")
    warehouse = replay(folder, [first, *sequence])
    at = read(warehouse).entries[min(cut, len(read(warehouse).entries) - 1)].at
    early = Path(shutil.copytree(warehouse, folder / "early"))
    lines = (early / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    (early / "ledger.jsonl").write_bytes(
        b"".join(line for line in lines if json.loads(line)["at"] <= at)
    )
    found = []
    for place, given_at, more in (
        (early, at, {}),
        (warehouse, "2021-06-20", {"as_known_on": moment(at)}),
    ):
        order = Order(YEAR, Path(), place, recheck=False, max_rejects="1")
        run = asked(place, given_at, "run", by=None)
        found.append(run_on_known(run, order, allow_missing=True, **more).outcome)
    assert found[0].run_id == found[1].run_id
    tables = [
        {path.name: path.read_bytes() for path in Path(each.directory).glob("*.parquet")}
        for each in found
    ]
    assert tables[0] == tables[1]


# --- Killed at random moments ---------------------------------------------------------------------

TAKES_IN = """
import sys
from pathlib import Path
sys.path.insert(0, "tests")
from delivering import YEAR, asked, bring
from flows.common.settings import Order
folder, start = Path(sys.argv[1]), int(sys.argv[2])
print("begun", flush=True)
for number in range(start, start + 40):
    scope = ("part", "people", "part")[number % 3] if number else "all"
    done = bring(folder / "w", "housing", [folder / f"{number}.csv"], scope, "2021-05-12")
    print(done.entry.body["id"], done.entry.seq, flush=True)
"""


@pytest.mark.parametrize("kills", [pytest.param(2), pytest.param(40, marks=pytest.mark.soak)])
def test_killed_while_delivering(tmp_path: Path, kills: int) -> None:
    """Whatever was acknowledged is there with every file of it, and no half copy counts."""
    warehouse, chance = tmp_path / "w", random.Random(kills)
    path = rows_file(
        tmp_path / "a.csv", "applications", [row("applications", each, 1) for each in range(6)]
    )
    bring(warehouse, "applications", [path], at="2021-05-12")
    for number in range(40 * (kills + 1)):
        rows = [row("housing", number % 6, value % 4) for value in range(1 + number)]
        rows_file(tmp_path / f"{number}.csv", "housing", rows)
    acknowledged: list[tuple[str, int]] = []
    for _ in range(kills):
        start = len(list(read(warehouse).made("deliver", YEAR))) - 1
        process = subprocess.Popen(
            [sys.executable, "-c", TAKES_IN, tmp_path, f"{start}"],
            cwd=HOME, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        first = process.stdout.readline()  # however slow the machine is
        time.sleep(chance.uniform(0, 0.8))
        process.send_signal(signal.SIGKILL)
        said = [line.split() for line in (first + process.stdout.read()).splitlines()]
        process.wait()
        process.stdout.close()
        acknowledged += [(each[0], int(each[1])) for each in said if len(each) == 2]
        state = verified(warehouse)  # every entry's files are there, with the digests it names
        made = {(each.body["id"], each.seq) for each in state.made("deliver", YEAR)}
        assert set(acknowledged) <= made
        ids = [each.body["id"] for each in state.made("deliver", YEAR)]
        assert len(set(ids)) == len(ids)
    # what was killed comes again and is taken in or recognised; nothing is left of the copies
    number = len(list(read(warehouse).made("deliver", YEAR))) - 1
    for each in (max(number - 1, 0), number):
        scope = ("part", "people", "part")[each % 3] if each else "all"
        bring(warehouse, "housing", [tmp_path / f"{each}.csv"], scope, at="2021-05-12")
    assert acknowledged
    assert not list(warehouse.glob(".work/*"))
