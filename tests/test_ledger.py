"""The ledger: only ever appended to, and nothing acknowledged is lost or changed without being told."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import here
from delivering import tables_later
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.common.failures import (
    BadUsage,
    CheckFailed,
    ClockRefused,
    Failure,
    LedgerDamaged,
    ProcessRefused,
    PublicationFailed,
)
from flows.common.moments import moment
from flows.ledger import file as ledger_file
from flows.ledger.entries import (
    LEDGER,
    NO_ENTRY,
    Entry,
    at_text,
    canonical,
    line_of,
    sealed,
)
from flows.ledger.file import append, mend, only_writer, read, tail
from flows.ledger.seen_in_database import shown_by
from flows.ledger.verify import require_head, verified
from flows.process import signatures
from flows.process import turn as process_turn
from flows.process.calendar.tick import Tick, tick
from flows.process.retract import retract
from flows.process.rules import rules
from flows.process.tables import rebuilt
from flows.process.turn import Asked, Turn, turn
from flows.run.stages import Outcome
from schemas.process import PRELIMINARY
from transforms.phases import BEIJING
from transforms.policy import PolicyError

START = datetime(2021, 5, 1, tzinfo=BEIJING)
ID_NUMBER = "11010519491231002X"


A_DELIVERY = {
    "id": "2021-housing-0001", "feed": "housing", "scope": "all", "department": "住建", "rows": 0,
    "accepted": 0, "quarantined": 0, "withdrawn": 0, "delivered_at": "2021-05-01T00:00:00+08:00",
}  # fmt: skip


def entry(seq: int, previous: str, operation: str = "deliver", **body: Any) -> Entry:
    return sealed(
        {
            "seq": seq, "at": at_text(START + timedelta(seconds=seq)), "clock": "given",
            "round": 2021, "operation": operation, "by": "李明", "and_by": None, "user": "me",
            "override": None, "previous": previous,
            "body": {**A_DELIVERY, **body} if operation == "deliver" else body,
        }
    )  # fmt: skip


def chain(length: int, **body: Any) -> list[Entry]:
    entries: list[Entry] = []
    for seq in range(1, length + 1):
        entries.append(entry(seq, entries[-1].sha256 if entries else NO_ENTRY, **body))
    return entries


def ledger_of(folder: Path, entries: list[Entry]) -> Path:
    folder.mkdir(exist_ok=True)
    append(folder, tail(folder), entries)
    return folder


def asked(
    warehouse: Path, operation: str = "deliver", at: str | None = "2021-05-01", **more: Any
) -> Asked:
    given = {"by": "李明", "at": moment(at) if at else None, "round": 2021, **more}
    return Asked(operation, warehouse=warehouse, **given)


def done(of: Asked, *bodies: dict[str, Any]) -> Turn:
    usual = A_DELIVERY if of.operation == "deliver" else {}
    with turn(of) as now:
        now.judge()
        now.record(*({**usual, **each} for each in bodies or ({},)))
    return now


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with a delivery in a rehearsal; not to be changed."""
    folder = tmp_path_factory.mktemp("delivered") / "w"
    done(asked(folder))
    return folder


@pytest.fixture
def rehearsal(delivered: Path, tmp_path: Path) -> Path:
    """A copy of it to change: entries warehouse, phases, deliver."""
    return Path(shutil.copytree(delivered, tmp_path / "w"))


@pytest.fixture
def ledger_alone() -> Iterator[None]:
    """For what is about entries: the tables that show them are not made again after each."""
    with tables_later():
        yield


# --- The chain ------------------------------------------------------------------------------------


