"""The whole run: points that follow from their evidence, tables that belong together."""

import json
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows.common.settings import DATA, Order
from flows.explain.receipts.rules import unpacked
from flows.run.stages import Outcome, run
from schemas.feeds import FEEDS
from schemas.results import CONDITIONS, INDICATORS, REGISTERS, TABLES, columns_of
from transforms.checks import all_hold
from transforms.conditions import CONDITIONS as CONDITION_RULES
from transforms.indicators import INDICATORS as INDICATOR_RULES
from transforms.policy import params

Published = tuple[Path, Outcome]


def manifest(outcome: Outcome) -> dict:
    return json.loads((Path(outcome.directory) / "manifest.json").read_text())


def table(outcome: Outcome, name: str) -> pl.DataFrame:
    return pl.read_parquet(Path(outcome.directory) / f"{name}.parquet")


def test_the_other_engine_of_polars_changes_no_result(
    delivery: Path, published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streaming = pl.collect_all
    asked = []

    def in_memory(frames: list[pl.LazyFrame], engine: str) -> list[pl.DataFrame]:
        asked.append(engine)
        return streaming(frames, engine="in-memory")

    monkeypatch.setattr(pl, "collect_all", in_memory)
    again = run(Order(2020, delivery, tmp_path, recheck=False))
    assert "streaming" in asked
    assert manifest(again)["result_digest"] == manifest(published[1])["result_digest"]


def test_another_applicants_presence_changes_nobodys_points(
    delivery: Path, published: Published, tmp_path: Path
) -> None:
    scores = table(published[1], "scores")
    stay = set(scores["application_no"].sample(150, seed=3))
    for feed in FEEDS:
        (tmp_path / "feeds" / feed).mkdir(parents=True)
        for path in sorted((delivery / feed).iterdir()):
            rows = pl.read_parquet(path)
            if feed == "applications":
                rows = rows.filter(pl.col("application_no").is_in(stay))
            rows.write_parquet(tmp_path / "feeds" / feed / path.name)
    order = Order(2020, tmp_path / "feeds", tmp_path / "w", max_rejects="1", recheck=False)
    fewer = table(run(order), "scores")
    points = ["application_no", *INDICATORS, "total"]
    assert fewer.height == len(stay)
    assert fewer.select(points).equals(
        scores.filter(pl.col("application_no").is_in(fewer["application_no"].implode())).select(
            points
        )
    )


def test_points_follow_from_the_stored_evidence_alone(published: Published) -> None:
    order = Order(2020, Path())
    edition = order.edition()
    evidence = table(published[1], "evidence")
    assert evidence.height == 10 * published[1].applications
    for name, rule in edition.indicators.items():
        module = INDICATOR_RULES[rule.name]
        stored = evidence.filter(indicator=name, evidence="{}", points=0)
        assert stored.height == evidence.filter(indicator=name, evidence="{}").height
        rows = evidence.filter(pl.col("indicator") == name, pl.col("evidence") != "{}")
        facts = pl.DataFrame(
            [json.loads(text) for text in rows["evidence"]], infer_schema_length=None
        )
        parts = module.parts(params(module.Params, rule), order.round())
        again = facts.select(parts.centipoints).to_series()
        assert again.to_list() == [int(points * 100) for points in rows["points"]], name


def test_conditions_follow_from_the_stored_evidence_alone(published: Published) -> None:
    order = Order(2020, Path())
    edition = order.edition()
    evidence = table(published[1], "condition_evidence")
    for name, rule in edition.conditions.items():
        module = CONDITION_RULES[rule.name]
        rows = evidence.filter(pl.col("condition") == name, pl.col("evidence") != "{}")
        holds = all_hold(module.checks(params(module.Params, rule), order.round()))
        facts = unpacked(rows.select("evidence"), module.EVIDENCE, [holds])
        again = facts.select(holds).to_series()
        assert again.to_list() == rows["holds"].to_list(), name


def test_all_accepted_applications_are_scored_and_only_eligible_ones_ranked(
    published: Published,
) -> None:
    scores, ranking = table(published[1], "scores"), table(published[1], "ranking")
    eligibility = table(published[1], "eligibility")
    assert scores["application_no"].equals(eligibility["application_no"])
    assert scores["application_no"].is_sorted()
    assert eligibility["eligible"].equals(
        eligibility.select(pl.all_horizontal(CONDITIONS)).to_series().alias("eligible")
    )
    eligible = eligibility.filter("eligible")["application_no"]
    assert set(ranking["application_no"]) == set(eligible)
    assert 0 < ranking.height < scores.height
    assert table(published[1], "public_list").height == ranking["settled"].sum()


@pytest.mark.slow
def test_earlier_rounds_are_kept_and_a_rerun_replaces_its_round(
    delivery: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    for folder in ("policy", "rounds"):
        (data / folder).mkdir(parents=True)
        for path in (DATA / folder).glob("*.toml"):
            (data / folder / path.name).write_bytes(path.read_bytes())
    (data / "codes.toml").write_bytes((DATA / "codes.toml").read_bytes())
    (data / "rounds" / "2021.toml").write_text(
        'year = 2021\npolicy_date = 2021-05-01\nreference_date = 2020-12-31\nquota = 10\ncite = "a test"\n'
    )
    warehouse = tmp_path / "w"
    run(Order(2020, delivery, warehouse, recheck=False))
    reason = "a delivery of the year before"
    run(Order(2021, delivery, warehouse, data, recheck=False, anyway=reason))
    run(Order(2020, delivery, warehouse, recheck=False))
    with duckdb.connect(str(warehouse / "luohu.duckdb"), read_only=True) as database:
        rounds = database.execute(
            "SELECT round, applications FROM rounds ORDER BY round"
        ).fetchall()
        assert [each[0] for each in rounds] == [2020, 2021]
        for name in TABLES:
            counts = database.execute(
                f"SELECT round, count(*) FROM {name} GROUP BY round ORDER BY round"
            ).fetchall()
            assert [each[0] for each in counts] in (
                [2020, 2021],
                [2020],
                [],
            )  # nobody of 2021 settles
            if name == "scores":
                assert [each[1] for each in counts] == [each[1] for each in rounds]


def test_points_are_exact_and_conditions_yes_or_no(published: Published) -> None:
    with duckdb.connect(str(published[0] / "luohu.duckdb"), read_only=True) as database:
        there = database.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()
    types = {each[:2]: each[2] for each in there}
    for name in (*INDICATORS, "total"):
        assert types["scores", name] == "DECIMAL(9,2)"
    for name in CONDITIONS:
        assert types["eligibility", name] == "BOOLEAN"
    assert {*TABLES, *REGISTERS, "dictionary"} <= {name for name, _, _ in there}
    assert columns_of("rounds")[0] == "round"


@pytest.mark.slow
def test_a_round_with_a_day_of_receipt_quarantines_later_events_and_no_other_round_does(
    delivery: Path, published: Published, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(DATA, data)
    path = data / "rounds" / "2020.toml"
    path.write_text(path.read_text().replace("quota =", "received_on = 2019-06-30\nquota ="))
    later = run(Order(2020, delivery, tmp_path / "w", data, max_rejects="1", recheck=False))
    rejects = table(later, "rejects").filter(check_name="not_after_received_on")
    assert rejects.height
    assert "valid_to" not in rejects["column_name"]
    assert "end_date" not in rejects["column_name"]
    again = run(Order(2020, delivery, tmp_path / "again", recheck=False))
    assert manifest(again)["result_digest"] == manifest(published[1])["result_digest"]
