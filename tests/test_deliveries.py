"""Deliveries: held against their notes, screened at once, kept as they came, and known exactly."""

import csv
import json
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from commands import here
from delivering import YEAR, asked, bring, bring_piece, rows_file, tables_later, withdrawn_file

from flows.common.by_name import read_table
from flows.common.failures import (
    BadUsage,
    Failure,
    FeedRefused,
    LedgerDamaged,
    ProcessRefused,
    PublicationFailed,
)
from flows.common.moments import moment
from flows.common.settings import DATA, HOME, Order
from flows.kept.named_run import read as named_run
from flows.kept.run_files import is_complete
from flows.ledger.entries import LEDGER
from flows.ledger.file import read
from flows.ledger.seen_in_database import shown_by
from flows.ledger.verify import verified
from flows.process.deliveries.carry import carry
from flows.process.deliveries.deliver import kept_as
from flows.process.deliveries.held import held
from flows.process.deliveries.note import read_note
from flows.process.deliveries.run import Made, run_on_feeds, run_on_known
from flows.process.deliveries.subjects import covers, standing
from flows.process.deliveries.write_note import noted, write_note
from flows.process.publication.open_matters import other_findings
from flows.process.retract import retract
from flows.process.tables import rebuilt
from flows.process.turn import turn
from flows.run import stages
from flows.simulate import simulate
from flows.simulate.pieces import simulate_pieces

pytestmark = pytest.mark.slow

APPLICANTS = 60
DIRTY = 0.003


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated deliveries of 2021 in pieces with their notes, as CSV; not to be changed."""
    out = tmp_path_factory.mktemp("pieces") / "pieces"
    simulate_pieces(YEAR, out, data=DATA, fmt="csv", applicants=APPLICANTS, seed=5, dirty=DIRTY)
    return out


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same people in one delivery."""
    out = tmp_path_factory.mktemp("plain") / "feeds"
    simulate(YEAR, out, data=DATA, fmt="csv", applicants=APPLICANTS, seed=5, dirty=DIRTY)
    return out