def test_an_entry_is_canonical_json_with_its_digest(rehearsal: Path) -> None:
    import hashlib

    path = rehearsal / LEDGER
    assert path.stat().st_mode & 0o777 == 0o600
    previous = "0" * 64
    for seq, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        found = json.loads(line)
        assert json.dumps(found, ensure_ascii=False, sort_keys=True, separators=(",", ":")) == line
        digest = found.pop("sha256")
        assert hashlib.sha256(canonical(found)).hexdigest() == digest
        assert (found["seq"], found["previous"]) == (seq, previous)
        previous = digest
    assert set(found) == {
        "seq",
        "at",
        "clock",
        "round",
        "operation",
        "by",
        "and_by",
        "user",
        "override",
        "body",
        "previous",
    }
    state = read(rehearsal)
    assert [each.operation for each in state.entries] == ["warehouse", "phases", "deliver"]
    assert state.entries[1].body["digest"] == state.entries[2].body["phases"]
    assert "王" not in found["user"]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    st.lists(
        st.dictionaries(
            texts, st.one_of(texts, st.integers(-(9**18), 9**18), st.booleans(), st.none())
        ),
        min_size=1,
        max_size=6,
    ),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_edited_cut_or_moved_is_told(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[dict[str, Any]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("w")
    entries: list[Entry] = []
    for seq, body in enumerate(bodies, 1):
        entries.append(entry(seq, entries[-1].sha256 if entries else NO_ENTRY, of=body))
    ledger_of(folder, entries)
    assert verified(folder).entries == tuple(entries)
    whole = (folder / LEDGER).read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda each: each != whole[place]))
    (folder / LEDGER).write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
    if place == len(whole) - 1:  # the end of the last line: torn, and nobody can say more
        assert verified(folder).entries == tuple(entries[:-1])
    else:
        with pytest.raises(CheckFailed, match=rf"^{LEDGER}: entry \d+: expected"):
            verified(folder)
        with pytest.raises(LedgerDamaged, match=rf"^{LEDGER}: entry \d+: expected"):
            read(folder)  # so nothing is recorded after it


def test_lines_that_are_cut_out_moved_or_written_anew(tmp_path: Path) -> None:
    entries = chain(5)
    folder = ledger_of(tmp_path / "w", entries)
    lines = (folder / LEDGER).read_bytes().splitlines(keepends=True)

    def told(*left: bytes) -> str:
        (folder / LEDGER).write_bytes(b"".join(left))
        with pytest.raises(LedgerDamaged):
            read(folder)
        with pytest.raises(CheckFailed) as refused:
            verified(folder)
        return str(refused.value)

    assert told(*lines[:2], *lines[3:]).startswith(f"{LEDGER}: entry 3: expected seq 3, found 4")
    assert told(*lines[1:]).startswith(f"{LEDGER}: entry 1: expected seq 1, found 2")
    assert told(lines[0], lines[2], lines[1]).startswith(f"{LEDGER}: entry 2: expected seq 2")
    again = [*entries[:2], entry(3, "f" * 64)]
    assert told(*map(line_of, again)).startswith(f"{LEDGER}: entry 3: expected the sha256 of the")
    (folder / LEDGER).write_bytes(lines[0] + lines[1].replace(b",", b", ", 1))
    with pytest.raises(CheckFailed, match="entry 2: expected canonical JSON"):
        verified(folder)
    # an older copy, and a chain written anew, hold together: only a digest of before tells them
    (folder / LEDGER).write_bytes(b"".join(lines[:3]))
    state = verified(folder)
    assert require_head(state, entries[2].sha256) == entries[2]
    with pytest.raises(CheckFailed, match="an older copy, or one that was written anew"):
        require_head(state, entries[4].sha256)
    with pytest.raises(BadUsage, match="expected 64 hexadecimal digits, found 3 characters"):
        require_head(state, "abc")


def test_a_file_that_an_entry_names_is_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    (folder / "deliveries").mkdir(parents=True)
    (folder / "deliveries" / "a").write_bytes(b"rows")
    digest = "43d6a72b5bf4ee5c3d3fb8d6a3b1e0b0a4a2e0f5" + "0" * 24
    import hashlib

    digest = hashlib.sha256(b"rows").hexdigest()
    ledger_of(folder, chain(1, files={"deliveries/a": digest}))
    assert verified(folder).seq == 1
    (folder / "deliveries" / "a").write_bytes(b"row")
    with pytest.raises(CheckFailed, match="entry 1: expected the file deliveries/a as it was"):
        verified(folder)
    assert verified(folder, 2020).seq == 1  # of another round
    (folder / "deliveries" / "a").unlink()
    with pytest.raises(CheckFailed, match="entry 1: expected the file deliveries/a, found none"):
        verified(folder, 2021)


