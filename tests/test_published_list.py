"""The real list of 2020 comes back: records built from published points score those very points.

The list is not part of this repository; without it these tests are skipped, saying so.
"""

import csv
from collections import Counter
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from flows.common.settings import DATA, Order
from flows.run.stages import run
from flows.simulate import simulate
from schemas.results import INDICATORS

SETTLED = 6032
# all who are on the list with some others, and, for `make soak`, everybody who really applied in 2020
APPLICANTS = [9_000, pytest.param(122_852, marks=pytest.mark.soak)]
COLUMNS = [*INDICATORS, "total"]


@pytest.fixture(scope="module", params=APPLICANTS)
def replayed(
    request: pytest.FixtureRequest, official: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The database of a run of records from which the published points follow."""
    folder = tmp_path_factory.mktemp("replayed")
    simulate(
        2020,
        folder / "feeds",
        applicants=request.param,
        points=official / "points-2020.csv",
        data=DATA,
    )
    run(Order(2020, folder / "feeds", folder / "warehouse"))
    return folder / "warehouse" / "luohu.duckdb"


def test_settled_line_and_tied(replayed: Path) -> None:
    with duckdb.connect(str(replayed), read_only=True) as database:
        found = database.execute(
            "SELECT settled, cutoff, tied_at_cutoff, highest FROM rounds"
        ).fetchall()
    assert [tuple(map(str, each)) for each in found] == [("6032", "97.13", "54", "124.17")]


def test_every_published_row_comes_back(replayed: Path, official: Path) -> None:
    with (official / "points-2020.csv").open() as file:
        expected = Counter(
            tuple(Decimal(row[name]) for name in COLUMNS) for row in csv.DictReader(file)
        )
    with duckdb.connect(str(replayed), read_only=True) as database:
        found = Counter(
            database.execute(f"SELECT {', '.join(COLUMNS)} FROM public_list").fetchall()
        )
    assert sum(expected.values()) == SETTLED
    assert found == expected


def test_dirty_rows_were_there_and_left_the_list_alone(replayed: Path) -> None:
    with duckdb.connect(str(replayed), read_only=True) as database:
        feeds = dict(database.execute("SELECT feed, quarantined FROM feeds").fetchall())
        ((applications,),) = database.execute("SELECT applications FROM rounds").fetchall()
    assert applications > SETTLED
    assert feeds["social_insurance"] > applications // 12
