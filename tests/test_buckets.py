"""A round in buckets of people gives, byte for byte, what it gives at once: every file of the run.

Buckets are small here, and so is what is read, checked and merged at a time, so that few people fill
several of each.
"""

import gzip
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from commands import here
from reference import hostile
from test_against_reference import RECEIVED, specification

from flows.audit import audit
from flows.audit.capsule.pack import pack
from flows.audit.capsule.verify import audit_capsule
from flows.audit.diff import diff
from flows.common.failures import CheckFailed, FeedRefused
from flows.common.files import sha256
from flows.common.private_folder import sweep
from flows.common.progress import watched
from flows.common.settings import DATA, Order
from flows.explain.receipts.bulk import write_receipts
from flows.run import read_parquet, screening
from flows.run.buckets import accept, exchange, how_many, merge
from flows.run.buckets.layout import OF_BUCKETS, WHOLE, buckets_of, counts
from flows.run.buckets.rank import line as line_of
from flows.run.buckets.rank import standings, totals
from flows.run.buckets.require_whole import require_whole
from flows.run.buckets.whose import Whose, bucket_of
from flows.run.file_columns import types_of
from flows.run.known import FINDINGS, REPLACED, findings_path, replaced_path
from flows.run.stages import (
    Outcome,
    ingest_stage,
    publish_stage,
    rank_stage,
    recheck_stage,
    run,
    score_stage,
)
from flows.run.work_folder import work_folder
from flows.simulate import simulate
from schemas.columns import PersonId
from schemas.feeds import FEEDS
from transforms.ranking import line, ranking

PEOPLE, BUCKETS = 48, 4
QUOTA = 10  # so that there is a line to fall below
PIECE, BATCH = 200, 300  # rows merged, and rows read and checked, at a time
# of either edition, one with a day of receipt
HOSTILE = [(2018, "csv"), pytest.param(2020, "mixed", marks=pytest.mark.soak), (2024, "parquet")]


class Both(NamedTuple):
    """One delivery at once and in buckets, and what the two runs left."""

    order: Order
    at_once: Outcome
    in_buckets: Outcome
    said: list[tuple[str, int, int]]  # progress of the second


