"""Runs to compare: one to start from, and others with other data, policy, decision or code.

What a run wrote is read here in plain Python, so that a test can work out by itself what a cause
should have done.
"""

import shutil
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl
from commands import edited, other_code, run_by
from reference import scorer

from flows.audit.diff import Diff
from flows.audit.diff.attribution import POINTS
from flows.common.settings import DATA, Order
from flows.run.stages import Outcome, run
from flows.simulate import simulate

QUOTA, LARGER_QUOTA, APPLICANTS = 96, 112, 400
DETAINED = 12
REFERENCE = {"insured_in": date(2020, 6, 1)}


class Base(NamedTuple):
    """The run everything is compared with: warehouse, its delivery and its data folder."""

    warehouse: Path
    feeds: Path
    data: Path
    run: Outcome


def first(folder: Path) -> Base:
    """A small round with a line to fall below, in which nobody was ever detained."""
    feeds = folder / "feeds"
    simulate(2020, feeds, applicants=APPLICANTS, seed=3, dirty=0.002, data=DATA)
    (path,) = (feeds / "detentions").iterdir()
    pl.read_parquet(path).clear().write_parquet(path)  # nobody is detained, until a test says so
    data = folder / "data"
    shutil.copytree(DATA, data)
    edited(data / "rounds" / "2020.toml", "\nquota = 6000\n", f"\nquota = {QUOTA}\n")
    done = run(Order(2020, feeds, folder / "warehouse", data, recheck=False))
    return Base(folder / "warehouse", feeds, data, done)


def other_data(base: Base, folder: Path) -> Path:
    """Some who settled, from the first to the last, are detained."""
    feeds = folder / "feeds"
    shutil.copytree(base.feeds, feeds)
    people = pl.read_parquet(Path(base.run.directory) / "restricted" / "people.parquet")
    ranking = pl.read_parquet(Path(base.run.directory) / "ranking.parquet")
    chosen = (
        ranking.sort("rank", "application_no").filter("settled").gather_every(QUOTA // DETAINED)
    )
    ids = people.join(chosen, on="application_no", how="semi")["person_id"]
    (path,) = (feeds / "detentions").iterdir()
    rows = pl.read_parquet(path)
    new = pl.DataFrame({"person_id": ids, "decided_on": [date(2019, 5, 5)] * len(ids)})
    pl.concat([rows, new.cast(dict(rows.schema))]).write_parquet(path)
    return feeds


def other_policy(base: Base, folder: Path, *edits: tuple[str, str, str]) -> Path:
    """Another data folder with some values changed."""
    data = folder / "data"
    shutil.copytree(base.data, data)
    for file, old, new in edits:
        edited(data / file, old, new)
    return data


YOUNGER = ("policy/age.toml", "\nvalue = 45\n", "\nvalue = 43\n")
MILDER = ("policy/law.toml", "\nvalue = -3000\n", "\nvalue = -2000\n")
LARGER = ("rounds/2020.toml", f"\nquota = {QUOTA}\n", f"\nquota = {LARGER_QUOTA}\n")


STRICTER = (
    "transforms/indicators/age.py",
    "age - p.full_until_age,",
    "age + 5 - p.full_until_age,",
)


def run_with(code: Path, base: Base, feeds: Path, data: Path) -> str:
    """A run by another version of the code into the same warehouse; its id."""
    return run_by(code, feeds, base.warehouse, data)


class Compared(NamedTuple):
    """The base, and runs of it with other data, other code, and other data and policy."""

    base: Base
    detained: tuple[Path, str]  # a delivery and its run
    stricter: tuple[Path, str]  # code and its run
    milder: str


def all_compared(folder: Path) -> Compared:
    """All of them in one warehouse."""
    base = first(folder)
    feeds = other_data(base, folder / "detained")
    detained = run(Order(2020, feeds, base.warehouse, base.data, recheck=False)).run_id
    code = other_code(folder / "stricter", STRICTER)
    data = other_policy(base, folder / "milder", MILDER)
    milder = run(Order(2020, feeds, base.warehouse, data, recheck=False)).run_id
    stricter = run_with(code, base, base.feeds, base.data)
    return Compared(base, (feeds, detained), (code, stricter), milder)


class Tables(NamedTuple):
    points: dict[str, dict[str, int]]  # application -> measure -> centipoints
    eligible: set[str]
    settled: set[str]


def tables(base: Base, run_id: str) -> Tables:
    """What a run wrote, in plain Python."""
    folder = base.warehouse / "runs" / "2020" / run_id
    scores = pl.read_parquet(folder / "scores.parquet").rows(named=True)
    eligible = pl.read_parquet(folder / "eligibility.parquet").filter("eligible")
    ranking = pl.read_parquet(folder / "ranking.parquet").filter("settled")
    return Tables(
        {row["application_no"]: {name: int(row[name] * 100) for name in POINTS} for row in scores},
        set(eligible["application_no"]),
        set(ranking["application_no"]),
    )


def settled(totals: dict[str, int], eligible: set[str], quota: int) -> set[str]:
    """Everyone at or above the total at the place of the quota."""
    ordered = sorted((totals[number] for number in eligible), reverse=True)
    return {number for number in eligible if totals[number] >= ordered[quota - 1]}


def settled_of(result: scorer.Result) -> set[str]:
    return {number for number, row in result.ranking.items() if row.settled}


def birth_years(base: Base) -> dict[str, int]:
    (path,) = (base.feeds / "applications").iterdir()
    rows = pl.read_parquet(path).select("application_no", "birth_date").rows()
    return {number: born.year for number, born in rows if number and born}


def age_points(born: int, full_until: int) -> int:
    """Contract 4: max(0, 2000 - 400 * max(0, (Y - 2 - birth year) - 45))."""
    return max(0, 2000 - 400 * max(0, 2020 - 2 - born - full_until))


def told(found: Diff) -> dict[tuple[str, str, str], int]:
    """Application, measure, cause -> amount."""
    numbers = found.applications["application_no"]
    return {
        (numbers[place], measure, cause): amount
        for place, measure, cause, amount in found.shares.iter_rows()
    }


def of(found: Diff, measure: str, cause: str) -> dict[str, int]:
    """Application -> amount of one measure and cause."""
    return {
        number: amount
        for (number, each, why), amount in told(found).items()
        if (each, why) == (measure, cause)
    }


def causes_of(found: Diff) -> set[str]:
    return set(found.shares["cause"])


def add_up(found: Diff, base: Base) -> None:
    """All shares of a difference add up to it, and there are no others."""
    then, now = (tables(base, side.run.run_id) for side in (found.a, found.b))
    expected: dict[tuple[str, str], int] = {}
    for number in then.points.keys() | now.points.keys():
        if number in then.points and number in now.points:
            for name in POINTS:
                expected[number, name] = now.points[number][name] - then.points[number][name]
            expected[number, "eligible"] = (number in now.eligible) - (number in then.eligible)
        expected[number, "present"] = (number in now.points) - (number in then.points)
        expected[number, "settled"] = (number in now.settled) - (number in then.settled)
    sums: dict[tuple[str, str], int] = {}
    for (number, measure, _), amount in told(found).items():
        sums[number, measure] = sums.get((number, measure), 0) + amount
    assert {key: each for key, each in sums.items() if each} == {
        key: each for key, each in expected.items() if each
    }


def nonzero(values: dict[str, int]) -> dict[str, int]:
    return {name: value for name, value in values.items() if value}
