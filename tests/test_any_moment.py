"""Years of a round whose every operation is killed for real, at random moments, until it is done.

Six years of fifty kills each, by seed; `make soak -rP` shows how many hit before and after the entry.
"""

from pathlib import Path

import pytest
from deciding import YEAR, ARound, simulated
from delivering import bring, rows_file, tables_later, withdrawn_file
from killed_year import KilledYear
from once import once

from flows.common.moments import moment
from flows.process.deliveries.write_note import noted, write_note
from flows.process.tables import rebuilt
from schemas.feeds import FEEDS

YEARS, KILLS = 6, 50  # kills a year at least
SIGNED = "--by 王芳 --and-by 张伟"


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> ARound:
    """A small round whose feeds were all delivered; nothing else was done."""
    return once(tmp_path_factory, "all-delivered", all_delivered)


def all_delivered(folder: Path) -> ARound:
    found = simulated(folder / "round")
    with tables_later():
        for feed in FEEDS:
            part = [found.part(feed)]
            bring(found.warehouse, feed, part, at="2021-05-10", delivered_at="2021-05-09")
    rebuilt(found.warehouse, found.data)
    return found


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(YEARS))
def test_killed_at_any_moment_nothing_acknowledged_is_lost(
    seed: int, delivered: ARound, tmp_path: Path
) -> None:
    year = KilledYear(delivered.copy(tmp_path), seed)
    try:
        until_results(year)
        until_publication(year)
        until_the_last_registration(year)
    finally:
        year.standby.kill()
        for (kind, what), number in sorted(year.counts.items()):
            print(f"{kind:20} {what:28} {number:4}")
    assert year.kills >= KILLS


def honour(year: KilledYear, number: str, at: str, scope: str = "people", gone: str = "") -> str:
    """A delivery with an honour of somebody; its id."""
    people = year.of.people()
    folder = year.warehouse.parent / f"brought-{year.state.seq}"
    row = {"title": "model_worker_national", "awarded_on": "2015-05-01"}
    paths = [rows_file(folder / "rows.csv", "honours", [{"person_id": people[number], **row}])]
    withdrawn = withdrawn_file(folder / "gone.csv", [people[gone]]) if gone else None
    given = {"department": "局", "withdrawn": withdrawn, "delivered_at": moment(at)}
    write_note(noted(YEAR, "honours", paths, scope=scope, **given), folder / "note.toml")
    more = f"--withdrawn {withdrawn}" if gone else ""
    command = f"deliver {YEAR} honours {paths[0]} --note {folder}/note.toml {more} --by 赵六"
    year.do(f"deliver, {scope}", command, at)
    return str(year.last("deliver").body["id"])


def claim(year: KilledYear, number: str, subject: str, at: str) -> str:
    """An appeal; its id."""
    command = f"appeal file {YEAR} {number} {subject} --claim 有误 --by 李明"
    year.do("appeal file", command, at)
    return str(year.last("appeal file").body["id"])


def tick(year: KilledYear, step: str, phase: str, at: str) -> None:
    """What is due up to a step."""
    year.do(
        f"tick, {step}", "tick", at,
        is_done=lambda state: any(state.standing("tick", YEAR, step=step, phase=phase)),
    )  # fmt: skip


def table(path: Path, *lines: str) -> Path:
    """A file of many."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def until_results(year: KilledYear) -> None:
    """Departments bring pieces and corrections, one by mistake; a review is decided, another withdrawn."""
    at, numbers = "2021-05-20", sorted(year.of.people())
    honour(year, numbers[50], at, scope="part")
    honour(year, numbers[51], at, gone=numbers[50])
    year.do("retract", f"retract {year.last('deliver').seq} --reason 误 {SIGNED}", at)
    review = claim(year, numbers[40], "honour", at)
    delivery = honour(year, numbers[40], at)
    decided = f"{review} upheld --reason 属实 --delivery {delivery} {SIGNED}"
    year.do("appeal decide", f"appeal decide {decided}", at)
    other = claim(year, numbers[41], "law", at)
    year.do("appeal withdraw", f"appeal withdraw {other} --by 李明", at)
    tick(year, "run", "query", "2021-06-04T08:05")


def until_publication(year: KilledYear) -> None:
    """Appeals come in a list and are refused; runs, the alarm, two people publish."""
    numbers = sorted(year.of.people())
    lines = [f"{each},age,有误" for each in numbers[42:46]]
    many = table(year.warehouse.parent / "appeals.csv", "application_no,subject,claim", *lines)
    year.do("appeal file, many", f"appeal file {YEAR} --from {many} --by 李明", "2021-06-05")
    at = "2021-06-15"
    for each in list(year.state.standing("appeal file", YEAR))[-4:]:
        decided = f"{each.body['id']} refused --reason 无新材料 {SIGNED}"
        year.do("appeal decide", f"appeal decide {decided}", at)
    year.do("run", f"run {YEAR} --direct", at)
    year.do("run as known", f"run {YEAR} --direct --as-known-on 2021-06-10", at)
    tick(year, "alarm", "publication", "2021-07-12T08:05")
    year.do("publish", f"publish {YEAR} {SIGNED}", "2021-07-12T09:00")


def until_the_last_registration(year: KilledYear) -> None:
    """Objections, places used and given up, one by mistake; findings, and what is open lapses."""
    at, numbers = "2021-07-14", sorted(year.of.people())
    serials = [each["serial"] for each in year.of.rows("FROM public_list ORDER BY serial")]
    for serial, result in zip(serials, ("refused", "upheld"), strict=False):
        filed = f"{YEAR} {serial} --ref 信访88 --by 李明"
        year.do("objection file", f"objection file {filed}", at)
        name = year.last("objection file").body["id"]
        decided = f"{name} {result} --reason 已核 {SIGNED}"
        year.do("objection decide", f"objection decide {decided}", at)
    at = "2021-08-02"
    for serial, status in zip(serials[2:], ("registered", "withdrawn"), strict=False):
        year.do("settle", f"settle {YEAR} {serial} {status} --on 2021-08-01 --by 李明", at)
    lines = [f"{each},registered,2021-08-01,1" for each in serials[4:9]]
    many = table(year.warehouse.parent / "settled.csv", "serial,status,on,children", *lines)
    year.do("settle, many", f"settle {YEAR} --from {many} --by 李明", at)
    year.do("retract", f"retract {year.last('settle').seq} --reason 误 {SIGNED}", at)
    found = f"--found-on 2021-08-01 --reason 伪造学历 {SIGNED}"
    for subject in (numbers[40], year.of.employers()[numbers[0]]):
        year.do("sanction", f"sanction {YEAR} {subject} {found}", at)
    tick(year, "lapse", "registration", "2024-01-02T08:05")
    for number in numbers[60:]:  # a finding is made at any time
        if year.kills >= KILLS:
            break
        year.do("sanction", f"sanction {YEAR} {number} {found}", "2024-01-03")