@pytest.fixture(scope="module", autouse=True)
def few_at_a_time() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "PIECE_ROWS", PIECE)
        patch.setattr(merge, "LEAST_ROWS", 1)
        patch.setattr(screening, "BATCH_ROWS", BATCH)
        patch.setattr(read_parquet, "PIECE_ROWS", BATCH)
        patch.setattr(exchange, "PIECE_ROWS", BATCH)
        patch.setattr(accept, "PIECE_ROWS", BATCH)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real policy and rounds, with a small quota, one with a day of receipt."""
    folder = Path(shutil.copytree(DATA, tmp_path_factory.mktemp("few") / "data"))
    for path in (folder / "rounds").glob("*.toml"):
        text = path.read_text(encoding="utf-8")
        received = f"received_on = {RECEIVED[path.stem]}\n" if path.stem in RECEIVED else ""
        text = text.replace("\nquota = 6000\n", f"\nquota = {QUOTA}\n{received}")
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def difficult(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """A delivery with all that is decided over buckets, run both ways, both engines asked."""
    folder = tmp_path_factory.mktemp("difficult")
    return both(folder, Order(2020, delivered(folder / "feeds"), folder, data))


def both(folder: Path, order: Order) -> Both:
    """Run a delivery at once and in buckets, each in a warehouse of its own."""
    run_as = {
        name: Order(**{**vars(order), "warehouse": folder / name}) for name in ("once", "buckets")
    }
    at_once = run(run_as["once"])
    said: list[tuple[str, int, int]] = []
    with in_buckets(BUCKETS, order.feeds), watched(lambda *step: said.append(step)):
        return Both(order, at_once, run(run_as["buckets"]), said)


@contextmanager
def in_buckets(buckets: int, feeds: Path) -> Iterator[None]:
    """Let a delivery be worked on in so many buckets."""
    rows = sum(map(how_many.rows_of, how_many.folder_of(feeds, "applications").parts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(how_many, "APPLICATIONS_A_BUCKET", -(-rows // buckets))
        assert how_many.how_many(feeds) == buckets
        yield


def files(directory: str) -> dict[str, str]:
    """The digest of every file of a run but its manifest."""
    return {
        path.relative_to(directory).as_posix(): sha256(path)
        for path in sorted(Path(directory).rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def worked_alike(order: Order, folder: Path, *stages: Callable[[Order, Path], Path]) -> dict:
    """Some stages of a run leave the same files in two buckets; what they record of the delivery."""
    works = [folder / "once", folder / "buckets"]
    for work, buckets in zip(works, (1, 2), strict=True):
        work.mkdir()
        with in_buckets(buckets, order.feeds):
            for stage in stages:
                stage(order, work)
    assert [len(buckets_of(work)) for work in works] == [0, 2]
    records = [json.loads((work / "delivery.json").read_text(encoding="utf-8")) for work in works]
    assert records[0] == records[1]
    shutil.rmtree(works[1] / "buckets")
    for work in works:
        (work / "delivery.json").unlink()
    assert files(str(works[1])) == files(str(works[0]))
    return records[1]


def told(outcome: Outcome) -> dict:
    return json.loads((Path(outcome.directory) / "manifest.json").read_text(encoding="utf-8"))


def same(found: Both) -> None:
    """Every file the same, and the manifest but for how many buckets there were."""
    assert files(found.in_buckets.directory) == files(found.at_once.directory)
    assert {**told(found.at_once), "buckets": BUCKETS} == told(found.in_buckets)
    assert found.in_buckets.run_id == found.at_once.run_id
    assert found.in_buckets.line == found.at_once.line


def rows_of(feeds: Path, feed: str) -> pl.DataFrame:
    return pl.concat(map(pl.read_parquet, sorted((feeds / feed).glob("*.parquet"))))


def changed(feeds: Path, feed: str, how: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """A feed with other rows."""
    (path,) = (feeds / feed).iterdir()
    how(pl.read_parquet(path)).write_parquet(path)


def delivered(feeds: Path) -> Path:
    """People of all buckets under one number, one employer, one sanction; rows in any order and file."""
    simulate(2020, feeds, applicants=PEOPLE, seed=5, dirty=0.0, data=DATA)
    filed = rows_of(feeds, "applications")
    by_bucket = {
        number: [each for each in filed["person_id"] if bucket_of(each, BUCKETS) == number]
        for number in range(BUCKETS)
    }
    assert all(len(people) > 2 for people in by_bucket.values())
    clash = [by_bucket[0][0], by_bucket[1][0]]
    colleagues = [people[1] for people in by_bucket.values()]
    employer = filed.filter(person_id=colleagues[0])["employer_id"].item()
    young = filed.filter(pl.col("birth_date").dt.year() > 1975)["person_id"]  # full points for age
    insured = (
        rows_of(feeds, "social_insurance")["person_id"].value_counts().rows_by_key("person_id")
    )
    twin, other = (
        max((each for each in by_bucket[n][2:] if each in young), key=lambda each: insured[each])
        for n in (2, 3)
    )
    hired, claims = filed.filter(person_id=twin).select("employer_id", "claims_education").row(0)

    def applications(rows: pl.DataFrame) -> pl.DataFrame:
        number = rows.filter(person_id=clash[0])["application_no"].item()
        who = pl.col("person_id")
        return rows.with_columns(
            application_no=pl.when(who.is_in(clash))
            .then(pl.lit(number))
            .otherwise("application_no"),
            employer_id=pl.when(who.is_in(colleagues))
            .then(pl.lit(employer))
            .when(who == other)
            .then(pl.lit(hired))
            .otherwise("employer_id"),
            claims_education=pl.when(who == other)
            .then(pl.lit(claims))
            .otherwise("claims_education"),
        )

    changed(feeds, "applications", applications)
    changed(
        feeds,
        "sanctions",
        lambda rows: pl.concat(
            [rows, pl.DataFrame({"subject_id": [employer], "found_on": [date(2019, 5, 1)]})]
        ),
    )

    def bad_employer(rows: pl.DataFrame) -> pl.DataFrame:
        """Another employer of several buckets says two things, so both of its rows are refused."""
        many = filed.group_by("employer_id").len().sort("len", "employer_id", descending=True)
        busy = next(each for each in many["employer_id"] if each != employer)
        again = rows.filter(employer_id=busy).with_columns(~pl.col("high_tech"))
        return pl.concat([rows, again])

    changed(feeds, "employers", bad_employer)
    for feed in OF_BUCKETS:  # the records of another bucket's person: a tie over buckets
        changed(feeds, feed, lambda rows: as_another(rows, twin, other))
    scatter(feeds, "social_insurance")
    return feeds


def as_another(rows: pl.DataFrame, twin: str, other: str) -> pl.DataFrame:
    copy = rows.filter(person_id=twin).with_columns(person_id=pl.lit(other))
    return pl.concat([rows.filter(pl.col("person_id") != other), copy])


def scatter(feeds: Path, feed: str) -> None:
    """The rows of a feed in any order over three files, one of them CSV, with repeats that differ."""
    (path,) = (feeds / feed).iterdir()
    rows = pl.read_parquet(path)
    again = rows[5:8], rows[700:702].with_columns(work_district=pl.lit("110999"))
    rows = pl.concat([rows, *again]).sample(fraction=1, shuffle=True, seed=3)
    path.unlink()
    third = rows.height // 3
    rows[:third].write_parquet(feeds / feed / "a.parquet")
    rows[third : 2 * third].write_csv(feeds / feed / "b.csv")
    rows[2 * third :].write_parquet(feeds / feed / "c.parquet")


# --- the same bytes ---


@pytest.mark.slow
def test_all_that_is_decided_over_buckets(difficult: Both) -> None:
    same(difficult)
    work = Path(difficult.in_buckets.directory)
    assert not (work / "buckets").exists()
    rejects = pl.read_parquet(work / "rejects.parquet")
    clash = rejects.filter(
        pl.col("feed") == "applications", pl.col("check_name") == "conflicting_duplicate"
    )
    assert clash.height >= 2  # one number in two buckets
    insured = rejects.filter(
        pl.col("feed") == "social_insurance", pl.col("check_name") == "conflicting_duplicate"
    )
    assert insured["file"].n_unique() > 1  # found within a bucket, told by file and row
    people = pl.read_parquet(work / "restricted" / "people.parquet").with_columns(
        bucket=pl.col("person_id").map_elements(lambda each: bucket_of(each, BUCKETS), pl.Int64)
    )
    assert people["bucket"].n_unique() == BUCKETS
    scores = pl.read_parquet(work / "scores.parquet").join(people, on="application_no")
    assert scores.filter("needs_review")["bucket"].n_unique() > 1
    held = pl.read_parquet(work / "eligibility.parquet").join(people, on="application_no")
    assert held.filter(~pl.col("not_barred"))["bucket"].n_unique() > 1
    ranked = pl.read_parquet(work / "ranking.parquet").join(people, on="application_no")
    assert ranked.group_by("rank").agg(pl.col("bucket").n_unique())["bucket"].max() > 1
    feeds = pl.read_parquet(work / "feeds.parquet")
    assert feeds.filter(feed="social_insurance")["duplicates"].item() > 0


@pytest.mark.slow
@pytest.mark.parametrize(("year", "kind"), HOSTILE)
def test_hostile_deliveries(year: int, kind: hostile.Format, data: Path, tmp_path: Path) -> None:
    order = Order(year, tmp_path / "feeds", tmp_path, data)
    hostile.write_feeds(order.feeds, specification(order), 3, PEOPLE, dirty=True, fmt=kind)
    worked_alike(order, tmp_path, ingest_stage, score_stage, rank_stage)


def test_corrections_and_findings(data: Path, tmp_path: Path) -> None:
    """Rows a later file took the place of, by somebody of each bucket, and findings that are added."""
    feeds, known = tmp_path / "feeds", tmp_path / "known"
    simulate(2020, feeds, applicants=PEOPLE, seed=6, dirty=0.0, data=DATA)
    known.mkdir()
    filed = rows_of(feeds, "applications")
    corrected = filed["person_id"].sort().head(8)
    assert len({bucket_of(each, 2) for each in corrected}) == 2
    for feed in ("social_insurance", "applications"):
        rows = rows_of(feeds, feed).filter(pl.col("person_id").is_in(corrected.implode()))
        rows[::2].write_parquet(feeds / feed / "z-later.parquet")
        pl.DataFrame(
            {"subject": corrected, "before": [1] * len(corrected)}, schema=REPLACED
        ).write_parquet(replaced_path(known, feed))
    pl.DataFrame(
        {
            "subject_id": [filed["person_id"][20], filed["employer_id"][21]],
            "found_on": [date(2020, 1, 2)] * 2,
        },
        schema=FINDINGS,
    ).write_parquet(findings_path(known))
    record = worked_alike(Order(2020, feeds, tmp_path, data, known=known), tmp_path, ingest_stage)
    assert record["feeds"]["sanctions"]["findings"]["rows"] == 2
    assert record["feeds"]["social_insurance"]["replaced"]


@pytest.mark.slow
def test_an_empty_bucket(data: Path, tmp_path: Path) -> None:
    feeds = tmp_path / "feeds"
    simulate(2020, feeds, applicants=12, seed=1, dirty=0.0, data=DATA)
    mine = [bucket_of(each, 2) == 0 for each in rows_of(feeds, "applications")["person_id"]]
    changed(feeds, "applications", lambda rows: rows.filter(pl.Series(mine)).head(2))
    order = Order(2020, feeds, tmp_path, data)
    worked_alike(order, tmp_path, ingest_stage, score_stage, rank_stage, recheck_stage)


# --- refusals ---


def refused(order: Order, work: Path) -> str:
    work.mkdir()
    with pytest.raises(FeedRefused) as failure:
        ingest_stage(order, work)
    return str(failure.value)


@pytest.mark.slow
@pytest.mark.parametrize("check", ["six_digits", "conflicting_duplicate"])
def test_the_share_of_bad_rows_is_that_of_the_whole_feed(
    check: str, small: Path, data: Path, tmp_path: Path
) -> None:
    """One bucket may hold all the bad rows; more of them than the feed may have refuse it alike."""
    feeds = Path(shutil.copytree(small, tmp_path / "feeds"))
    (path,) = (feeds / "social_insurance").iterdir()
    rows = pl.read_parquet(path)
    mine = pl.Series([bucket_of(each, 2) == 0 for each in rows["person_id"]])
    bad = rows.filter(mine).head(rows.height // 25)
    assert bad.height > rows.filter(mine).height // 20
    other = pl.lit("1" if check == "six_digits" else "110112")
    if check == "six_digits":
        rows = pl.concat([bad.with_columns(work_district=other), rows[bad.height :]])
    else:
        rows = pl.concat([rows, bad.with_columns(work_district=other)])
    rows.write_parquet(path)
    shares = {"six_digits": ("0.05", "0.02"), "conflicting_duplicate": ("0.1", "0.05")}
    for enough, share in zip((True, False), shares[check], strict=True):
        order = Order(2020, feeds, tmp_path, data, share)
        with in_buckets(2, feeds):
            if enough:
                (tmp_path / "work").mkdir()
                ingest_stage(order, tmp_path / "work")
                continue
            message = refused(order, tmp_path / "in buckets")
        assert "at most" in message
        assert message == refused(order, tmp_path / "at once")


@pytest.mark.parametrize("also", ["bad cells", "a file twice"])
def test_every_feed_that_is_refused_is_named_at_once(
    also: str, small: Path, data: Path, tmp_path: Path
) -> None:
    """Contradictions, which the buckets find, are told beside what the exchange finds already."""
    feeds = Path(shutil.copytree(small, tmp_path / "feeds"))
    (path,) = (feeds / "social_insurance").iterdir()
    rows = pl.read_parquet(path)
    pl.concat([rows, rows.with_columns(work_district=pl.lit("110112"))]).write_parquet(path)
    (path,) = (feeds / "housing").iterdir()
    if also == "bad cells":
        pl.read_parquet(path).with_columns(person_id=pl.lit("x")).write_parquet(path)
    else:
        shutil.copy(path, path.with_name("part-0001.parquet"))
    order = Order(2020, feeds, tmp_path, data, "0.05")
    with in_buckets(2, feeds):
        message = refused(order, tmp_path / "in buckets")
    assert len(message.splitlines()) == (2 if also == "bad cells" else 1)
    assert message == refused(order, tmp_path / "at once")


# --- whatever reads a run ---


@pytest.mark.slow
def test_audit_receipts_capsule_diff_explain(difficult: Both, data: Path, tmp_path: Path) -> None:
    warehouses = [Path(each.database).parent for each in (difficult[1], difficult[2])]
    assert audit(2020, warehouses[1]).passed
    receipts = [
        write_receipts(warehouse, 2020, tmp_path / f"{number}.jsonl")
        for number, warehouse in enumerate(warehouses)
    ]
    assert receipts[0] == receipts[1]
    assert sha256(tmp_path / "0.jsonl") == sha256(tmp_path / "1.jsonl")
    packed = pack(2020, warehouses[1], tmp_path / "a.capsule").file.path
    assert audit_capsule(packed).passed
    number = pl.read_parquet(Path(difficult.in_buckets.directory) / "scores.parquet")[
        "application_no"
    ][0]
    said = [here("explain", 2020, number, "--warehouse", each) for each in warehouses]
    assert said[0].returncode == 0
    assert said[0].stdout == said[1].stdout
    order = difficult.order
    stricter = run(Order(2020, order.feeds, warehouses[1], data, "0.06", recheck=False, keep=True))
    found = diff(difficult.in_buckets.run_id, stricter.run_id, warehouses[1])
    assert not found.applications.filter(pl.col("total_then") != pl.col("total_now")).height


# --- how many, and whose ---


@pytest.mark.parametrize(
    ("applications", "buckets"),
    [(0, 1), (250_000, 1), (250_001, 2), (500_001, 4), (1_228_520, 8), (12_285_200, 64)],
)
def test_how_many(applications: int, buckets: int) -> None:
    assert how_many.buckets_for(applications) == buckets


def test_rows_are_counted_in_every_kind_of_file(small: Path, tmp_path: Path) -> None:
    rows = rows_of(small, "applications")
    folder = tmp_path / "applications"
    folder.mkdir()
    rows.write_parquet(folder / "a.parquet")
    rows.write_csv(folder / "b.csv")
    (folder / "c.csv.gz").write_bytes(gzip.compress((folder / "b.csv").read_bytes()))
    parts = how_many.folder_of(tmp_path, "applications").parts
    assert [how_many.rows_of(part) for part in parts] == [rows.height] * 3
    (folder / "a.parquet").write_bytes(b"PAR1")
    (folder / "c.csv.gz").write_bytes(b"nothing")
    assert [how_many.rows_of(part) for part in parts] == [0, rows.height, 0]
    assert how_many.how_many(tmp_path / "nowhere") == 1


def test_a_bucket_is_the_first_bits_of_the_digest(small: Path) -> None:
    people = rows_of(small, "social_insurance")["person_id"].sample(
        fraction=1, shuffle=True, seed=1
    )
    for bits in (1, 3, 7):
        first = [
            int(bin(int("1" + hashlib.sha256(each.encode()).hexdigest(), 16))[3 : 3 + bits], 2)
            for each in people
        ]
        whose = Whose(1 << bits)
        for part in (people[:100], people):  # some are known the second time
            codes = part.cast(PersonId)
            assert whose.of(codes).to_list() == first[: len(part)]
    assert Whose(1).of(people.cast(PersonId)).unique().to_list() == [0]


def test_somebody_s_bucket_stays_when_nobody_holds_their_rows_any_more() -> None:
    """polars gives the codes of ID numbers to others once there is no column with codes."""
    whose = Whose(8)
    for _ in range(3):
        for person_id in "张王李":
            column = pl.Series([person_id]).cast(types_of(FEEDS["tax"].schema())["person_id"])
            assert whose.of(column).item() == bucket_of(person_id, 8), person_id
            del column


def test_every_feed_goes_to_buckets_or_is_looked_at_whole() -> None:
    assert {*OF_BUCKETS} | WHOLE == {*FEEDS}
    assert not {*OF_BUCKETS} & WHOLE
    assert {"applications", "employers", "financings", "sanctions"} <= WHOLE


@pytest.mark.parametrize("quota", [0, 1, 7, 40, 1000])
def test_counts_rank_as_a_list_does(quota: int, tmp_path: Path) -> None:
    everybody = pl.DataFrame(
        {"application_no": [f"{n:03}" for n in range(60)], "total": [n * n % 17 for n in range(60)]}
    )
    places = []
    for number in range(4):
        place = tmp_path / str(number)
        place.mkdir()
        rows = everybody[number::3] if number < 3 else everybody.clear()
        counted = rows.group_by("total").agg(people=pl.len().cast(pl.Int64))
        counted.write_parquet(totals(place))
        places.append(place)
    standing, ranked = standings(places, quota), ranking(everybody, quota, 2020)
    assert line_of(standing) == line(ranked)
    by_total = ranked.select("total", "rank", "settled").unique().sort("rank")
    assert standing.select("total", "rank", "settled").equals(by_total)
    nobody = standings(places[3:], quota)
    assert line_of(nobody) == line(ranked.clear())


# --- what must not happen ---


@pytest.fixture(scope="module")
def worked_on(small: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a run in two buckets that is about to be published."""
    work = tmp_path_factory.mktemp("worked on")
    with in_buckets(2, small):
        for stage in (ingest_stage, score_stage, rank_stage):
            stage(Order(2020, small, work, data), work)
    return work