def order_of(pieces: Path) -> list[dict[str, str]]:
    return csv_rows(pieces / "deliveries.csv")


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def taken(pieces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rehearsal in which all of them were taken in; not to be changed, see `warehouse`."""
    folder = tmp_path_factory.mktemp("taken") / "w"
    with tables_later():
        for row in order_of(pieces):
            bring_piece(folder, pieces / row["folder"], row["feed"], row["delivered_at"])
    rebuilt(folder, DATA)
    return folder


@pytest.fixture(scope="module")
def ran(taken: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    """A copy of it with a run on all that is known."""
    folder = Path(shutil.copytree(taken, tmp_path_factory.mktemp("ran") / "w"))
    return folder, run_known(folder)


@pytest.fixture
def warehouse(taken: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(taken, tmp_path / "w"))


def state_files(warehouse: Path) -> tuple[bytes, list[str]]:
    """What may not change where nothing was recorded."""
    folder = warehouse / "deliveries"
    kept = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    ledger = warehouse / LEDGER
    return ledger.read_bytes() if ledger.exists() else b"", kept


def run_known(warehouse: Path, at: str = "2021-06-20", **more: Any) -> Made:
    order = Order(YEAR, Path(), warehouse, recheck=False)
    return run_on_known(asked(warehouse, at, "run", by=None), order, **more)


def tables(directory: str) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in Path(directory).glob("*.parquet")}


def people_of(warehouse: Path) -> list[str]:
    return sorted(standing(warehouse, held(read(warehouse), YEAR, "applications")))


# --- What is known is the plain delivery ----------------------------------------------------------


def test_pieces_parts_and_corrections_come_to_the_plain_delivery(
    ran: tuple[Path, Made], plain: Path, pieces: Path, tmp_path: Path
) -> None:
    scopes = {row["scope"] for row in order_of(pieces)}
    assert scopes == {"all", "part", "people"}
    assert len({row["department"] for row in order_of(pieces) if row["feed"] == "employers"}) == 3
    assert list(pieces.glob("*/withdrawn.csv"))
    warehouse, made = ran
    other = stages.run(Order(YEAR, plain, tmp_path / "other", recheck=False))
    for name in ("scores", "eligibility", "ranking", "evidence", "public_list"):
        ours, theirs = (
            read_table(Path(each.directory) / f"{name}.parquet") for each in (made.outcome, other)
        )
        assert ours.equals(theirs), name
    feeds = [
        read_table(Path(each.directory) / "feeds.parquet").drop("files")
        for each in (made.outcome, other)
    ]
    assert feeds[0].equals(feeds[1])
    rejects = [
        read_table(Path(each.directory) / "rejects.parquet") for each in (made.outcome, other)
    ]
    assert rejects[0].height
    same = [each.drop("file", "row_number").sort(pl.all()) for each in rejects]
    assert same[0].equals(same[1])
    # file and row number are those of the delivered file, numbered in ledger order
    of_insurance = rejects[0].filter(
        pl.col("feed") == "social_insurance", pl.col("check_name") == "parse"
    )
    files = [part.path for part in held(read(warehouse), YEAR, "social_insurance").parts(warehouse)]
    for row in of_insurance.iter_rows(named=True):
        path = files[int(row["file"].rpartition("-")[2])]
        cells = csv_rows(path)[row["row_number"] - 1]
        assert len(cells[row["column_name"]]) == len(row["masked_value"] or "")
    (entry,) = made.recorded
    assert entry.operation == "run"
    assert entry.body["id"] == made.outcome.run_id
    assert (entry.body["current"], entry.body["feeds_given"], entry.body["as_known_on"]) == (
        True, False, None,
    )  # fmt: skip
    assert len(entry.body["deliveries"]) == len(order_of(pieces))


def test_what_was_known_then_is_the_run_of_then(ran: tuple[Path, Made], tmp_path: Path) -> None:
    """A run as known on a day is, byte for byte, the run that was made then; and it is only kept."""
    warehouse, now = ran
    state = read(warehouse)
    before = max(
        each.at for each in state.standing("deliver", YEAR) if each.body["scope"] != "people"
    )
    early = tmp_path / "early"
    shutil.copytree(warehouse, early)
    lines = (early / LEDGER).read_bytes().splitlines(keepends=True)
    cut = [line for line in lines if json.loads(line)["at"] <= before]
    assert len(cut) < len(lines)
    (early / LEDGER).write_bytes(b"".join(cut))
    (early / "luohu.duckdb").unlink()
    then = run_known(early, at=before)
    as_then = run_known(warehouse, at="2021-06-21", as_known_on=moment(before))
    assert as_then.outcome.run_id == then.outcome.run_id != now.outcome.run_id
    assert tables(as_then.outcome.directory) == tables(then.outcome.directory)
    assert not as_then.outcome.current
    body = as_then.recorded[0].body
    assert (body["current"], body["as_known_on"] is not None) == (False, True)
    with duckdb.connect(str(warehouse / "luohu.duckdb"), read_only=True) as database:
        assert database.execute("SELECT run_id FROM rounds").fetchall() == [(now.outcome.run_id,)]
    with pytest.raises(FeedRefused, match="expected a delivery of every feed, found none of app"):
        run_known(warehouse, at="2021-06-21", as_known_on=moment("2020-12-31", last=True))
    with pytest.raises(BadUsage, match="--as-known-on: expected a time up to now"):
        run_known(warehouse, at="2021-06-21", as_known_on=moment("2031-01-01"))


# --- What is recorded, and what is kept -----------------------------------------------------------


def test_a_delivery_is_kept_as_it_came_and_nobody_is_named(warehouse: Path, pieces: Path) -> None:
    state = verified(warehouse)
    text = (warehouse / LEDGER).read_text("utf-8")
    folder = warehouse / "deliveries"
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o400
        assert kept_as(path) == f"deliveries/{path.name}"
    named = {name for each in state.entries for name in each.body.get("files", {})}
    assert named == {f"deliveries/{path.name}" for path in folder.iterdir()}
    for person in people_of(warehouse):
        assert person not in text
    names = read_csv(pieces / order_of(pieces)[0]["folder"] / "files")["name"]
    assert not [name for name in names if name and len(name) > 1 and name in text]
    with duckdb.connect(str(warehouse / "luohu.duckdb"), read_only=True) as database:
        rows = database.execute('FROM deliveries ORDER BY "at"').fetchall()
    assert [row[1] for row in rows] == [each.body["id"] for each in state.standing("deliver", YEAR)]
    first = state.made("deliver", YEAR)[0]
    assert rows[0][:9] == (
        YEAR, "2021-applications-0001", "applications", "all", "人力社保 filing system",
        first.body["rows"], first.body["accepted"], first.body["quarantined"], 0,
    )  # fmt: skip
    assert rows[0][-1] is False


def read_csv(folder: Path) -> pl.DataFrame:
    return pl.concat(pl.read_csv(each, infer_schema=False) for each in sorted(folder.glob("*.csv")))


def test_the_same_delivery_again_is_recognised_before_any_other_refusal(
    warehouse: Path, pieces: Path
) -> None:
    row = order_of(pieces)[0]
    before = state_files(warehouse)
    for at in (
        "2021-06-20",
        "2021-12-31",
        "2020-01-01",
    ):  # also after its phase, and before the last
        again = bring_piece(warehouse, pieces / row["folder"], row["feed"], at)
        assert (again.entry.body["id"], again.recorded) == ("2021-applications-0001", ())
    folder = pieces / row["folder"]
    done = here(
        *("deliver", YEAR, row["feed"], folder / "files", "--note", folder / "note.toml"),
        *("--warehouse", warehouse),
    )
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "delivery 2021-applications-0001")
    assert "nothing was recorded" in done.stdout
    assert state_files(warehouse) == before
    entry = list(read(warehouse).standing("deliver", YEAR, feed="applications"))[-1]
    with tables_later():
        retract(asked(warehouse, "2021-06-20", "retract", and_by="王芳"), entry.seq, "a mistake")
    bring_piece(warehouse, folder, row["feed"], "2021-06-20")
    shown = shown_by(warehouse)
    assert shown
    assert (
        shown.seq == read(warehouse).seq
    )  # tables somebody left behind are made again by this too
    row = [each for each in order_of(pieces) if each["feed"] == "applications"][-1]
    later = bring_piece(warehouse, pieces / row["folder"], row["feed"], "2021-06-20")
    assert (entry.body["id"], later.entry.body["id"]) == (
        "2021-applications-0003", "2021-applications-0004",
    )  # fmt: skip
    with duckdb.connect(str(warehouse / "luohu.duckdb"), read_only=True) as database:
        query = "SELECT delivery_id FROM deliveries WHERE retracted"
        assert database.execute(query).fetchall() == [("2021-applications-0003",)]


def test_key_conflicts_with_what_is_known_are_told_at_once(warehouse: Path, tmp_path: Path) -> None:
    person = people_of(warehouse)[0]
    row = {"person_id": person, "year": 2011, "attributed_fen": 7}
    first = rows_file(tmp_path / "a.csv", "company_tax", [row])
    bring(warehouse, "company_tax", [first], "part")
    also = [{**row, "year": year} for year in range(2012, 2040)]
    other = rows_file(tmp_path / "b.csv", "company_tax", [{**row, "attributed_fen": 8}, row, *also])
    found = bring(warehouse, "company_tax", [other], "part", share=Fraction(1)).found
    assert found is not None
    # the row that contradicts, and the one that repeats a known row it contradicts
    assert found.by_check() == [("person_id, year", "conflicting_duplicate", 2)]
    assert (found.accepted, found.quarantined) == (28, 2)
    third = rows_file(tmp_path / "c.csv", "company_tax", [{**row, "attributed_fen": 9}])
    with pytest.raises(FeedRefused, match=r"at most 5\.00 % bad rows, found 1 of 1"):
        bring(warehouse, "company_tax", [third], "part")
    # a correction replaces what it would contradict
    fixed = bring(warehouse, "company_tax", [third], "people", "2021-06-06").found
    assert fixed is not None
    assert fixed.quarantined == 0


# --- What is refused ------------------------------------------------------------------------------


def spoiled_note(note: Path, old: str, new: str) -> None:
    text = note.read_text("utf-8")
    assert text.count(old) == 1, (old, text)
    note.write_text(text.replace(old, new), "utf-8")


HOME_ROW = {"kind": "own", "district": "110112", "start_date": "2019-01-01"}

NOTES: list[tuple[str, Callable[[Path], object], str]] = [
    ("encoding", lambda n: n.write_bytes(n.read_text("utf-8").encode("gb18030")), "note: expected text in UTF-8, found another encoding"),
    ("utf-16", lambda n: n.write_bytes(n.read_text("utf-8").encode("utf-16")), "note: expected text in UTF-8"),
    ("float", lambda n: spoiled_note(n, "rows = 1", "rows = 1.0"), "note: rows: expected a whole number, found one with a point"),
    ("float sum", lambda n: spoiled_note(n, "amount_fen = 5", "amount_fen = 5.0"), "note: sums: expected a whole number, found one with a point"),
    ("digits", lambda n: spoiled_note(n, "rows = 1", f"rows = {'9' * 5000}"), "note: expected TOML, as luohu note writes it"),
    ("text", lambda n: n.write_text("rows: 1"), "note: expected TOML, as luohu note writes it"),
    ("key", lambda n: spoiled_note(n, "rows = 1", "row = 1"), "note: expected the key rows, found none"),
    ("more", lambda n: spoiled_note(n, "rows = 1", "rows = 1\nname = 'a'"), "note: expected the keys delivered_at.*found 1 other"),
    ("true", lambda n: spoiled_note(n, "rows = 1", "rows = true"), "note: rows: expected a whole number from 0, found another"),
    ("rows", lambda n: spoiled_note(n, "rows = 1", "rows = 3"), "tax: rows: expected 3 as the note says, found 1: 2 less"),
    ("sum", lambda n: spoiled_note(n, "amount_fen = 5", "amount_fen = -7"), "tax: the sum of amount_fen: expected -7 as the note says, found 5: 12 more"),
    ("sums", lambda n: spoiled_note(n, "amount_fen", "points"), "note: sums: expected a sum of each of amount_fen"),
    ("scope", lambda n: spoiled_note(n, '"part"', '"some"'), "note: scope: expected one of all, part, people"),
    ("feed", lambda n: spoiled_note(n, 'feed = "tax"', 'feed = "awards"'), "sums: expected a sum of each of points|feed: expected tax, found awards"),
    ("round", lambda n: spoiled_note(n, "round = 2021", "round = 2022"), "note: round: expected 2021, found 2022"),
    ("earlier", lambda n: spoiled_note(n, "2021-06-01T00:00", "2021-01-01T00:00"), "note: delivered_at: expected 2021-0.* or later, when 2021-tax-0003 was"),
    ("time", lambda n: spoiled_note(n, "delivered_at = 2021-06-01T00:00:00+08:00", "delivered_at = 'soon'"), "note: delivered_at: expected a date or a time"),
    ("digest", lambda n: spoiled_note(n, '"a.csv" = "', f'"a.csv" = "{"0" * 64}"\n"b.csv" = "'), "found: b.csv is in the note and did not come; a.csv has another SHA-256"),
    ("short", lambda n: n.write_text(n.read_text("utf-8").replace('"a.csv" = "', '"a.csv" = "0')), "note: files: expected file names, each with its SHA-256"),
    ("withdrawn", lambda n: n.write_text(n.read_text("utf-8") + f'[withdrawn]\n"w.csv" = "{"0" * 64}"\n'), "withdrawn: expected none in scope part"),
    ("ID", lambda n: spoiled_note(n, "局", "局 11010519491231002X"), "note: department: expected a text without an ID number"),
]  # fmt: skip


def test_notes_that_are_refused(warehouse: Path, tmp_path: Path) -> None:
    """One sentence that says which figure differs and by how much; nothing is recorded."""
    person = people_of(warehouse)[0]
    row = {"person_id": person, "treasury_date": "2020-01-02", "income_kind": "wage"}
    path = rows_file(tmp_path / "a.csv", "tax", [{**row, "amount_fen": 5}])
    note = tmp_path / "note.toml"
    before = state_files(warehouse)
    for name, spoil, message in NOTES:
        made = noted(
            *(YEAR, "tax", [path]),
            scope="part", department="局", delivered_at=moment("2021-06-01"),
        )  # fmt: skip
        note.unlink(missing_ok=True)
        write_note(made, note)
        assert read_note(note)[0] == made
        spoil(note)
        with pytest.raises(Failure, match=message) as refused:
            bring(warehouse, "tax", [path], note=note)
        assert person not in str(refused.value), name
        assert state_files(warehouse) == before, name
    note.unlink()
    write_note(made, note)
    done = here(
        *("deliver", YEAR, "tax", path, "--note", tmp_path / "none.toml", "--by", "李明"),
        *("--warehouse", warehouse, "--at", "2021-06-05"),
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 2)  # the other: a rehearsal
    bring(warehouse, "tax", [path], note=note)


def test_a_note_takes_the_place_of_a_note_only(tmp_path: Path) -> None:
    """Somebody who names the file itself would lose it."""
    row = {"person_id": "11010519491231002X", **HOME_ROW}
    path = rows_file(tmp_path / "a.csv", "housing", [row])
    content = path.read_bytes()
    note = tmp_path / "note.toml"
    ask = ("note", YEAR, "housing", path, "--scope", "part", "--department", "局")
    for day in ("2021-06-01", "2021-06-02"):
        done = here(*ask, "--delivered-at", day, "--out", note)
        assert done.returncode == 0, done.stderr
        assert read_note(note)[0].delivered_at == moment(day)
    (tmp_path / "b.csv").write_text("mine")
    done = here(*ask, "--delivered-at", "2021-06-02", "--out", tmp_path / "b.csv")
    assert done.returncode == 2
    assert "expected a new file or a note" in done.stderr
    assert (tmp_path / "b.csv").read_text() == "mine"
    here(*ask, "--delivered-at", "2021-06-02", "--out", path)
    assert path.read_bytes() == content


def test_deliveries_that_are_refused(warehouse: Path, pieces: Path, tmp_path: Path) -> None:
    people = people_of(warehouse)
    stranger = "11010519491231002X"
    good = {"person_id": people[0], **HOME_ROW}
    bad = {"person_id": people[1], **HOME_ROW, "kind": "castle"}
    own = rows_file(tmp_path / "own.csv", "housing", [good])
    header = rows_file(tmp_path / "empty.csv", "housing", [])
    of_stranger = rows_file(tmp_path / "s.csv", "housing", [{**good, "person_id": stranger}])
    with_bad = rows_file(tmp_path / "bad.csv", "housing", [good, bad])
    there = next((pieces / "014-housing-part" / "files").glob("*.csv"))
    doubled = Path(shutil.copy(there, tmp_path / "doubled.csv"))
    both = withdrawn_file(tmp_path / "both.csv", [people[0]])
    none = withdrawn_file(tmp_path / "none.csv", [stranger])
    broken = withdrawn_file(tmp_path / "broken.csv", [people[0][:17] + "?"])
    twice = withdrawn_file(tmp_path / "twice.csv", [people[1], people[1]])
    award = {"programme": "p", "scope": "national", "awarded_on": "2019-01-01", "points": 1}
    award = rows_file(tmp_path / "w.csv", "awards", [{"person_id": people[0], **award}])
    before = state_files(warehouse)
    refused: list[tuple[str, list[Path], dict[str, Any], str]] = [
        ("housing", [of_stranger], {"scope": "people"}, "stand in applications, found 1 of 1 that do not"),
        ("housing", [header], {"scope": "people", "withdrawn": none}, "found 1 of 1 that do not"),
        ("housing", [with_bad], {"scope": "people"}, "at most 0.00 % bad rows, found 1 of 2"),
        ("housing", [with_bad], {"scope": "part"}, "at most 5.00 % bad rows, found 1 of 2"),
        ("housing", [doubled], {"scope": "part"}, "stands in 2021-housing-0001 byte for byte"),
        ("housing", [own], {"scope": "people", "withdrawn": both}, "not in the rows, found 1 that are"),
        ("housing", [own], {"scope": "people", "withdrawn": broken}, "in every row, found another in 1"),
        ("housing", [own], {"scope": "people", "withdrawn": twice}, "every subject once, found 1 again"),
        ("housing", [own], {"scope": "people", "withdrawn": header}, "one column subject"),
        ("housing", [own, Path(shutil.copy(own, tmp_path / "copy.csv"))], {"scope": "part"}, "part-1 .*expected a file of its own, found housing/part-0 again"),
        ("housing", [tmp_path / "gone.csv"], {"scope": "part"}, "found gone.csv .none there."),
        ("housing", [], {"scope": "part", "withdrawn": None, "note": own}, "note: expected TOML"),
        ("awards", [own], {"scope": "part"}, "exactly the columns person_id, programme"),
        ("castles", [own], {"scope": "part"}, "found another feed"),
        ("housing", [own], {"scope": "part", "at": "2021-12-01"}, "deliver: belongs to filing 申报"),
        ("housing", [own], {"scope": "part", "by": " "}, "--by: expected"),
    ]  # fmt: skip
    for feed, paths, more, message in refused:
        with pytest.raises(Failure, match=message) as told:
            bring(warehouse, feed, paths, **more)
        assert not [each for each in [*people, stranger] if each in str(told.value)], message
        assert state_files(warehouse) == before, message
    fresh = tmp_path / "fresh"
    with pytest.raises(FeedRefused, match="expected a delivery of scope all or part before a corr"):
        bring(fresh, "awards", [award], "people", note=None)
    assert not (fresh / LEDGER).exists()
    assert not list(warehouse.glob(".work/*"))


def test_all_after_what_an_upheld_appeal_names(warehouse: Path, tmp_path: Path) -> None:
    person = people_of(warehouse)[0]
    own = rows_file(tmp_path / "own.csv", "housing", [{"person_id": person, **HOME_ROW}])
    correction = bring(warehouse, "housing", [own], "people").entry
    assert covers(warehouse, correction, person)
    assert not covers(warehouse, correction, people_of(warehouse)[1])
    decision = {
        "appeal": "2021-A-0001", "decision": "upheld", "deliveries": [correction.body["id"]],
    }  # fmt: skip
    with turn(asked(warehouse, "2021-06-06", "appeal decide", and_by="王芳")) as now:
        now.judge()
        now.record(decision)
    whole = rows_file(tmp_path / "all.csv", "housing", [{"person_id": person, **HOME_ROW}] * 2)
    before = state_files(warehouse)
    with pytest.raises(
        ProcessRefused, match=f"no delivery of scope all after {decision['deliveries'][0]}"
    ):
        bring(warehouse, "housing", [whole], at="2021-06-07")
    assert state_files(warehouse) == before
    done = bring(
        warehouse, "housing", [whole], at="2021-06-07", override="the office asked", and_by="王芳"
    )
    assert done.entry.override == "the office asked"


def test_messages_and_results_as_a_department_and_a_clerk_have_them(tmp_path: Path) -> None:
    warehouse = tmp_path / "w"
    folder = tmp_path / "brought"
    path = rows_file(folder / "tax 1.csv", "tax", [])
    note = folder / "n.toml"
    written = here(
        *("note", YEAR, "tax", path, "--scope", "all", "--department", "税务"),
        *("--delivered-at", "2021-05-20", "--out", note),
    )
    assert (written.returncode, written.stdout.splitlines()[1:]) == (
        0, ["rows: 0", "sum of amount_fen: 0"],
    )  # fmt: skip
    given = ("--by", "李明", "--at", "2021-06-05", "--warehouse", warehouse)
    done = here("deliver", YEAR, "tax", path, "--note", note, *given)
    assert done.returncode == 0
    assert done.stdout.splitlines()[:3] == [
        "delivery 2021-tax-0001", "rows accepted: 0", "rows quarantined: 0",
    ]  # fmt: skip
    machine = json.loads(
        here("deliver", YEAR, "tax", path, "--note", note, *given, "--json").stdout
    )
    assert (machine["delivery"], machine["recognised"], machine["rehearsal"], machine["entries"]) == (
        "2021-tax-0001", True, True, [],
    )  # fmt: skip
    late = here("run", YEAR, "--warehouse", warehouse, "--direct", "--at", "2021-06-06")
    assert (late.returncode, "found none of applications, residence_permits" in late.stderr) == (
        2, True,
    )  # fmt: skip
    assert read(warehouse).last == read(warehouse).made("deliver", YEAR)[-1]
    both = here("run", YEAR, "--warehouse", warehouse, "--feeds", folder, "--allow-missing")
    assert (both.returncode, "not with --feeds" in both.stderr) == (2, True)


# --- Runs -----------------------------------------------------------------------------------------


def test_missing_feeds_findings_and_a_published_round(warehouse: Path, plain: Path) -> None:
    state = read(warehouse)
    of_awards = [each.seq for each in state.standing("deliver", YEAR, feed="awards")]
    with tables_later():
        for seq in reversed(of_awards):
            retract(asked(warehouse, "2021-06-10", "retract", and_by="王芳"), seq, "wrong year")
    with pytest.raises(FeedRefused, match="found none of awards; --allow-missing takes them"):
        run_known(warehouse)
    made = run_known(warehouse, allow_missing=True)
    body = made.recorded[0].body
    assert (body["allow_missing"], body["missing"], made.missing) == (True, ["awards"], ["awards"])
    run = Path(made.outcome.directory)
    assert read_table(run / "accepted" / "awards.parquet").is_empty()
    # what was kept is looked at before it is believed
    (kept,) = warehouse.glob(state.made("deliver", YEAR)[0].body["parts"][0]["file"])
    content = kept.read_bytes()
    kept.chmod(0o600)
    kept.write_bytes(content + b"\n")
    with pytest.raises(LedgerDamaged, match=r"expected the file deliveries/.* as it was delivered"):
        run_known(warehouse, allow_missing=True)
    kept.write_bytes(content)

    # a finding in the ledger: added once, for who is concerned, in the years that it bars
    rows = read_table(run / "eligibility.parquet").filter("eligible")
    number = rows["application_no"][0]

    def found(on: str, number: str = number) -> None:
        with turn(asked(warehouse, "2021-06-22", "sanction", and_by="王芳")) as now:
            now.judge()
            now.record(
                {
                    "id": "2021-S-0001", "subject_kind": "applicant", "application_no": number,
                    "run_id": made.outcome.run_id, "found_on": on, "reason": "false papers",
                }
            )  # fmt: skip

    with tables_later():
        found("2010-03-01")  # long ago: it bars no more
        found("2021-06-21")
        found("2021-06-21")
    order = Order(YEAR, plain, warehouse, recheck=False, keep=True)
    before = run_on_feeds(order, at=moment("2021-06-21"))  # when nobody knew
    barred = run_on_feeds(order)
    plainly = stages.run(order)  # without a look at the ledger
    assert barred.run_id != before.run_id == plainly.run_id
    with turn(asked(warehouse, "2021-06-22", "publish", and_by="王芳")) as now:
        lacks = [
            [*other_findings(now, named_run(Path(each.directory)), None)]
            for each in (before, barred)
        ]
    assert lacks == [["it lacks 1 findings that stand"], []]  # the same one twice is one
    of_number = pl.col("application_no") == number
    holds = read_table(Path(barred.directory) / "eligibility.parquet").filter(of_number)
    assert holds.select("not_barred", "eligible").row(0) == (False, False)
    counts = [
        read_table(Path(each.directory) / "feeds.parquet").filter(pl.col("feed") == "sanctions")
        for each in (before, barred)
    ]
    assert (counts[1]["accepted"] - counts[0]["accepted"]).to_list() == [1]
    with_it = run_known(warehouse, "2021-06-23", allow_missing=True)
    assert len(with_it.recorded[0].body["findings"]) == 3

    # a round whose result was published keeps it
    with turn(asked(warehouse, "2021-07-25", "publish", and_by="王芳", override="a test")) as now:
        now.judge()
        now.record({"run_id": with_it.outcome.run_id})
    done = here("run", YEAR, "--feeds", plain, "--direct", "--no-recheck", "--warehouse", warehouse)
    assert done.returncode == 0
    assert "round 2021 is published: its result stands" in done.stdout
    with duckdb.connect(str(warehouse / "luohu.duckdb"), read_only=True) as database:
        query = "SELECT run_id FROM rounds"
        assert database.execute(query).fetchall() == [(with_it.outcome.run_id,)]


def test_carry_takes_what_did_not_change(warehouse: Path, plain: Path, tmp_path: Path) -> None:
    last = stages.run(
        Order(2020, renamed(plain, tmp_path), warehouse, recheck=False, anyway="the year before")
    )
    state = read(warehouse)
    there = set(standing(warehouse, held(state, YEAR, "education")))
    done = carry(
        *(state, warehouse, YEAR, "education", tmp_path / "draft"),
        department="教育", delivered_at=moment("2021-06-02"),
    )  # fmt: skip
    rows = read_csv(tmp_path / "draft")
    assert done.round == last.round == 2020
    assert done.note.rows == rows.height
    assert not there & set(rows["person_id"])
    people = people_of(warehouse)
    nobody = [each for each in people if each not in there][:0]
    gone = people[:2]
    bring(
        warehouse, "education", [], "people", "2021-06-03", delivered_at="2021-06-02",
        withdrawn=withdrawn_file(tmp_path / "gone.csv", gone),
    )  # fmt: skip
    again = carry(
        *(read(warehouse), warehouse, YEAR, "education", tmp_path / "again"),
        department="教育", delivered_at=moment("2021-06-02"),
    )  # fmt: skip
    carried = read_csv(tmp_path / "again")
    assert set(carried["person_id"]) == (
        set(gone) & set(read_csv(plain / "education")["person_id"])
    ) | set(nobody) | set(rows["person_id"])
    assert (tmp_path / "again").stat().st_mode & 0o777 == 0o700
    path = next((tmp_path / "again").glob("*.csv"))
    taken = bring(
        warehouse,
        "education",
        [path],
        "people",
        "2021-06-04",
        note=tmp_path / "again" / "note.toml",
    )
    assert (taken.found and taken.found.quarantined, again.people) == (
        0,
        carried["person_id"].n_unique(),
    )
    with pytest.raises(BadUsage, match="expected one of housing, education"):
        carry(
            state,
            warehouse,
            YEAR,
            "tax",
            tmp_path / "x",
            department="a",
            delivered_at=moment("2021-06-02"),
        )


def renamed(plain: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(plain, tmp_path / "last"))


# --- Killed, and without room ---------------------------------------------------------------------


@pytest.mark.parametrize("kills", [1, pytest.param(12, marks=pytest.mark.soak)])
def test_killed_while_running(warehouse: Path, kills: int) -> None:
    """A run that is killed is there whole or not at all, and comes again as the same run."""
    chance = random.Random(kills)
    command = [
        *(sys.executable, "-m", "flows.cli", "run", str(YEAR), "--direct", "--no-recheck"),
        *("--warehouse", str(warehouse), "--at", "2021-06-20"),
    ]
    for _ in range(kills):
        process = subprocess.Popen(
            command, cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        time.sleep(chance.uniform(1, 6))
        process.send_signal(signal.SIGKILL)
        assert process.stdout
        recorded = [
            line for line in process.stdout.read().splitlines() if line.startswith("recorded")
        ]
        process.wait()
        process.stdout.close()
        made = verified(warehouse).made("run", YEAR)
        assert len(made) >= len(recorded)
        for entry in made:
            assert is_complete(warehouse / "runs" / str(YEAR) / entry.body["id"])
    last = run_known(warehouse)
    assert last.outcome.current
    assert len({each.body["id"] for each in read(warehouse).made("run", YEAR)}) == 1
    assert not list(warehouse.glob(".work/*"))


def test_a_disk_without_room_takes_nothing(warehouse: Path, tmp_path: Path) -> None:
    person = people_of(warehouse)[0]
    row = {"person_id": person, "treasury_date": "2020-01-02", "income_kind": "wage"}
    rows = [{**row, "amount_fen": each} for each in range(20_000)]
    path = rows_file(tmp_path / "large.csv", "tax", rows)
    note = tmp_path / "note.toml"
    at = moment("2021-06-01")
    write_note(noted(YEAR, "tax", [path], scope="part", department="局", delivered_at=at), note)
    before = state_files(warehouse)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size // 2, limits[1]))
    try:
        with pytest.raises(PublicationFailed):
            bring(warehouse, "tax", [path], "part", note=note)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert state_files(warehouse) == before
    assert not list(warehouse.glob(".work/*"))
    assert bring(warehouse, "tax", [path], "part", note=note).recorded
