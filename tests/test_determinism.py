"""One delivery, one result: whatever the order of its rows, its files, the threads, the hash seed or
the version of DuckDB.  Every run here is the real command in a process of its own, which rounds of both
editions share where all else is the same.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from commands import luohu, other_code

from flows.common.settings import DATA
from flows.kept.manifest import OF_THE_RUN
from flows.simulate import simulate
from schemas.feeds import FEEDS
from schemas.results import TABLES

pytestmark = pytest.mark.slow

YEARS = (2019, 2020)  # a round of each edition
SOME = (pytest.param(2019, marks=pytest.mark.soak), 2020)
APPLICANTS = 1_000  # more insurance than a row group of a file holds
QUOTA = 60  # so that there is a line to fall below
BATCH_ROWS = 3_000  # some tens of batches of insurance
FEW_ROWS = 300  # less than a small feed has, for `make soak`: hundreds of batches
REPEATS = 20
# what a row of these tables says of its delivery or run, and not of anybody's facts
OF_FILES = {"rejects": {"file", "row_number"}, "feeds": {"files"}, "rounds": {"run_id"}}
ON_THREADS = Path(__file__).with_name("on_threads.py")


@dataclass(frozen=True)
class Ran:
    """What a run left: digests of its files and of the tables of the database, and its manifest."""

    files: dict[str, str]
    tables: dict[str, str]
    manifest: dict
    delivered: list[str]  # the names of the files

    @property
    def accepted(self) -> dict[str, str]:
        """Digests of the accepted rows; insurance stays in the order delivered, no result rests on it."""
        return {
            name: digest
            for name, digest in self.files.items()
            if name.startswith(("accepted/", "restricted/people")) and "insurance" not in name
        }


@dataclass(frozen=True)
class Rounds:
    """Dirty deliveries of a round of each edition, and policy with a small quota."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def feeds(self, year: int) -> Path:
        return self.folder / f"feeds-{year}"

    def run(self, year: int, warehouse: Path, *, feeds: Path | None = None, **more: Any) -> Ran:
        """A run of the command."""
        return self.runs({year: warehouse}, {year: feeds or self.feeds(year)}, **more)[year]

    def runs(
        self,
        warehouses: dict[int, Path],
        feeds: dict[int, Path],
        *,
        threads: int = 1,
        seed: int = 0,
        batch_rows: int = 0,
        path: str = "",
    ) -> dict[int, Ran]:
        """Runs of the command, one after the other in one process."""
        commands: list[object] = []
        for year, warehouse in warehouses.items():
            commands += [
                *(["then"] if commands else []),
                "run", year, "--feeds", feeds[year], "--warehouse", warehouse,
                "--data", self.data, "--direct",
            ]  # fmt: skip
        done = subprocess.run(
            [sys.executable, ON_THREADS, str(threads), str(batch_rows), *map(str, commands)],
            env=os.environ | {"PYTHONHASHSEED": str(seed), "PYTHONPATH": first_on_path(path)},
            check=False, capture_output=True, text=True, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return {year: ran(year, warehouse) for year, warehouse in warehouses.items()}


def ran(year: int, warehouse: Path) -> Ran:
    """What the one run of a round in a warehouse left."""
    (run,) = (warehouse / "runs" / str(year)).iterdir()
    files = {
        path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(run.rglob("*"))
        if path.is_file()
    }
    manifest = json.loads((run / "manifest.json").read_text())
    named = json.loads((run / "restricted" / "file_names.json").read_text())
    return Ran(files, published_tables(warehouse, year), manifest, [*chain(*named.values())])


def first_on_path(folder: str) -> str:
    """PYTHONPATH with a folder in front."""
    return os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH", "")]))


def published_tables(warehouse: Path, year: int) -> dict[str, str]:
    """A digest of every table of the database, its rows of a round in the order of all columns.

    Columns that tell files and runs apart are left out: the rest must never differ.
    """
    with duckdb.connect(str(warehouse / "luohu.duckdb"), read_only=True) as database:
        found = {}
        for table in TABLES:
            told = ", ".join(f'"{name}"' for name in sorted(OF_FILES.get(table, ())))
            rows = database.execute(
                f"SELECT * {f'EXCLUDE ({told})' if told else ''} FROM {table}"
                " WHERE round = ? ORDER BY ALL",
                [year],
            )
            names = [column[:2] for column in rows.description]
            found[table] = hashlib.sha256(repr((names, rows.fetchall())).encode()).hexdigest()
    return found


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Rounds:
    """The deliveries; not to be changed."""
    made = Rounds(tmp_path_factory.mktemp("rounds"))
    shutil.copytree(DATA, made.data)
    for year in YEARS:
        path = made.data / "rounds" / f"{year}.toml"
        path.write_text(re.sub(r"(?m)^quota = \d+$", f"quota = {QUOTA}", path.read_text()))
        simulate(
            year, made.feeds(year), applicants=APPLICANTS, seed=11, dirty=0.004, data=made.data
        )
        (path,) = (made.feeds(year) / "tax").iterdir()
        rows = pl.read_parquet(path)
        nothing = [pl.lit(None, rows.schema[name]).alias(name) for name in rows.columns]
        pl.concat([rows, rows[:9].with_columns(nothing)]).write_parquet(path)
    return made


@pytest.fixture(scope="module")
def once(
    rounds: Rounds, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[int], tuple[Path, Ran]]:
    """The warehouse and the run of a round as delivered, on one thread; the others are held to it."""
    made: dict[int, tuple[Path, Ran]] = {}

    def of(year: int) -> tuple[Path, Ran]:
        if not made:
            there = {each: tmp_path_factory.mktemp(f"once-{each}") for each in YEARS}
            found = rounds.runs(there, {each: rounds.feeds(each) for each in YEARS})
            made.update({each: (there[each], found[each]) for each in YEARS})
        return made[year]

    return of


def shuffled(delivery: Path, out: Path, seed: int) -> Path:
    """The same files with their rows in another order."""
    for path in sorted(delivery.glob("*/*.parquet")):
        target = out / path.relative_to(delivery)
        target.parent.mkdir(parents=True, exist_ok=True)
        rows = pl.read_parquet(path).sample(fraction=1, shuffle=True, seed=seed)
        rows.write_parquet(target)
    return out


def resplit(delivery: Path, out: Path, seed: int) -> Path:
    """The same rows in another order, in files of every format and of other names."""
    for feed in FEEDS:
        rows = pl.concat(pl.read_parquet(path) for path in sorted((delivery / feed).iterdir()))
        rows = rows.sample(fraction=1, shuffle=True, seed=seed)
        folder = out / feed
        folder.mkdir(parents=True)
        size = rows.height // 4 + 1
        name, *names = (hashlib.sha256(f"{feed} {seed} {n}".encode()).hexdigest() for n in range(4))
        rows[:size].write_parquet(folder / f"{name}.parquet", row_group_size=500)
        rows[size : 2 * size].write_parquet(folder / f"{names[0]}.parquet")
        text = {"datetime_format": "%Y-%m-%dT%H:%M:%S"}
        rows[2 * size : 3 * size].write_csv(folder / f"{names[1]}.csv", **text)
        with gzip.open(folder / f"{names[2]}.csv.gz", "wb") as file:
            file.write(rows[3 * size :].write_csv(**text).encode())
    return out


# --- Same inputs, same bytes ------------------------------------------------------------------------


@pytest.mark.parametrize("year", SOME)
def test_same_inputs_same_bytes_whatever_the_threads_and_the_hash_seed(
    year: int, rounds: Rounds, once: Callable[[int], tuple[Path, Ran]], tmp_path: Path
) -> None:
    _, first = once(year)
    assert rounds.run(year, tmp_path, threads=2, seed=1) == first
    assert {"manifest.json", "report.html", "rejects.parquet", "accepted/tax.parquet"} <= {
        *first.files
    }


def test_there_is_something_to_get_wrong(once: Callable[[int], tuple[Path, Ran]]) -> None:
    """A line, ties, bad and twice bad rows, repeats, strangers: or sameness would mean little."""
    assert {*OF_FILES} == {*OF_THE_RUN}
    for year in YEARS:
        warehouse, _ = once(year)
        with duckdb.connect(str(warehouse / "luohu.duckdb"), read_only=True) as database:
            ((settled, eligible, rechecked),) = database.execute(
                "SELECT settled, eligible, rechecked FROM rounds"
            ).fetchall()
            ((ties,),) = database.execute(
                "SELECT count(*) - count(DISTINCT total) FROM ranking"
            ).fetchall()
            ((quarantined, duplicates, strangers),) = database.execute(
                "SELECT sum(quarantined), sum(duplicates), sum(strangers) FROM feeds"
            ).fetchall()
            ((twice,),) = database.execute(
                "SELECT count(*) - count(DISTINCT (feed, file, row_number)) FROM rejects"
            ).fetchall()
        assert QUOTA <= settled < eligible
        assert rechecked
        assert min(ties, quarantined, duplicates, strangers, twice) > 0


# --- Same rows, same results ------------------------------------------------------------------------


def same_results(found: Ran, first: Ran) -> None:
    """One digest, and equal published tables, of the same rows delivered in another way."""
    assert found.manifest["result_digest"] == first.manifest["result_digest"]
    assert found.manifest["run_id"] != first.manifest["run_id"]
    assert found.accepted == first.accepted
    assert len(found.accepted) == len(FEEDS) + 1  # and who needs review, and who is who
    # a CSV cannot tell an empty text from none: the check such a row fails has another name then
    may_differ = {"rejects"} if any(".csv" in name for name in found.delivered) else set()
    assert {name for name in TABLES if found.tables[name] != first.tables[name]} <= may_differ


@pytest.mark.soak  # the next one has them in another order too
@pytest.mark.parametrize("year", YEARS)
def test_rows_in_another_order_change_no_result(
    year: int, rounds: Rounds, once: Callable[[int], tuple[Path, Ran]], tmp_path: Path
) -> None:
    feeds = shuffled(rounds.feeds(year), tmp_path / "feeds", seed=1)
    same_results(rounds.run(year, tmp_path / "w", feeds=feeds, seed=2), once(year)[1])


def test_other_files_formats_and_batches_change_no_result(
    rounds: Rounds, once: Callable[[int], tuple[Path, Ran]], tmp_path: Path
) -> None:
    feeds = {year: resplit(rounds.feeds(year), tmp_path / f"{year}", seed=1) for year in YEARS}
    there = {year: tmp_path / f"w-{year}" for year in YEARS}
    found = rounds.runs(there, feeds, threads=2, seed=3, batch_rows=BATCH_ROWS)
    for year in YEARS:
        same_results(found[year], once(year)[1])


@pytest.mark.soak
@pytest.mark.parametrize("repeat", range(REPEATS))
@pytest.mark.parametrize("year", YEARS)
def test_one_digest_however_often(
    year: int,
    repeat: int,
    rounds: Rounds,
    once: Callable[[int], tuple[Path, Ran]],
    tmp_path: Path,
) -> None:
    """On 1 and 2 threads: as delivered, in another order, and in other files."""
    first = once(year)[1]
    in_order = shuffled(rounds.feeds(year), tmp_path / "shuffled", seed=repeat)
    in_files = resplit(rounds.feeds(year), tmp_path / "resplit", seed=repeat)
    for threads in (1, 2):
        common = {"threads": threads, "seed": 2 * repeat + threads}
        assert rounds.run(year, tmp_path / f"a{threads}", **common) == first
        ran = rounds.run(year, tmp_path / f"b{threads}", feeds=in_order, **common)
        same_results(ran, first)
        ran = rounds.run(
            year, tmp_path / f"c{threads}", feeds=in_files, batch_rows=FEW_ROWS, **common
        )
        same_results(ran, first)


# --- DuckDB 2.0 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", SOME)
def test_a_run_on_another_duckdb_comes_to_the_same(
    year: int,
    rounds: Rounds,
    once: Callable[[int], tuple[Path, Ran]],
    duckdb_2: Path,
    tmp_path: Path,
) -> None:
    """Every file but the manifest, which names the libraries, is the same byte by byte."""
    first = once(year)[1]
    found = rounds.run(year, tmp_path, threads=2, path=str(duckdb_2))
    assert found.manifest["environment"]["libraries"]["duckdb"].startswith("2.0.")
    assert first.manifest["environment"]["libraries"]["duckdb"].startswith("1.5.")
    assert {**found.files, "manifest.json": ""} == {**first.files, "manifest.json": ""}
    assert found.manifest["result_digest"] == first.manifest["result_digest"]
    assert found.tables == first.tables
    assert found.manifest["options"]["recheck"]


def test_two_versions_of_duckdb_publish_into_one_warehouse_in_turn(
    once: Callable[[int], tuple[Path, Ran]], duckdb_2: Path, tmp_path: Path
) -> None:
    """Each reads and carries over what the other wrote, and the file stays one both can read."""
    for year, path in ((2019, str(duckdb_2)), (2020, ""), (2019, str(duckdb_2))):
        (run,) = (once(year)[0] / "runs" / str(year)).iterdir()
        told = subprocess.run(
            [sys.executable, "-c", PUBLISH, run, str(year), tmp_path],
            env=os.environ | {"PYTHONPATH": first_on_path(path)},
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        assert told.split() == ["2.0" if path else "1.5", "v1.5.0+"]
    for year in YEARS:
        assert published_tables(tmp_path, year) == once(year)[1].tables


PUBLISH = """
import sys, duckdb
from pathlib import Path
from flows.run.publish import publish
database = publish(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
with duckdb.connect(str(database), read_only=True) as connection:
    ((tags,),) = connection.execute(
        "SELECT tags FROM duckdb_databases() WHERE database_name = 'luohu'"
    ).fetchall()
print(duckdb.__version__[:3], tags["storage_version"])
"""


def test_the_second_engine_closes_the_gate_on_another_duckdb(
    small: Path, duckdb_2: Path, tmp_path: Path
) -> None:
    """Agreement on 2.0 means something: the code with one rule altered publishes nothing."""
    rule = ("flows/run/second_engine/indicators/age.sql", "- 2 -", "- 1 -")
    done = luohu(
        "run", 2020, "--feeds", small, "--warehouse", tmp_path / "w", "--direct",
        env={"PYTHONPATH": str(duckdb_2)}, cwd=other_code(tmp_path, rule),
    )  # fmt: skip
    assert done.returncode == 1
    assert "the second engine disagrees" in done.stderr
    assert not (tmp_path / "w" / "luohu.duckdb").exists()