@pytest.fixture
def ready(worked_on: Path, small: Path, data: Path, tmp_path: Path) -> Iterator[tuple[Order, Path]]:
    """A work folder of such a run, to spoil."""
    order = Order(2020, small, tmp_path / "warehouse", data, recheck=False)
    with work_folder(order) as work:
        shutil.copytree(worked_on, work, dirs_exist_ok=True)
        yield order, work


def published_nothing(order: Order, work: Path, *words: str) -> None:
    with pytest.raises(CheckFailed) as failure:
        publish_stage(order, work)
    message = str(failure.value)
    assert all(each in message for each in words), message
    assert message.endswith("nothing was published")
    assert not (order.warehouse / "luohu.duckdb").exists()
    assert not (order.warehouse / "runs").exists()


def test_nothing_is_published_without_every_bucket(ready: tuple[Order, Path]) -> None:
    order, work = ready
    counts(buckets_of(work)[1]).unlink()
    published_nothing(order, work, "bucket 2 of 2", "incomplete")


@pytest.mark.parametrize("feed", ["social_insurance", "applications"])
def test_nothing_is_published_where_a_row_is_lost(ready: tuple[Order, Path], feed: str) -> None:
    order, work = ready
    path = work / "accepted" / f"{feed}.parquet"
    pl.read_parquet(path)[1:].write_parquet(path)
    published_nothing(order, work, f"{feed}: expected", "accepted rows")


