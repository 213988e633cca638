"""The validator proves that it is switched on, and the run refuses to start when it is not."""

import tomllib
from copy import deepcopy
from pathlib import Path

import pandera.polars as pa
import polars as pl
import pytest
from commands import here

from flows.common.failures import ValidatorBroken
from flows.run import canaries
from flows.run.canaries import CANARIES, prove_validator
from flows.run.check_rows import EXPECTED, failures
from schemas.feeds import FEEDS


def test_a_healthy_validator_is_believed() -> None:
    prove_validator()


def test_every_check_of_every_feed_has_a_canary() -> None:
    told = tomllib.loads(CANARIES.read_text())
    for feed, delivery in FEEDS.items():
        has = {(bad["column"], bad["expected"]) for bad in told[feed]["bad"]}
        wants = {
            (name, EXPECTED.get(check.name, check.name))
            for name, column in delivery.schema().columns.items()
            for check in column.checks
        }
        assert has == wants, feed


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PANDERA_VALIDATION_ENABLED", "False"), ("PANDERA_VALIDATION_DEPTH", "SCHEMA_ONLY")],
)
def test_pandera_switched_off_by_its_variables_stops_the_run(
    variable: str, value: str, delivery: Path, tmp_path: Path
) -> None:
    done = here(
        "run", 2020, "--feeds", delivery, "--warehouse", tmp_path, "--direct", env={variable: value}
    )
    assert done.returncode == 2
    assert variable in done.stderr
    assert not (tmp_path / "luohu.duckdb").exists()


def test_a_lazy_frame_is_refused() -> None:
    schema = FEEDS["detentions"].schema()
    rows = pl.DataFrame(schema={name: each.dtype.type for name, each in schema.columns.items()})
    with pytest.raises(ValidatorBroken, match="collected"):
        failures(rows.lazy(), schema)  # type: ignore[arg-type]


def test_a_lazy_frame_slipped_in_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    real = pa.DataFrameSchema.validate
    monkeypatch.setattr(
        pa.DataFrameSchema,
        "validate",
        lambda self, rows, **options: real(self, rows.lazy(), **options).collect(),
    )
    with pytest.raises(ValidatorBroken, match="known-bad row passed"):
        prove_validator()


def test_an_upgrade_that_loses_a_check_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    real = canaries.failures
    monkeypatch.setattr(
        canaries,
        "failures",
        lambda rows, schema: real(rows, schema).filter(pl.col("check_name") != "known_value"),
    )
    with pytest.raises(ValidatorBroken, match="known_value"):
        prove_validator()


def test_a_check_that_cannot_run_stops_the_run() -> None:
    schema = deepcopy(FEEDS["detentions"].schema())
    schema.columns["person_id"].checks.append(pa.Check(lambda _: 1 / 0, name="broken"))
    good = pl.DataFrame(
        {"person_id": ["110101198001010010"], "decided_on": [None]},
        schema={"person_id": pl.String, "decided_on": pl.Date},
    ).cast({"person_id": schema.columns["person_id"].dtype.type})
    with pytest.raises(ValidatorBroken, match="could not run"):
        failures(good, schema)
