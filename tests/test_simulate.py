"""The simulator: what it delivers, and that published points come back from its records."""

import hashlib
import shutil
import subprocess
import sys
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flows.common.database import open_read_only
from flows.common.settings import Order
from flows.run.stages import run
from flows.simulate import simulate
from flows.simulate.feeds import FEEDS, KEYS
from flows.simulate.model import draw
from flows.simulate.plan import points_of
from flows.simulate.published import read_points, solve
from flows.simulate.setting import load_setting
from flows.simulate.write import delivery, umask
from schemas.identifiers import is_credit_code, is_id_number
from schemas.results import INDICATORS
from tests.reference.scorer import Result, RoundSpec, score_round

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data"
APPLICANTS = 300
LATER_ROUND = """
year = {year}
policy_date = {year}-04-20
reference_date = {before}-12-31
quota = 6000
cite = "an invented round"
{more}
"""


def soak(value: object) -> object:
    """One more of a kind, for `make soak`."""
    return pytest.param(value, marks=pytest.mark.soak)


def data_with(folder: Path, year: int, more: str = "") -> Path:
    """A copy of the policy with a round of its own."""
    shutil.copytree(DATA, folder)
    text = LATER_ROUND.format(year=year, before=year - 1, more=more)
    (folder / "rounds" / f"{year}.toml").write_text(text, encoding="utf-8")
    return folder


def digests(folder: Path) -> dict[str, str]:
    """Every file and what it holds."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows(folder: Path, feed: str) -> pl.DataFrame:
    """A Parquet feed."""
    return pl.read_parquet(folder / feed)


def scored(folder: Path, data: Path, year: int) -> Result:
    """What the reference scorer makes of a delivery."""
    found = load_setting(data, year).round
    return score_round(
        folder,
        RoundSpec(
            year,
            "2020",
            quota=found.quota,
            insured_in=found.insured_in,
            permit_date=found.permit_date,
            received_on=found.received_on,
        ),
    )


def settled_points(result: Result, line: int) -> Counter[tuple[int, ...]]:
    """The eleven columns of everybody eligible at or above a line."""
    return Counter(
        tuple(result.scores[number][name] for name in (*INDICATORS, "total"))
        for number, ranked in result.ranking.items()
        if ranked.total >= line
    )


def listed_points(path: Path) -> Counter[tuple[int, ...]]:
    """The eleven columns of a list."""
    frame = pl.read_csv(path, infer_schema=False).select(*INDICATORS, "total")
    return Counter(tuple(int(Decimal(cell) * 100) for cell in row) for row in frame.rows())


def write_list(path: Path, year: int, data: Path, size: int) -> Path:
    """A plausible list of a round: the best of many people drawn from the model."""
    s = load_setting(data, year)
    plan = draw(np.random.default_rng(year), 30 * size, s)
    points = points_of(plan, s)
    good = np.flatnonzero(plan.fails == 0)
    best = good[np.argsort(-points["total"][good], kind="stable")[:size]]
    columns = {
        name: [f"{Decimal(int(v)) / 100:.2f}" for v in points[name][best]] for name in points
    }
    pl.DataFrame(columns).write_csv(path)
    return path


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small delivery without bad rows."""
    out = tmp_path_factory.mktemp("clean") / "feeds"
    simulate(2020, out, applicants=APPLICANTS, dirty=0, data=DATA)
    return out


def test_same_seed_same_bytes(tmp_path: Path, clean: Path) -> None:
    simulate(2020, tmp_path / "again", applicants=APPLICANTS, dirty=0, data=DATA)
    assert digests(tmp_path / "again") == digests(clean)
    simulate(2020, tmp_path / "other", applicants=APPLICANTS, dirty=0, data=DATA, seed=7)
    changed = digests(tmp_path / "other")
    assert all(digest != changed[name] for name, digest in digests(clean).items())


@pytest.mark.parametrize("fmt", ["parquet", "csv"])
def test_dirty_deliveries_repeat_too(tmp_path: Path, fmt: str) -> None:
    for name in ("one", "two"):
        simulate(2020, tmp_path / name, applicants=200, dirty=0.03, fmt=fmt, data=DATA)  # type: ignore[arg-type]
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_every_feed_with_its_columns_and_types(clean: Path) -> None:
    assert sorted(path.name for path in clean.iterdir()) == sorted(FEEDS)
    for feed, columns in FEEDS.items():
        assert dict(rows(clean, feed).schema) == dict(columns), feed