# --- A disk, a kill, a second process -------------------------------------------------------------


@pytest.mark.usefixtures("ledger_alone")
@pytest.mark.parametrize("left", [1, 2, 40])
def test_a_torn_last_line_goes_and_is_told(rehearsal: Path, left: int) -> None:
    """A byte less: the end of the line is put there; more: it was never acknowledged, and goes."""
    before = read(rehearsal)
    whole = (rehearsal / LEDGER).read_bytes()
    with (rehearsal / LEDGER).open("ab") as file:
        file.write(line_of(entry(4, before.head))[:-left])
    assert read(rehearsal) == before
    said: list[str] = []
    now = done(asked(rehearsal, at="2021-05-02", say=said.append))
    (note,) = said
    if left == 1:
        assert note == f"{LEDGER}: entry 4 lacked the end of its line, which was put there"
        assert now.state.seq == 5
    else:
        assert note.startswith(f"{LEDGER}: removed a torn last line of ")
        assert now.state.seq == 4
    assert (rehearsal / LEDGER).read_bytes().startswith(whole)
    assert verified(rehearsal) == now.state


@pytest.mark.usefixtures("ledger_alone")
def test_entries_that_belong_together_are_all_there_or_none(rehearsal: Path) -> None:
    before = read(rehearsal)
    now = done(asked(rehearsal), {"id": "a"}, {"id": "b"}, {"id": "c"})
    assert [each.body["id"] for each in now.recorded] == ["a", "b", "c"]
    lines = (rehearsal / LEDGER).read_bytes().splitlines(keepends=True)
    for kept in (4, 5):
        (rehearsal / LEDGER).write_bytes(b"".join(lines[:kept]) + b'{"and')
        (rehearsal / "luohu.duckdb").unlink(missing_ok=True)
        assert read(rehearsal) == before
        said: list[str] = []
        with only_writer(rehearsal):
            end = mend(rehearsal, tail(rehearsal), said.append)
        assert (end.last, said[0].startswith(f"{LEDGER}: removed {kept - 3} entries of an")) == (
            before.last,
            True,
        )
        assert (rehearsal / LEDGER).read_bytes() == b"".join(lines[:3])


@pytest.mark.parametrize("whole", [0, 1, 2])
def test_several_entries_that_end_before_the_end_of_a_line(rehearsal: Path, whole: int) -> None:
    """What stops just before a line's end is the beginning of something nobody was told of, and goes."""
    first = (rehearsal / LEDGER).read_bytes()
    before = read(rehearsal)
    shown = (rehearsal / "luohu.duckdb").read_bytes()
    with tables_later():
        done(asked(rehearsal), {"id": "a"}, {"id": "b"}, {"id": "c"})
    own = (rehearsal / LEDGER).read_bytes().removeprefix(first).splitlines(keepends=True)
    left = b"".join([*own[:whole], own[whole][:-1]])
    (rehearsal / LEDGER).write_bytes(first + left)
    (rehearsal / "luohu.duckdb").write_bytes(shown)
    assert read(rehearsal) == before
    now = done(asked(rehearsal), {"id": "d"})
    assert [each.seq for each in now.recorded] == [4]
    assert verified(rehearsal) == read(rehearsal) == now.state


