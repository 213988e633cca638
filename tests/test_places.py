"""What becomes of places after publication; and commands of the process given what cannot be."""

import csv
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import here
from deciding import YEAR, ARound, from_feeds
from delivering import tables_later

from flows.common.failures import Failure, LedgerDamaged
from flows.ledger.entries import LEDGER
from flows.ledger.file import read
from flows.ledger.official_result import may_become_current
from flows.process.places.lapse import lapse
from flows.process.places.objections import decide_objection, file_objection
from flows.process.places.sanctions import sanction
from flows.process.places.settle import settle, settling
from flows.process.publication.official import official
from flows.process.retract import retract
from flows.process.tables.compared import faults_of_tables
from flows.process.turn import Turn, turn

TWO = {"by": "王芳", "and_by": "张伟"}


@pytest.fixture(autouse=True)
def tables_when_looked_at() -> Iterator[None]:
    """A dozen operations a test, whose tables are made once: when `ARound.rows` looks at them."""
    with tables_later():
        yield


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> ARound:
    """A round run with --feeds, without deliveries; not to be changed."""
    return from_feeds(tmp_path_factory.mktemp("ran"))


@pytest.fixture(scope="module")
def official_round(ran: ARound, tmp_path_factory: pytest.TempPathFactory) -> ARound:
    """The same, published; not to be changed."""
    found = ran.copy(tmp_path_factory.mktemp("official"))
    found.publish("2021-07-12")
    return found


@pytest.fixture
def published_round(official_round: ARound, tmp_path: Path) -> ARound:
    """The published round, to be changed."""
    return official_round.copy(tmp_path)


def refused(found: ARound, operation: Any, *arguments: Any) -> str:
    """The message of what is refused; nothing is recorded."""
    before = (found.warehouse / LEDGER).read_bytes()
    with pytest.raises(Failure) as failure:
        operation(*arguments)
    assert (found.warehouse / LEDGER).read_bytes() == before
    return str(failure.value)


def object_to(found: ARound, serial: int, at: str = "2021-07-13") -> str:
    done = file_objection(found.asked("objection file", at), serial, "信访 2021-88")
    return str(done.recorded[0].body["id"])


def lapsed(found: ARound, at: str) -> Turn:
    """What `tick` does at the end of registration."""
    with turn(found.asked("tick", at, by=None)) as now:
        now.judge()
        body = lapse(now)
        if body:
            now.record(body)
    return now


def statuses(found: ARound) -> dict[int, str]:
    return {row["serial"]: row["status"] for row in found.rows("FROM settlements")}


COUNTS = "SELECT state, cancelled, withdrawn, lapsed, registered, children FROM rounds"
LIST = "FROM ranking ORDER BY rank, application_no"