def test_an_empty_feed_is_a_file_without_rows(tmp_path: Path) -> None:
    simulate(2020, tmp_path / "few", applicants=3, data=DATA)
    for feed, columns in FEEDS.items():
        assert dict(rows(tmp_path / "few", feed).schema) == dict(columns), feed
    assert rows(tmp_path / "few", "applications").height == 3


def test_numbers_are_valid_and_keys_distinct(clean: Path) -> None:
    for feed, columns in FEEDS.items():
        frame = rows(clean, feed)
        if "person_id" in columns:
            assert frame.select(is_id_number(pl.col("person_id")).all()).item(), feed
        if "employer_id" in columns:
            assert frame.select(is_credit_code(pl.col("employer_id")).all()).item(), feed
        if feed in KEYS and feed != "applications":
            assert not frame.select(KEYS[feed]).is_duplicated().any(), feed
    applications = rows(clean, "applications")
    assert applications["person_id"].is_unique().all()
    assert applications["application_no"].is_unique().all()
    born = pl.col("person_id").str.slice(6, 8) == pl.col("birth_date").dt.strftime("%Y%m%d")
    assert applications.select(born.all()).item()


def test_parts_share_no_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.simulate.PART", APPLICANTS // 4)
    simulate(2020, tmp_path / "parts", applicants=APPLICANTS, dirty=0, data=DATA)
    assert len(list((tmp_path / "parts" / "social_insurance").iterdir())) == 4
    assert len(list((tmp_path / "parts" / "tax").iterdir())) == 1
    for feed, column in (
        ("applications", "person_id"),
        ("applications", "application_no"),
        ("employers", "employer_id"),
    ):
        assert rows(tmp_path / "parts", feed)[column].is_unique().all()


def test_csv_and_parquet_hold_the_same_rows(tmp_path: Path, clean: Path) -> None:
    simulate(2020, tmp_path / "csv", applicants=APPLICANTS, dirty=0, fmt="csv", data=DATA)
    for feed, columns in FEEDS.items():
        text = pl.read_csv(tmp_path / "csv" / feed / "part-0000.csv", infer_schema=False)
        assert text.columns == list(columns)
        read = text.with_columns(parsed(name, dtype) for name, dtype in columns.items())
        assert read.equals(rows(clean, feed)), feed


def parsed(name: str, dtype: pl.DataType) -> pl.Expr:
    """A CSV column as its type."""
    text = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        return text.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us")
    if dtype == pl.Date():
        return text.str.to_date("%Y-%m-%d")
    return text == "true" if dtype == pl.Boolean() else text.cast(dtype)


def test_a_clean_delivery_has_no_bad_row(clean: Path) -> None:
    result = scored(clean, DATA, 2020)
    assert not result.reasons
    assert not any(result.duplicates.values())
    assert not any(result.strangers.values())
    assert 0.5 < np.mean([one["eligible"] for one in result.eligibility.values()]) < 0.7
    for condition in next(iter(result.eligibility.values())):
        assert any(not one[condition] for one in result.eligibility.values()), condition


@pytest.mark.parametrize("received_on", ["2021-04-28", soak("2021-06-30")])
def test_nothing_happens_after_the_feeds_were_received(tmp_path: Path, received_on: str) -> None:
    data = data_with(tmp_path / "data", 2021, f"received_on = {received_on}")
    simulate(2021, tmp_path / "feeds", applicants=APPLICANTS, dirty=0, data=data)
    assert not scored(tmp_path / "feeds", data, 2021).reasons
    last = rows(tmp_path / "feeds", "applications")["submitted_at"].dt.date().max()
    assert isinstance(last, date)
    assert last < date.fromisoformat(received_on)