@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), PolicyError("other")])
def test_what_is_recorded_is_done_whatever_the_tables_come_to(
    rehearsal: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    """A round file that went, a disk that is full: the entry is there, so nobody does it twice."""

    def fails(*_: object) -> bool:
        raise trouble

    said: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(process_turn, "rebuilt", fails)
        now = done(asked(rehearsal, say=said.append))
    assert read(rehearsal) == now.state
    (note,) = said
    assert note.startswith("recorded; the tables of luohu.duckdb are behind and are made again")


def test_a_disk_that_is_full_records_nothing(
    rehearsal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (rehearsal / LEDGER).read_bytes()
    real = os.pwrite

    def full(handle: int, content: Any, place: int) -> int:
        if len(content) > 10:
            return real(handle, content[:10], place)
        raise OSError(28, os.strerror(28))

    def first_ten(handle: int, content: Any, place: int) -> int:
        monkeypatch.setattr(os, "pwrite", fails)
        return real(handle, content[:10], place)

    def fails(handle: int, content: Any, place: int) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(ledger_file.os, "pwrite", first_ten)
    with pytest.raises(PublicationFailed, match="No space left on device; nothing was recorded"):
        done(asked(rehearsal))
    assert (rehearsal / LEDGER).read_bytes() == whole


APPENDS = """
import sys
from pathlib import Path
from flows.ledger.entries import NO_ENTRY, at_text, sealed
from flows.ledger.file import append, mend, only_writer, tail
from flows.common.moments import now
folder, who = Path(sys.argv[1]), sys.argv[2]
while True:
    with only_writer(folder):
        end = mend(folder, tail(folder), lambda said: None)
        last = end.last
        seq = last.seq + 1 if last else 1
        fields = {"seq": seq, "at": at_text(now()), "clock": "system", "round": 2021,
                  "operation": "deliver", "by": who, "and_by": None, "user": "me", "override": None,
                  "body": {"text": "x" * (seq * 7919 % 5000)}, "previous": last.sha256 if last else NO_ENTRY}
        entry = sealed(fields)
        append(folder, end, [entry])
    print(seq, entry.sha256, flush=True)
"""


@pytest.mark.slow
def test_killed_at_any_moment_every_acknowledged_entry_is_there(tmp_path: Path) -> None:
    """Two processes at once, both killed for real, again and again."""
    chance = random.Random(7)
    acknowledged: dict[int, str] = {}
    for _ in range(4):
        both = [
            subprocess.Popen(
                [sys.executable, "-c", APPENDS, str(tmp_path), who], stdout=subprocess.PIPE
            )
            for who in ("a", "b")
        ]
        assert both[0].stdout
        acknowledged |= pairs([both[0].stdout.readline()])  # they have started
        time.sleep(chance.uniform(0.0, 0.15))
        for each in both:
            each.send_signal(signal.SIGKILL)
        for each in both:
            out, _ = each.communicate()
            found = pairs(out.splitlines(keepends=True))
            assert not found.keys() & acknowledged.keys()
            acknowledged |= found
    with only_writer(tmp_path):
        mend(tmp_path, tail(tmp_path), lambda _: None)
    state = verified(tmp_path)
    there = {each.seq: each.sha256 for each in state.entries}
    assert len(acknowledged) > 20
    assert acknowledged.items() <= there.items()
    assert {each.by for each in state.entries} == {"a", "b"}


def pairs(lines: list[bytes]) -> dict[int, str]:
    whole = [line.split() for line in lines if line.endswith(b"\n")]
    return {int(seq): digest.decode() for seq, digest in whole}


def test_the_end_is_found_however_long_the_lines_are(tmp_path: Path) -> None:
    entries = chain(3, text="x" * 300_000)
    folder = ledger_of(tmp_path / "w", entries)
    found = tail(folder)
    assert (found.last, found.ends) == (entries[-1], (folder / LEDGER).stat().st_size)


# --- The clock ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("ledger_alone")
def test_a_time_given_again_is_a_microsecond_later_and_never_goes_back(rehearsal: Path) -> None:
    for _ in range(2):
        done(asked(rehearsal))
    found = [each.at for each in read(rehearsal).entries]
    assert found == [f"2021-05-01T00:00:00.00000{place}+08:00" for place in range(5)]
    done(asked(rehearsal, at="2021-05-03T10:00:00Z"))
    assert read(rehearsal).entries[-1].at == "2021-05-03T18:00:00.000000+08:00"
    for earlier in ("2021-05-03T17:59:59.999999", "2021-05-01"):
        with pytest.raises(BadUsage, match="time never goes back"):
            done(asked(rehearsal, at=earlier))
    with pytest.raises(BadUsage, match="--at: expected a time up to now"):
        done(asked(rehearsal, at="2150-01-01"))
    assert read(rehearsal).rehearsal


@pytest.mark.usefixtures("ledger_alone")
def test_the_system_clock(tmp_path: Path) -> None:
    at = moment("2021-05-01T12:00")
    done(asked(tmp_path, at=None, clock=lambda: at))
    done(asked(tmp_path, at=None, clock=lambda: at - timedelta(seconds=59)))
    state = read(tmp_path)
    assert [each.clock for each in state.entries] == ["system"] * 4
    assert state.entries[-1].moment == at + timedelta(microseconds=3)
    assert not state.rehearsal
    with pytest.raises(ClockRefused, match="set the clock"):
        done(asked(tmp_path, at=None, clock=lambda: at - timedelta(seconds=61)))
    with pytest.raises(BadUsage, match="in a warehouse that is no rehearsal"):
        done(asked(tmp_path, at="2021-05-02"))
    assert read(tmp_path) == state


# --- Who, and with what words ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        "王芳 ",
        "王 芳",
        "王\u200b芳",
        "王\u3000芳",
        "王\ufe0f芳",
        "王\u3164芳",
        "王\xa0芳\t",
        "王\u2065芳",
        "王\ufff0芳",
        "王\U000e0fff芳",
    ],
)
def test_two_names_of_one_person(other: str) -> None:
    assert signatures.are_same("王芳", other)