@pytest.mark.slow
def test_what_becomes_of_places(published_round: ARound) -> None:
    found = published_round
    ranking, listed = found.rows(LIST), found.rows("FROM public_list ORDER BY serial")
    serials = [row["serial"] for row in ranking if row["settled"]]
    numbers = {row["serial"]: row["application_no"] for row in ranking}
    assert set(statuses(found).values()) == {"entitled"}
    assert sorted(statuses(found)) == serials
    one, two, three, four, five, *_ = serials
    # an objection that is upheld cancels, one that is refused does not, and each is decided once
    first, second = object_to(found, one), object_to(found, two)
    assert f"found {first}" in refused(found, object_to, found, one)
    decide = lambda name, result, **by: decide_objection(  # noqa: E731
        found.asked("objection decide", "2021-07-14", **{**TWO, **by}), name, result, "已核"
    )
    assert "whoever filed an objection" in refused(
        found, lambda: decide(first, "upheld", by="李明")
    )
    decide(first, "upheld")
    decide(second, "refused")
    assert "found one that is upheld" in refused(found, decide, first, "refused")
    assert "expected upheld or refused" in refused(found, decide, second, "partly_upheld")
    assert "expected one of the 2 objections" in refused(
        found, decide, "2021-objection-0003", "upheld"
    )
    # used, given up, and what only an entitled place can be
    at = "2021-08-02"

    def use(serial: int, status: str, on: str = "2021-08-01", children: str = "") -> Turn:
        given = settling(f"{serial}", status, on, children)
        return settle(found.asked("settle", at), [given])

    use(two, "registered", children="2")
    use(three, "withdrawn")
    use(four, "registered", children="1")
    assert "found it cancelled since 2021-07-14" in refused(found, use, one, "registered")
    assert "found it registered since 2021-08-01" in refused(found, use, two, "withdrawn")
    assert "found it withdrawn" in refused(found, use, three, "registered")
    assert "expected a day up to 2021-08-02" in refused(
        found, use, five, "registered", "2021-08-03"
    )
    assert "from the publication on, 2021-07-12" in refused(
        found, use, five, "registered", "2021-07-11"
    )
    # a finding cancels a registered place too; one on an employer cancels none
    find = lambda subject, on, when="2021-09-01": sanction(  # noqa: E731
        found.asked("sanction", when, **TWO), subject, on, "伪造材料"
    )
    assert "expected a day up to 2021-09-01" in refused(
        found, find, numbers[four], date(2021, 9, 2)
    )
    find(numbers[four], date(2021, 8, 31))
    seq = read(found.warehouse).seq
    assert f"found it in entry {seq}" in refused(found, find, numbers[four], date(2021, 8, 31))
    code = found.employers()[numbers[five]]
    find(code, date(2021, 8, 31))
    assert statuses(found) | {one: "", two: "", three: "", four: ""} == dict.fromkeys(serials, "entitled") | {
        one: "", two: "", three: "", four: ""
    }  # fmt: skip
    (counts,) = found.rows(COUNTS)
    assert counts == {
        "state": "published", "cancelled": 2, "withdrawn": 1, "lapsed": 0, "registered": 1, "children": 2,
    }  # fmt: skip
    # a mistaken finding is taken back: the place is what it was before
    retract(found.asked("retract", "2021-09-02", **TWO), seq, "误")
    assert found.rows(COUNTS)[0]["children"] == 3
    # a later run changes neither list nor what two people decided
    later = here("run", YEAR, "--feeds", found.feeds, "--direct", "--no-recheck", *found.options())
    assert (later.returncode, "this run is kept beside it" in later.stdout) == (0, True)
    assert (found.rows(LIST), found.rows("FROM public_list ORDER BY serial")) == (ranking, listed)
    assert found.rows(COUNTS)[0]["registered"] == 2
    # what was not used lapses when registration ends, once, and not before
    assert lapsed(found, "2023-12-31T23:00").recorded == ()
    assert len(lapsed(found, "2024-01-01T08:05").recorded) == 1
    assert lapsed(found, "2024-01-02T08:05").recorded == ()
    (counts,) = found.rows(COUNTS)
    assert counts["lapsed"] == len(serials) - 4
    row, *_ = found.rows(f"FROM settlements WHERE serial = {five}")
    assert (row["status"], row["since"]) == ("lapsed", date(2024, 1, 1))
    asked = found.asked("settle", "2024-01-02", override="迟报", and_by="周七")
    late = [settling(f"{five}", "registered", "2023-12-30")]
    assert "found it lapsed since 2024-01-01" in refused(found, settle, asked, late)
    find(numbers[five], date(2023, 5, 5), "2024-01-03")  # cancelling overrides every other status
    assert statuses(found)[five] == "cancelled"
    assert (found.rows(LIST), found.rows("FROM public_list ORDER BY serial")) == (ranking, listed)
    texts = ("伪造材料", "信访", "已核", "李明", "王芳")
    with duckdb.connect(str(found.warehouse / "luohu.duckdb"), read_only=True) as database:
        for table in ("rounds", "appeals", "displacement", "settlements", "ledger", "deliveries"):
            shown = f"{database.execute(f'FROM {table}').fetchall()}"
            assert not [text for text in texts if text in shown], table
    exported(found, numbers[five], code)
    audited(found)


def audited(found: ARound) -> None:
    """An audit works out again what became of the round, and tells a table that was edited."""
    assert list(faults_of_tables(found.warehouse, YEAR)) == []
    with duckdb.connect(str(found.warehouse / "luohu.duckdb")) as database:
        database.execute("UPDATE rounds SET children = 9")
        database.execute("DELETE FROM settlements WHERE status = 'cancelled'")
    told = [f"{name}: expected what the ledger says of round {YEAR}, found other"
            for name in ("rounds", "settlements")]  # fmt: skip
    assert [each.message for each in faults_of_tables(found.warehouse, YEAR)] == told
    done = here("audit", YEAR, "--warehouse", found.warehouse)
    assert (done.returncode, [line for line in told if line in done.stdout]) == (1, told)