@pytest.mark.slow
@pytest.mark.parametrize("fmt", [soak("parquet"), "csv"])
def test_dirty_rows_of_many_kinds_but_never_too_many(tmp_path: Path, fmt: str) -> None:
    simulate(2020, tmp_path / "feeds", applicants=400, dirty=0.04, fmt=fmt, data=DATA)  # type: ignore[arg-type]
    result = scored(tmp_path / "feeds", DATA, 2020)  # refuses a feed with more than 5 %
    checks = {
        reason.split(":")[1]
        for reasons in result.reasons.values()
        for reason in reasons
        if ":" in reason
    }
    assert {" null", " check character", " outside its set", " not six digits"} <= checks
    assert (" does not parse" in checks) == (fmt == "csv")
    assert result.duplicates["social_insurance"] > 0
    assert result.strangers["social_insurance"] > 0
    assert any("conflicting_duplicate" in reasons for reasons in result.reasons.values())


def test_a_delivery_is_complete_or_absent(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "something").touch()
    with pytest.raises(ValueError, match="not an empty folder"):
        simulate(2020, tmp_path / "taken", applicants=10, data=DATA)
    with pytest.raises(ValueError, match="dirty is"):
        simulate(2020, tmp_path / "new", applicants=10, dirty=0.2, data=DATA)
    (tmp_path / "wrong.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ValueError, match="expected the columns"):
        simulate(2020, tmp_path / "new", applicants=10, points=tmp_path / "wrong.csv", data=DATA)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken", "wrong.csv"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("employment", "50.10"),
        ("residence", "99.00"),
        ("education", "12.00"),
        ("education_deduction", "-0.30"),
        ("job_housing", "6.50"),
        ("innovation", "7.00"),
        ("tax", "1.00"),
        ("age", "19.00"),
        ("honour", "5.00"),
        ("law", "-10.00"),
        ("total", "1.00"),
    ],
)
def test_a_row_without_solution_is_named(tmp_path: Path, column: str, value: str) -> None:
    points = ["50.00", "16.67", "15.00", "0", "4.00", "0", "0", "20.00", "0", "0"]
    good = dict(zip(INDICATORS, points, strict=True))
    bad = good | {column: value}
    for row in (good, bad):
        if column != "total" or row is good:
            row["total"] = str(sum(Decimal(row[name]) for name in INDICATORS))
    pl.DataFrame([good, bad]).write_csv(tmp_path / "list.csv")
    s = load_setting(DATA, 2020)
    with pytest.raises(ValueError, match=f"row 2: {column}"):
        solve(np.random.default_rng(1), read_points(tmp_path / "list.csv"), s)


@pytest.mark.slow
@pytest.mark.parametrize("year", [2024, *map(soak, (2021, 2022, 2026))])
def test_points_of_a_later_round_come_back(tmp_path: Path, year: int) -> None:
    data = data_with(tmp_path / "data", year)
    path = write_list(tmp_path / "list.csv", year, data, 80)
    simulate(year, tmp_path / "feeds", applicants=200, points=path, dirty=0.02, data=data)
    wanted = listed_points(path)
    line = min(row[-1] for row in wanted)
    assert settled_points(scored(tmp_path / "feeds", data, year), line) == wanted


NEVER_SEEN = """
[[edition]]
name = "never seen"
date = {year}-01-01
published = {year}-01-01
cite = "an invented edition"
counted_months = "counted_months"
{conditions}
{indicators}
"""


def edition_never_seen(data: Path, year: int) -> None:
    """Another edition: a condition less, a rule of another name, values that never were."""
    policy = data / "policy"
    path = policy / "editions.toml"
    text = path.read_text("utf-8")
    conditions, indicators = text.strip().splitlines()[-2:]
    added = NEVER_SEEN.format(
        year=year,
        conditions=conditions.replace('employer = "employer", ', ""),
        indicators=indicators.replace('law = "law"', 'law = "law_since_commencement"'),
    )
    path.write_text(text + added, "utf-8")
    for name, was, becomes in (
        ("employment", "value = 25", "value = 31"),
        ("residence", "centipoints_per_year = 100", "centipoints_per_year = 130"),
        (
            "residence",
            'registered = true, early = "default"',
            'registered = false, early = "never"',
        ),
        ("age", "value = 45", "value = 40"),
        ("job_housing", "value = 1200", "value = 900"),
    ):
        changed = (policy / f"{name}.toml").read_text("utf-8")
        assert was in changed
        (policy / f"{name}.toml").write_text(changed.replace(was, becomes), "utf-8")


