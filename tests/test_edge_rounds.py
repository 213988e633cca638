"""Rounds at the edge: nobody, nobody eligible, no place, everybody tied, births of 9999: all commands work."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from commands import edited, here

from flows.common.by_name import read_table
from flows.common.settings import DATA
from flows.explain.receipts import verify_receipt
from flows.simulate import simulate

pytestmark = pytest.mark.usefixtures("todays_code_here")
APPLICANTS = 12
ENDS = ("end_date", "held_to", "valid_to", "revoked_on")
How = Callable[[str, pl.DataFrame], pl.DataFrame]


def id_number(born: date, place: int) -> str:
    """A person of no name, by the rule of GB 11643."""
    digits = f"110101{born:%Y%m%d}{place:03}"
    weights = [2 ** (17 - at) % 11 for at in range(17)]
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return digits + "10X98765432"[total % 11]


def change(feeds: Path, how: How) -> None:
    for path in feeds.glob("*/*.parquet"):
        rows = pl.read_parquet(path)
        how(path.parent.name, rows).cast(dict(rows.schema)).write_parquet(path)


def without(*names: str) -> How:
    """Some feeds are a header."""
    return lambda feed, rows: rows.clear() if feed in names else rows


def applications_alone(feed: str, rows: pl.DataFrame) -> pl.DataFrame:
    return rows if feed == "applications" else rows.clear()


def people(feeds: Path) -> list[str]:
    (path,) = (feeds / "applications").iterdir()
    return pl.read_parquet(path)["person_id"].to_list()


def born_last(feeds: Path, day: date) -> How:
    """Everybody is born on one day; what ends does so on the last day there is."""
    others = {each: id_number(day, place) for place, each in enumerate(people(feeds), 1)}

    def how(feed: str, rows: pl.DataFrame) -> pl.DataFrame:
        named = [name for name in ("person_id", "subject_id") if name in rows.columns]
        ends = {name: pl.lit(date.max) for name in ENDS if name in rows.columns}
        rows = rows.with_columns(pl.col(named).replace(others), **ends)
        return rows.with_columns(birth_date=day) if feed == "applications" else rows

    return how


def all_alike(feeds: Path) -> How:
    """The first applicant a dozen times, under other numbers."""
    (path,) = (feeds / "applications").iterdir()
    first, born = pl.read_parquet(path).select("person_id", "birth_date").row(0)

    def how(feed: str, rows: pl.DataFrame) -> pl.DataFrame:
        if "person_id" not in rows.columns:
            return rows
        mine = rows.filter(pl.col("person_id") == first)
        copies = [
            mine.with_columns(person_id=pl.lit(id_number(born, n))) for n in range(APPLICANTS)
        ]
        if feed == "applications":
            copies = [
                each.with_columns(application_no=pl.lit(f"T{n}")) for n, each in enumerate(copies)
            ]
        return pl.concat(copies)

    return how


def nameless(feed: str, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(name=pl.lit("")) if feed == "applications" else rows


@dataclass(frozen=True)
class Edge:
    """What is done to the delivery, and what comes of it."""

    how: Callable[[Path], How]
    accepted: int
    eligible: int | None = None  # as many as there are
    quota: int | None = None
    max_rejects: str = "0.05"


def as_it_is(_feed: str, rows: pl.DataFrame) -> pl.DataFrame:
    return rows


EDGES = {
    "nobody": Edge(lambda _: without("applications"), 0, 0),
    "nobody_eligible": Edge(lambda _: applications_alone, APPLICANTS, 0),
    "born_in_9999": Edge(lambda feeds: born_last(feeds, date.max), APPLICANTS),
    "all_tied": Edge(all_alike, APPLICANTS, APPLICANTS, quota=1),
    "no_place": Edge(lambda _: as_it_is, APPLICANTS, quota=0),
}
MORE = {
    "nothing_at_all": Edge(lambda _: lambda _feed, rows: rows.clear(), 0, 0),
    "born_in_1900": Edge(lambda feeds: born_last(feeds, date(1900, 1, 1)), APPLICANTS, 0),
    "all_quarantined": Edge(lambda _: nameless, 0, 0, max_rejects="1"),
    "nobody_and_no_place": Edge(lambda _: without("applications"), 0, 0, quota=0),
    "as_it_is": Edge(lambda _: as_it_is, APPLICANTS),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dozen applicants with a clean record each, and the first run of them."""
    folder = tmp_path_factory.mktemp("small")
    simulate(2020, folder / "feeds", applicants=APPLICANTS, seed=3, dirty=0, data=DATA)
    done = here(
        "run", 2020, "--feeds", folder / "feeds", "--warehouse", folder, "--direct", "--no-recheck"
    )
    assert done.returncode == 0, done.stderr
    return folder