def exported(found: ARound, number: str, code: str) -> None:
    """The findings that stand, by ID number and credit code, for their owner only."""
    out = found.warehouse.parent / "findings.csv"
    done = here("sanction", "export", "--out", out, *found.options())
    assert done.returncode == 0, done.stderr
    assert out.stat().st_mode & 0o777 == 0o600
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    person = found.people()[number]
    assert sorted(
        (row["subject"], row["found_on"], row["first_year"], row["last_year"]) for row in rows
    ) == sorted([(person, "2023-05-05", "2023", "2028"), (code, "2021-08-31", "2021", "2026")])
    assert person not in (found.warehouse / LEDGER).read_text(encoding="utf-8")
    assert person not in done.stdout + done.stderr


@pytest.mark.slow
def test_a_finding_bars_the_years_after_by_itself(ran: ARound, tmp_path: Path) -> None:
    """A round it does not touch keeps its run id; one it does loses the applicant."""
    found = ran.copy(tmp_path)
    (row,) = found.rows("SELECT run_id FROM rounds")
    one = found.ranking()[0]["application_no"]
    asked = found.asked("sanction", "2022-05-05", **TWO)
    sanction(asked, one, date(2022, 5, 5), "伪造")  # the bar begins after the round of 2021
    again = here("run", YEAR, "--feeds", found.feeds, "--direct", *found.options())
    assert again.returncode == 0, again.stderr
    assert found.rows("SELECT run_id FROM rounds") == [row]
    sanction(found.asked("sanction", "2022-05-06", **TWO), one, date(2021, 5, 5), "伪造")
    told = refused(found, lambda: found.publish("2022-05-07", override="迟", **TWO))
    assert told.endswith("not published: it lacks 1 findings that stand")
    here("run", YEAR, "--feeds", found.feeds, "--direct", "--no-recheck", *found.options())
    assert one not in {each["application_no"] for each in found.ranking()}
    assert found.rows("SELECT run_id FROM rounds") != [row]
    retract(found.asked("retract", "2022-05-07", **TWO), read(found.warehouse).seq, "误")
    told = refused(found, lambda: found.publish("2022-05-07", override="迟", **TWO))
    assert "not published: it holds 1 findings that were retracted; " in told


def test_what_was_lost_after_publication_is_told_and_nothing_takes_its_place(
    published_round: ARound,
) -> None:
    """Without its ledger a round looks unpublished: the database knows better, and no run replaces it."""
    found = published_round
    (run,) = (found.warehouse / "runs" / f"{YEAR}").iterdir()
    shown = found.rows("FROM rounds")
    ledger = (found.warehouse / LEDGER).read_bytes()
    (found.warehouse / LEDGER).unlink()
    options = ["--warehouse", found.warehouse]
    for command in (
        ["run", YEAR, "--feeds", found.feeds, "--direct", "--data", found.data],
        ["current", YEAR, run.name],
    ):
        done = here(*command, *options)
        assert done.returncode == 2
        assert "entries were lost; restore the ledger from a backup" in done.stderr
    assert not may_be_replaced(found.warehouse)
    assert found.rows("FROM rounds") == shown
    (found.warehouse / LEDGER).write_bytes(ledger)
    run.rename(run.with_name("gone"))
    asked = found.asked("settle", "2021-07-21")
    message = refused(found, settle, asked, [settling("202100001", "registered", "2021-07-20")])
    assert message.endswith("which is published, found none: restore it from a backup")


def may_be_replaced(warehouse: Path) -> bool:
    try:
        return may_become_current(warehouse, YEAR)
    except LedgerDamaged:
        return False


