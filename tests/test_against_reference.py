"""Both scorers agree: the real one, and a slow one written from the data contract alone.

Hostile deliveries stand at every border the contract draws; `reference/` says how they are made and
scored.  What a run writes is compared to the hundredth: points, conditions, ranks, serials, the rows
refused and the applications marked for review.
"""

import json
import shutil
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from reference import hostile, scorer

from flows.common.settings import DATA, Order
from flows.run.stages import ingest_stage, rank_stage, score_stage
from schemas.results import CONDITIONS, INDICATORS
from transforms.indicators import INDICATORS as RULES
from transforms.policy import params

ROUNDS = [2018, 2020, 2024, 2026]
SEEDS = (*range(2), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 12)))
FORMATS: list[hostile.Format] = ["parquet", "mixed"]  # of even and odd seeds
PEOPLE = 50
RECEIVED = {"2024": "2024-06-30"}
QUOTA = 10  # so that there is a line to fall below


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real policy and rounds, with a small quota, one with a day of receipt."""
    folder = Path(shutil.copytree(DATA, tmp_path_factory.mktemp("small") / "data"))
    for path in (folder / "rounds").glob("*.toml"):
        text = path.read_text(encoding="utf-8")
        assert "\nquota = 6000\n" in text
        received = f"received_on = {RECEIVED[path.stem]}\n" if path.stem in RECEIVED else ""
        quota = f"\nquota = {QUOTA}\n{received}"
        path.write_text(text.replace("\nquota = 6000\n", quota), encoding="utf-8")
    return folder


def specification(order: Order) -> scorer.RoundSpec:
    """The round as the reference wants it told."""
    this_round, name = order.round(), order.edition().name
    assert name in {"trial", "2020"}
    assert this_round.permit_date == this_round.reference_date
    return scorer.RoundSpec(
        this_round.year,
        "trial" if name == "trial" else "2020",
        quota=this_round.quota,
        insured_in=this_round.insured_in,
        received_on=this_round.received_on,
    )


def by_number(path: Path, *columns: str) -> dict[str, dict[str, object]]:
    """Rows of a table by application number."""
    rows = pl.read_parquet(path, columns=["application_no", *columns]).rows(named=True)
    found = {row.pop("application_no"): row for row in rows}
    assert len(found) == len(rows)
    return found


def in_points(scores: dict[str, int]) -> dict[str, Decimal]:
    """Centipoints as the tables hold them."""
    return {name: Decimal(value).scaleb(-2) for name, value in scores.items()}


def recomputed(work: Path, order: Order) -> dict[str, list[int]]:
    """The centipoints of each indicator worked out from the stored evidence alone."""
    stored = pl.read_parquet(work / "evidence.parquet").sort("indicator", "application_no")
    found = {}
    for name, rule in order.edition().indicators.items():
        rows = [json.loads(text) for text in stored.filter(indicator=name)["evidence"]]
        p = params(RULES[rule.name].Params, rule)
        points = RULES[rule.name].parts(p, order.round()).centipoints
        facts = pl.DataFrame(rows, infer_schema_length=None)
        worked = facts.select(points).to_series() if facts.width else [0] * len(rows)
        found[name] = [int(p) if row else 0 for p, row in zip(worked, rows, strict=True)]
    return found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("year", ROUNDS)
def test_both_scorers_agree(year: int, seed: int, data: Path, tmp_path: Path) -> None:
    order = Order(year, tmp_path / "feeds", tmp_path, data)
    spec = specification(order)
    hostile.write_feeds(order.feeds, spec, seed, PEOPLE, dirty=True, fmt=FORMATS[seed % 2])
    expected = scorer.score_round(order.feeds, spec)
    work = tmp_path / "work"
    work.mkdir()
    for stage in (ingest_stage, score_stage, rank_stage):
        stage(order, work)

    scores = by_number(work / "scores.parquet", *INDICATORS, "total")
    assert scores == {number: in_points(each) for number, each in expected.scores.items()}
    assert recomputed(work, order) == {
        name: [each[name] for _, each in sorted(expected.scores.items())] for name in INDICATORS
    }
    eligibility = by_number(work / "eligibility.parquet", *CONDITIONS, "eligible")
    assert eligibility == expected.eligibility
    ranking = by_number(work / "ranking.parquet", "total", "rank", "settled", "serial")
    assert ranking == {
        number: {**vars(each), "total": Decimal(each.total).scaleb(-2)}
        for number, each in expected.ranking.items()
    }
    line = json.loads((work / "line.json").read_text(encoding="utf-8"))
    assert (line["cutoff"], line["tied_at_cutoff"]) == (expected.cutoff, expected.tied_at_cutoff)
    rejects = pl.read_parquet(work / "rejects.parquet", columns=["feed", "file", "row_number"])
    assert set(rejects.iter_rows()) == expected.rejected
    review = by_number(work / "scores.parquet", "needs_review")
    assert {n for n, row in review.items() if row["needs_review"]} == expected.needs_review


def test_the_deliveries_would_tell(data: Path, tmp_path: Path) -> None:
    """People, rejects and both sides of the line are there, or agreement would mean little."""
    for year in ROUNDS:
        order = Order(year, tmp_path / str(year), tmp_path, data)
        hostile.write_feeds(order.feeds, specification(order), 2, PEOPLE)
        found = scorer.score_round(order.feeds, specification(order))
        assert len(found.scores) > PEOPLE * 9 // 10
        assert any(each.settled for each in found.ranking.values())
        assert any(not each.settled for each in found.ranking.values())
        assert len(found.rejected) > PEOPLE
        assert found.needs_review
        for indicator in INDICATORS:
            assert len({each[indicator] for each in found.scores.values()}) > 1, indicator