def the_run(warehouse: Path) -> Path:
    (run,) = warehouse.glob("runs/2020/[0-9a-f]*")
    return run


def every_command(run: Path, warehouse: Path, other: Path) -> Iterator[tuple[object, ...]]:
    """What has to work on any run; `explain` of somebody where there is somebody."""
    of = ("--warehouse", warehouse)
    for number in read_table(run / "scores.parquet")["application_no"].head(1):
        for kind in ((), ("--lang", "zh"), ("--json",), ("--what-if",)):
            yield "explain", 2020, number, *of, *kind
    yield "receipts", 2020, *of, "--out", warehouse / "receipts.jsonl.gz"
    yield "audit", 2020, *of
    yield "capsule", 2020, *of, "--out", warehouse / "full.capsule"
    yield "capsule", 2020, *of, "--out", warehouse / "public.capsule", "--public"
    yield "audit", warehouse / "full.capsule"
    yield "audit", warehouse / "public.capsule", "--json"
    yield "diff", run, other, "--out", warehouse / "moved.parquet"
    if not read_table(run / "scores.parquet").height:
        yield "diff", other, run, "--json", "--all"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [*EDGES, *(pytest.param(name, marks=pytest.mark.soak) for name in MORE)]
)
def test_every_command_works(
    name: str, small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edge = (EDGES | MORE)[name]
    feeds, data, warehouse = tmp_path / "feeds", tmp_path / "data", tmp_path / "warehouse"
    shutil.copytree(small / "feeds", feeds)
    change(feeds, edge.how(feeds))
    shutil.copytree(DATA, data)
    if edge.quota is not None:
        edited(data / "rounds" / "2020.toml", "\nquota = 6000\n", f"\nquota = {edge.quota}\n")
    done = here(
        "run", 2020, "--feeds", feeds, "--data", data, "--warehouse", warehouse, "--direct",
        "--max-rejects", edge.max_rejects,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    run = the_run(warehouse)
    found = read_table(run / "rounds.parquet").row(0, named=True)
    assert found["applications"] == edge.accepted
    assert edge.eligible in (None, found["eligible"])
    settles = found["eligible"] if edge.quota != 0 else 0
    assert (found["settled"], found["cutoff"] is None) == (settles, settles == 0)
    assert (run / "report.html").read_text("utf-8").rstrip().endswith("</html>")
    for arguments in every_command(run, warehouse, the_run(small)):
        done = here(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), (arguments, done.stdout)
        if "--json" in arguments:
            assert json.loads(done.stdout)
        if arguments[0] == "receipts":
            root = done.stdout.split("root: ")[1].split()[0]
    assert verified(warehouse / "receipts.jsonl.gz", "--root", root) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{edge.accepted} checked, 0 with differences; root {root}")
    assert ("the file holds no receipt" in told) is not bool(edge.accepted)
    if not edge.accepted:  # no root says how many there should be
        assert verified(warehouse / "receipts.jsonl.gz") == 2
        unknown = here("explain", 2020, "1", "--warehouse", warehouse)
        assert (unknown.returncode, len(unknown.stderr.splitlines())) == (2, 1)


def verified(*arguments: object) -> int:
    """The exit status of the verifier, which takes its arguments from the command line."""
    before, sys.argv = sys.argv, ["verify_receipt.py", *map(str, arguments)]
    try:
        return verify_receipt.main()
    finally:
        sys.argv = before