def test_settlements_of_a_list(published_round: ARound, tmp_path: Path) -> None:
    found = published_round
    one, two, *_ = sorted(statuses(found))
    path = tmp_path / "settled.csv"

    def enter(*rows: str, header: str = "serial,status,on,children") -> Any:
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return here(
            "settle", YEAR, "--from", path, "--by", "李明", *found.options("2021-08-02T10:00")
        )

    good = f"{one},registered,2021-08-01,1"
    before = (found.warehouse / LEDGER).read_bytes()
    for rows, told in {
        (good, f"{two},lapsed,2021-08-01,"): "row 2: expected registered or withdrawn",
        (good, f"{two},withdrawn,2021-08-01,1"): "row 2: --children: goes with registered",
        (good, f"{two},registered,2021-08-01,-1"): "row 2: --children: expected a whole number",
        (good, f"{two},registered,2021-08-01,{'9' * 5000}"): "row 2: --children: expected 0 to 99",
        (good, f"{two},registered,2021-W31-7,1"): "row 2: --on: expected a day as 2021-07-20",
        (good, f"{two},registered,1 August,1"): "row 2: --on: expected a day as 2021-07-20",
        (good, f"{two},registered,2021-08-03,1"): "row 2: --on: expected a day up to 2021-08-02",
        (good, good): "row 2: expected a place once, found that of row 1",
        (
            good,
            "202199999,registered,2021-08-01,",
        ): "row 2: expected a serial of the published list",
        (good, "11010519491231002X,registered,2021-08-01,"): "row 2: expected a serial of 9 digits",
        (good, "张三,registered,2021-08-01,"): "row 2: expected a serial of 9 digits",
    }.items():
        done = enter(*rows)
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr
        assert "110105" not in done.stderr
        assert "张三" not in done.stderr
    assert (found.warehouse / LEDGER).read_bytes() == before
    done = enter(good, f"{two},withdrawn,2021-08-02,")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:2] == [f"{one} registered", f"{two} withdrawn"]
    assert (statuses(found)[one], statuses(found)[two]) == ("registered", "withdrawn")