@pytest.mark.slow
def test_points_under_an_edition_it_never_saw_come_back(tmp_path: Path) -> None:
    """Both engines score the delivery, and who was listed has the points of the list."""
    year = 2023
    data = data_with(tmp_path / "data", year)
    edition_never_seen(data, year)
    path = write_list(tmp_path / "list.csv", year, data, 60)
    simulate(year, tmp_path / "feeds", applicants=250, points=path, dirty=0.01, data=data)
    order = Order(year, tmp_path / "feeds", tmp_path / "warehouse", data)
    run(order)
    with open_read_only(order.warehouse) as database:
        scores = database.execute(
            f"SELECT {', '.join(INDICATORS)}, scores.total FROM scores JOIN ranking"
            " USING (application_no) ORDER BY scores.total DESC"
        ).fetchall()
    found = Counter(tuple(int(each * 100) for each in row) for row in scores)
    wanted = listed_points(path)
    line = min(row[-1] for row in wanted)
    assert Counter({row: n for row, n in found.items() if row[-1] >= line}) == wanted


@pytest.mark.slow
def test_published_points_of_2020_come_back(tmp_path: Path, official: Path) -> None:
    lines = (official / "points-2020.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "some.csv").write_text(
        "\n".join([lines[0], *lines[1::40]]) + "\n", encoding="utf-8"
    )
    simulate(2020, tmp_path / "feeds", applicants=300, points=tmp_path / "some.csv", data=DATA)
    wanted = listed_points(tmp_path / "some.csv")
    line = min(row[-1] for row in wanted)
    assert settled_points(scored(tmp_path / "feeds", DATA, 2020), line) == wanted


def test_every_published_row_has_a_plan(official: Path) -> None:
    s = load_setting(DATA, 2020)
    points = read_points(official / "points-2020.csv")
    given = points_of(solve(np.random.default_rng(1), points, s), s)
    assert all((given[name] == wanted).all() for name, wanted in points.items())


def test_the_best_resemble_the_published_list(official: Path) -> None:
    """The largest gap between the two distributions (Kolmogorov-Smirnov), for each column."""
    s = load_setting(DATA, 2020)
    wanted = read_points(official / "points-2020.csv")
    plan = draw(np.random.default_rng(2020), s.round.published["applications"], s)
    points = points_of(plan, s)
    eligible = np.flatnonzero(plan.fails == 0)
    best = eligible[np.argsort(-points["total"][eligible], kind="stable")[: s.round.quota]]
    gaps = {name: gap(wanted[name], points[name][best]) for name in wanted}
    print("line", points["total"][best].min() / 100, {k: round(v, 3) for k, v in gaps.items()})
    assert abs(points["total"][best].min() - wanted["total"].min()) < 100
    assert max(gaps.values()) < 0.12, gaps


def gap(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference between two cumulative distributions."""
    at = np.union1d(one, other)
    shares = [np.searchsorted(np.sort(v), at, side="right") / len(v) for v in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


WRITER = """
import sys, time
from pathlib import Path
from flows.simulate.write import delivery
with delivery(Path(sys.argv[1])) as folder:
    (folder / "people.csv").write_text("somebody")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_two_who_write_one_delivery_leave_each_other_alone_and_a_killed_one_nothing(
    tmp_path: Path,
) -> None:
    """Nor is a folder removed that is named as the temporary one of earlier versions was."""
    out = tmp_path / "feeds"
    (tmp_path / ".feeds.part" / "mine").mkdir(parents=True)
    command = [sys.executable, "-c", WRITER, str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "writing\n"
        with delivery(out) as folder:
            (folder / "people.csv").write_text("somebody else")
        assert len(list((tmp_path / ".work").rglob("people.csv"))) == 1
        other.kill()
    assert (out / "people.csv").read_text() == "somebody else"
    assert [path.stat().st_mode & 0o777 for path in (out, out / "people.csv")] == [
        0o777 & ~umask(),
        0o666 & ~umask(),
    ]
    with delivery(tmp_path / "next"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"feeds", "next", ".feeds.part"}
    assert (tmp_path / ".feeds.part" / "mine").exists()