def test_names_are_one_by_width_and_case_and_two_by_letters() -> None:
    assert signatures.are_same("Li Ming", "ＬＩＭＩＮＧ")
    assert signatures.are_same("Strasse", "STRAßE")
    assert not signatures.are_same("王芳", "王方")
    assert not signatures.are_same(None, None)


@pytest.mark.parametrize("other", ["\u3164", "\u115f", "\ufff0", "\U000e0fff", "\u2028", "\u0301"])
def test_nothing_that_shows_nothing_hides_an_id_number(other: str) -> None:
    with pytest.raises(BadUsage, match="without an ID number"):
        signatures.free_text(f"证 {other.join(ID_NUMBER)}", "--claim")


def test_an_id_number_in_words_is_one() -> None:
    for digits in ("〇一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖"):
        text = ID_NUMBER.translate(dict(zip(map(ord, "0123456789"), digits, strict=True)))
        with pytest.raises(BadUsage, match="without an ID number"):
            signatures.free_text(f"证号{text}有误", "--claim")
    assert signatures.free_text("二〇二一年三月五日第一一〇号", "--claim")


@pytest.mark.usefixtures("ledger_alone")
def test_what_is_refused_records_nothing(rehearsal: Path) -> None:
    before = (rehearsal / LEDGER).read_bytes()
    late: dict[str, Any] = {"at": "2021-07-13", "override": "late"}
    for more, failure in (
        ({"by": None}, BadUsage), ({"by": " \u200b"}, BadUsage), ({"and_by": "王芳"}, BadUsage),
        ({"by": f"李 {ID_NUMBER}"}, BadUsage), ({"by": "李\x1b[2J"}, BadUsage),
        (late, BadUsage), (late | {"and_by": "李 明"}, ProcessRefused),
        (late | {"and_by": "王芳", "override": " "}, BadUsage),
        (late | {"and_by": "王芳", "override": "１１０１０５ 1949-12-31 002x"}, BadUsage),
        ({"at": "2021-07-13"}, ProcessRefused), ({"round": 1999}, LookupError),
    ):  # fmt: skip
        with pytest.raises(failure):
            done(asked(rehearsal, **more))
    assert (rehearsal / LEDGER).read_bytes() == before
    now = done(asked(rehearsal, **late, and_by="王芳"))
    (found,) = now.recorded
    assert (found.by, found.and_by, found.override) == ("李明", "王芳", "late")


@pytest.mark.usefixtures("ledger_alone")
def test_only_an_approver_that_is_listed_may_be_the_second(rehearsal: Path, tmp_path: Path) -> None:

    from flows.common.settings import DATA

    data = Path(shutil.copytree(DATA, tmp_path / "data"))
    listed = 'approvers = ["王 芳"]\n'
    path = data / "process.toml"
    path.write_text(listed + path.read_text("utf-8"), encoding="utf-8")
    assert rules(data).approvers == ["王 芳"]
    late: dict[str, Any] = {"at": "2021-07-13", "override": "late", "data": data}
    with pytest.raises(ProcessRefused, match="one of the approvers"):
        done(asked(rehearsal, **late, and_by="赵六"))
    done(asked(rehearsal, **late, and_by="王芳"))