def test_nothing_is_published_where_counts_do_not_add_up(ready: tuple[Order, Path]) -> None:
    order, work = ready
    record = json.loads((work / "delivery.json").read_text(encoding="utf-8"))
    record["feeds"]["tax"]["strangers"] += 1
    (work / "delivery.json").write_text(json.dumps(record), encoding="utf-8")
    rows = pl.read_parquet(totals(buckets_of(work)[0]))
    rows.with_columns(pl.col("people") + 1).write_parquet(totals(buckets_of(work)[0]))
    published_nothing(order, work, "tax: expected", "rows as read", "totals: expected")


def test_a_whole_round_is_published(ready: tuple[Order, Path]) -> None:
    _, work = ready
    require_whole(work, buckets_of(work), json.loads((work / "delivery.json").read_text()))


def test_progress_says_buckets_done_of_all(difficult: Both) -> None:
    for stage in ("buckets accepted", "buckets scored", "buckets rechecked"):
        said = [each[1:] for each in difficult.said if each[0] == stage]
        assert said == [(done, BUCKETS) for done in range(BUCKETS + 1)]


RUN = """
import sys
from pathlib import Path
from flows.common.settings import Order
from flows.run.buckets import how_many
from flows.run.stages import run
how_many.APPLICATIONS_A_BUCKET = 10
run(Order(2020, Path(sys.argv[1]), Path(sys.argv[2]), recheck=False))
"""


@pytest.mark.slow
@pytest.mark.parametrize("file", ["delivered/tax/*.arrow", "accepted/tax.parquet"])
def test_a_kill_leaves_nothing_half(file: str, small: Path, tmp_path: Path) -> None:
    """Killed in the exchange, or in a bucket: nothing is published, and the next command sweeps it."""
    warehouse, system = tmp_path / "warehouse", tmp_path / "system"
    system.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(small), str(warehouse)],
        env=os.environ | {"TMPDIR": str(system)},
    )
    pattern = f".work/*/files/buckets/*/{file}"
    end = time.monotonic() + 60
    while not any(warehouse.glob(pattern)):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert any((warehouse / ".work").iterdir())
    assert not (warehouse / "luohu.duckdb").exists()
    sweep(warehouse)
    assert not [*warehouse.iterdir()]
    assert not [*system.iterdir()]