# what is asked, at what time -> what the one line says
BAD: dict[str, tuple[list[object], str | None, str]] = {
    "a name for a number": (["appeal", "file", YEAR, "张三", "law", "--claim", "误"], "2021-05-20",
                            "expected an application number"),
    "an ID for a number": (["appeal", "file", YEAR, "11010519491231002X", "law", "--claim", "误"],
                           "2021-05-20", "and no ID number, found 18 characters"),
    "nobody's number": (["appeal", "file", YEAR, "2021-none", "law", "--claim", "误"], "2021-05-20",
                        "expected an application of round 2021"),
    "an ID in a claim": (["appeal", "file", YEAR, "{one}", "law", "--claim", "110105 19491231 002X"],
                         "2021-05-20", "--claim: expected a text without an ID number"),
    "no claim": (["appeal", "file", YEAR, "{one}", "law"], "2021-05-20", "and --claim, or --from"),
    "an unknown subject": (["appeal", "file", YEAR, "{one}", "points", "--claim", "误"], "2021-05-20",
                           "expected one of employment, residence"),
    "a kind of no name": (["appeal", "file", YEAR, "{one}", "law", "--claim", "误", "--kind", "plea"],
                          "2021-05-20", "--kind: expected one of review, appeal"),
    "in no phase of it": (["appeal", "file", YEAR, "{one}", "law", "--claim", "误"], "2021-06-20",
                          "appeal file: belongs to filing 申报"),
    "override without a kind": (
        ["appeal", "file", YEAR, "{one}", "law", "--claim", "误", "--override", "晚", "--and-by", "B"],
        "2021-06-20", "--kind: expected one of review, appeal with --override"),
    "two names of one width": (["publish", YEAR, "--and-by", "Ｌｉ　Ming"], "2021-07-12",
                               "--and-by: expected another person than --by"),
    "a round without phases": (["publish", 2026, "--and-by", "B"], None,
                               "and rounds/2026.toml has none of these: add"),
    "a round without a file": (["publish", 1999, "--and-by", "B"], "2021-07-12", "1999"),
    "a time of no form": (["publish", YEAR, "--and-by", "B"], "last Monday", "--at: expected a date"),
    "a time to come": (["publish", YEAR, "--and-by", "B"], "2999-01-01", "--at: expected a time up to"),
    "a time before the last": (["publish", YEAR, "--and-by", "B"], "2021-05-01", "time never goes back"),
    "no such run": (["publish", YEAR, "--and-by", "B", "--run", "ffffffff"], "2021-07-12",
                    "has no run ffffffff"),
    "no list yet": (["objection", "file", YEAR, "202100001", "--ref", "信"], "2021-07-13",
                    "objection file: expected a published round"),
    "nothing to settle": (["settle", YEAR, "202100001", "registered", "--on", "2021-07-21"],
                          "2021-07-21", "settle: expected a published round"),
    "a finding on nobody": (
        ["sanction", YEAR, "91110000000000000A", "--found-on", "2021-05-05", "--reason", "伪", "--and-by", "B"],
        "2021-07-13", "or a credit code with its check character"),
    "a finding on an ID": (
        ["sanction", YEAR, "11010519491231002X", "--found-on", "2021-05-05", "--reason", "伪", "--and-by", "B"],
        "2021-07-13", "and no ID number"),
    "a finding too old": (
        ["sanction", YEAR, "{one}", "--found-on", "1890-05-05", "--reason", "伪", "--and-by", "B"],
        "2021-07-13", "--found-on: expected a day as 2021-07-20, from 1900-01-01 on"),
    "an appeal nobody filed": (["appeal", "withdraw", "2021-appeal-0001"], "2021-05-20",
                               "expected one of the 0 appeals of round 2021"),
    "an ID for an entry": (["retract", "110105194912310021", "--reason", "误", "--and-by", "B"], "2021-07-12",
                           "found another number"),
    "an ID in an id": (["appeal", "withdraw", "2021-appeal-110105194912310021"], "2021-05-20",
                       "expected the id of an appeal"),
    "a run without a name": (["publish", YEAR, "--and-by", "B", "--run", ""], "2021-07-12",
                             "expected at least 6 characters"),
    "an appeal by name": (["appeal", "decide", "张三", "refused", "--reason", "无", "--and-by", "B"],
                          "2021-05-20", "expected the id of an appeal, say 2021-appeal-0001"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused_in_one_line(ran: ARound, case: str, rehearsed: ARound) -> None:
    arguments, at, told = BAD[case]
    one = rehearsed.ranking()[0]["application_no"]
    before = (rehearsed.warehouse / LEDGER).read_bytes()
    given = [one if each == "{one}" else each for each in arguments]
    done = here(*given, "--by", "Li Ming", *rehearsed.options(at or "2021-07-12"))
    *notes, message = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert told in message
    assert [note[:16] for note in notes] in ([], ["luohu: rehearsal"])
    assert not [each for each in ("张三", "11010519491231002X", "19491231") if each in done.stderr]
    assert (rehearsed.warehouse / LEDGER).read_bytes() == before


@pytest.fixture(scope="module")
def rehearsed(ran: ARound, tmp_path_factory: pytest.TempPathFactory) -> ARound:
    """The round with a finding on an employer nobody works for: its time is the last entry's."""
    found = ran.copy(tmp_path_factory.mktemp("rehearsed"))
    asked = found.asked("sanction", "2021-05-15", **TWO)
    sanction(asked, "91110000MA0000003L"[:17] + check("91110000MA0000003"), date(2021, 5, 1), "伪")
    return found


def check(first: str) -> str:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    weighted = sum(alphabet.index(each) * 3**place for place, each in enumerate(first))
    return alphabet[(31 - weighted % 31) % 31]


def test_a_warehouse_that_is_no_rehearsal_takes_no_time(ran: ARound, tmp_path: Path) -> None:
    found = ran.copy(tmp_path)
    asked = found.asked("sanction", "2021-07-12", **TWO)
    one = found.ranking()[0]["application_no"]
    done = here(
        *("sanction", YEAR, one, "--found-on", "2024-05-05", "--reason", "伪"),
        *("--by", "甲", "--and-by", "乙", *found.options()),
    )
    assert done.returncode == 0, done.stderr
    assert "in a warehouse that is no rehearsal" in refused(
        found, sanction, asked, one, date(2021, 5, 5), "伪"
    )
    assert official(read(found.warehouse), YEAR) is None
    machine = here("appeal", "list", YEAR, "--json", *found.options())
    assert json.loads(machine.stdout)["rehearsal"] is False