@pytest.mark.usefixtures("ledger_alone")
def test_phases_that_change_are_an_entry_before_the_next(rehearsal: Path, tmp_path: Path) -> None:

    from flows.common.settings import DATA

    data = Path(shutil.copytree(DATA, tmp_path / "data"))
    done(asked(rehearsal, data=data))
    assert [each.operation for each in read(rehearsal).entries[3:]] == ["deliver"]
    path = data / "rounds" / "2021.toml"
    text = path.read_text("utf-8").replace("to = 2021-05-14T20:00:00", "to = 2021-05-14T22:00:00")
    path.write_text(text, encoding="utf-8")
    done(asked(rehearsal, data=data))
    last = read(rehearsal).entries[-2:]
    assert [each.operation for each in last] == ["phases", "deliver"]
    assert last[0].body["phases"]["filing"]["to"] == "2021-05-14T22:00:00"
    assert last[0].body["digest"] == last[1].body["phases"]


# --- Taking back ----------------------------------------------------------------------------------


def take_back(warehouse: Path, seq: int, at: str = "2021-05-02") -> Turn:
    return retract(asked(warehouse, "retract", at, and_by="王芳", round=0), seq, "entered twice")


@pytest.mark.usefixtures("ledger_alone")
def test_a_mistaken_entry_counts_as_not_made_from_then_on(rehearsal: Path) -> None:
    now = take_back(rehearsal, 3)
    state = read(rehearsal)
    assert state == now.state
    assert list(state.standing("deliver", 2021)) == []
    assert [each.seq for each in state.made("deliver", 2021)] == [3]
    before = state.known_at(moment("2021-05-01", last=True))
    assert [each.seq for each in before.standing("deliver", 2021)] == [3]
    assert state.known_at(now.recorded[0].moment).retracted.keys() == {3}
    for seq, why in ((3, "entry 3 was retracted by entry 4"), (4, "found retract, which stays"),
                     (1, "found warehouse"), (2, "found phases"), (0, "1 to 4, found another"), (9, "found another")):  # fmt: skip
        with pytest.raises(Failure, match=why):
            take_back(rehearsal, seq)
    assert read(rehearsal) == state


@pytest.mark.usefixtures("ledger_alone")
def test_what_a_decision_names_goes_after_the_decision(rehearsal: Path) -> None:
    matter = {"application_no": "1", "subject": "residence", "kind": "review"}
    done(asked(rehearsal, "appeal file", "2021-05-03"), {"id": "2021-A-0001", **matter})
    decision = {"appeal": "2021-A-0001", "result": "refused", "deliveries": ["2021-housing-0001"]}
    done(asked(rehearsal, "appeal decide", "2021-05-04", by="赵六", and_by="王芳"), decision)
    for seq in (3, 4):
        with pytest.raises(ProcessRefused, match=rf"entry {seq}: decision 5 names it"):
            take_back(rehearsal, seq, "2021-05-05")
    for seq in (5, 4, 3):
        take_back(rehearsal, seq, "2021-05-05")


@pytest.mark.usefixtures("ledger_alone")
def test_after_publication_deliveries_and_appeals_stay(rehearsal: Path) -> None:
    done(asked(rehearsal, "publish", "2021-07-12", and_by="王芳"), {"run_id": "0" * 16})
    done(asked(rehearsal, "objection file", "2021-07-13"), {"id": "2021-O-0001"})
    with pytest.raises(ProcessRefused, match="until the round is published, and round 2021 is"):
        take_back(rehearsal, 3, "2021-07-14")
    with pytest.raises(ProcessRefused, match="found publish, which stays"):
        take_back(rehearsal, 4, "2021-07-14")
    take_back(rehearsal, 5, "2021-07-14")


# --- The database ---------------------------------------------------------------------------------


def rows(warehouse: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(warehouse / "luohu.duckdb", read_only=True) as database:
        return database.execute(query).fetchall()


def test_the_tables_show_the_ledger_and_are_made_again_when_behind(rehearsal: Path) -> None:
    state = read(rehearsal)
    assert shown_by(rehearsal) == (state.warehouse, 3, state.head)
    assert not rebuilt(rehearsal, asked(rehearsal).data)
    ledger_of(rehearsal, [entry(4, state.head)])
    assert shown_by(rehearsal) == (state.warehouse, 3, state.head)
    assert here("ledger", "--warehouse", rehearsal).returncode == 0
    assert rows(rehearsal, "SELECT seq, round, operation, overridden FROM ledger ORDER BY seq") == [
        (1, None, "warehouse", False), (2, 2021, "phases", False), (3, 2021, "deliver", False), (4, 2021, "deliver", False),
    ]  # fmt: skip
    at = rows(rehearsal, 'SELECT "at"::VARCHAR FROM ledger WHERE seq = 4')
    assert at == [("2021-05-01 00:00:04",)]
    text = json.dumps(
        [
            rows(rehearsal, f"FROM {each}")
            for each in ("ledger", "deliveries", "appeals", "settlements")
        ],
        default=str,
    )
    assert "李明" not in text


def behind(warehouse: Path) -> int:
    """Let somebody be killed between an entry and the tables that show it; the entry's number."""
    state = read(warehouse)
    ledger_of(warehouse, [entry(state.seq + 1, state.head)])
    shown = shown_by(warehouse)
    assert shown
    assert shown.seq == state.seq
    return state.seq + 1


def test_tables_that_are_behind_are_made_by_whoever_comes_next_whatever_comes_of_it(
    rehearsal: Path,
) -> None:
    """Refused, or with nothing to do: no operation leaves the tables as it found them behind."""
    at = asked(rehearsal).at
    tick(Tick(rehearsal, asked(rehearsal).data, at))
    for nothing in (
        lambda: done(asked(rehearsal, at="2021-07-13")),
        lambda: take_back(rehearsal, 1),
        lambda: tick(Tick(rehearsal, asked(rehearsal).data, moment("2021-05-02"))),
    ):
        seq = behind(rehearsal)
        with suppress(ProcessRefused):
            assert nothing() == []
        shown = shown_by(rehearsal)
        assert shown
        assert shown.seq == read(rehearsal).seq == seq


def test_a_database_ahead_of_its_ledger_refuses_every_operation(
    rehearsal: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    done(asked(other))
    ours, theirs = ((each / LEDGER).read_bytes() for each in (rehearsal, other))
    lines = ours.splitlines(keepends=True)
    state = read(rehearsal)
    anew = [*state.entries[:2], entry(3, state.entries[1].sha256, text="another")]
    for content, why in (
        (b"".join(lines[:2]), "expected at least 3 entries, as luohu.duckdb shows, found 2"),
        (b"", "expected at least 3 entries"),
        (b"".join(lines[:2]) + lines[2][:50], "expected at least 3 entries"),
        (theirs, "expected the ledger of warehouse"),
        (b"".join(map(line_of, anew)), "expected entry 3 as luohu.duckdb shows it"),
    ):
        (rehearsal / LEDGER).write_bytes(content)
        with pytest.raises(LedgerDamaged, match=why):
            done(asked(rehearsal, at="2021-05-02"))
        assert (rehearsal / LEDGER).read_bytes() == content
        verify = here("ledger", "--verify", "--warehouse", rehearsal)
        assert (verify.returncode, why in verify.stderr) == (1, True)
    (rehearsal / LEDGER).unlink()
    with pytest.raises(LedgerDamaged, match="entries were lost; restore the ledger from a backup"):
        done(asked(rehearsal, at="2021-05-02"))


@pytest.mark.slow
def test_the_tables_of_runs_and_of_the_process_stay_through_each_other(
    small_published: tuple[Path, Outcome], tmp_path: Path
) -> None:

    from flows.common.settings import DATA
    from flows.run.make_current import make_current

    warehouse = Path(shutil.copytree(small_published[0], tmp_path / "w"))
    before = {
        each: rows(warehouse, f"FROM {each} ORDER BY ALL")
        for each in ("scores", "manifests", "public_list", "evidence")
    }
    done(asked(warehouse))
    assert before == {each: rows(warehouse, f"FROM {each} ORDER BY ALL") for each in before}
    states = f"SELECT {', '.join(PRELIMINARY)} FROM rounds"
    assert rows(warehouse, states) == [tuple(PRELIMINARY.values())]
    shown = rows(warehouse, "FROM ledger ORDER BY seq")
    make_current(2020, small_published[1].run_id, warehouse)
    assert rows(warehouse, "FROM ledger ORDER BY seq") == shown
    assert rows(warehouse, states) == [tuple(PRELIMINARY.values())]
    assert not rebuilt(warehouse, DATA)
    (warehouse / "luohu.duckdb").unlink()
    make_current(2020, small_published[1].run_id, warehouse)
    assert rows(warehouse, "FROM ledger") == []
    assert rebuilt(warehouse, DATA)
    assert rows(warehouse, "FROM ledger ORDER BY seq") == shown
    audit = here("audit", "2020", "--warehouse", warehouse)
    assert audit.returncode == 0
    spoiled = (warehouse / LEDGER).read_bytes().replace(b'"deliver"', b'"publish"')
    (warehouse / LEDGER).write_bytes(spoiled)
    audit = here("audit", "2020", "--warehouse", warehouse)
    assert (audit.returncode, "entry 3" in audit.stdout) == (1, True)


# --- The commands ---------------------------------------------------------------------------------


def test_the_commands_as_a_clerk_has_them(rehearsal: Path) -> None:
    where = ("--warehouse", rehearsal)
    head = read(rehearsal).head
    listed = here("ledger", "2021", *where)
    assert listed.returncode == 0
    assert listed.stdout.splitlines()[-2:] == [
        "3  2021-05-01T00:00:00.000002+08:00  2021  deliver  by 李明",
        f"head {head}",
    ]
    assert listed.stderr.startswith("luohu: rehearsal: ")
    machine = json.loads(here("ledger", "--json", "--head", head, *where).stdout)
    assert (machine["rehearsal"], machine["head"], machine["head_found_at"]) == (True, head, 3)
    assert machine["entries"][2]["operation"] == "deliver"
    assert here("ledger", "--head", "0" * 64, *where).returncode == 1
    signed = ("--by", "李明", "--and-by", "王芳", "--at", "2021-05-02", *where)
    for reason in (f"see {ID_NUMBER}", "110105491231002", " "):
        refused = here("retract", 3, "--reason", reason, *signed)
        assert (refused.returncode, "--reason: expected" in refused.stderr) == (2, True)
    assert (
        here(
            "retract", 3, "--reason", "twice", "--by", "a", *where, "--at", "2021-05-02"
        ).returncode
        == 2
    )
    assert (
        here("retract", 3, "--reason", "twice", *signed[:-4], *where, "--at", "soon").returncode
        == 2
    )
    taken = here("retract", 3, "--reason", "twice", *signed)
    assert (taken.returncode, taken.stdout.splitlines()) == (
        0, ["retracted 3", "recorded as entry 4", f"head {read(rehearsal).head}"],
    )  # fmt: skip
    assert "retracted by 4" in here("ledger", *where).stdout
    assert here("runs", *where).stderr.startswith("luohu: rehearsal: ")
    assert (
        here("ledger", "--verify", *where).stdout.splitlines()[-1]
        == "verified: 4 entries and the files they name"
    )


def test_a_warehouse_without_a_ledger(tmp_path: Path) -> None:
    assert here("ledger", "--warehouse", tmp_path).stdout == "no entries\n"
    nothing = here("run", 2021, "--direct", "--as-known-on", "", "--warehouse", tmp_path)
    assert "--as-known-on: expected a date or a time" in nothing.stderr
    assert list(tmp_path.iterdir()) == []
    for command in (["ledger"], ["retract", "3", "--reason", "误", "--by", "A", "--and-by", "B"]):
        assert here(*command, "--warehouse", tmp_path / "none").returncode == 2
        assert not (tmp_path / "none").exists()


@pytest.mark.bench
def test_a_ledger_of_a_hundred_thousand_entries(tmp_path: Path) -> None:
    entries = chain(100_000, application_no="2021000001", subject="residence", claim="说明" * 20)
    ledger_of(tmp_path, entries[:-1])
    start = time.perf_counter()
    append(tmp_path, tail(tmp_path), entries[-1:])
    assert time.perf_counter() - start < 0.05
    start = time.perf_counter()
    assert verified(tmp_path).seq == 100_000
    assert time.perf_counter() - start < 10
