"""Shared fixtures: a small simulated delivery, a published warehouse, where published lists lie."""

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
from commands import other_code
from deciding import YEAR, ARound, simulated
from two_runs import MILDER, STRICTER, Base, first, other_data, other_policy, run_with

import flows.orchestration.prefect_settings  # noqa: F401  (before anything imports Prefect)
from flows.common.settings import DATA, HOME, Order
from flows.explain.receipts.bulk import VERIFIER
from flows.run import ingest
from flows.run.canaries import prove_validator
from flows.run.stages import Outcome, run
from flows.simulate import simulate

APPLICANTS = 600
PLANTED = "某{:04}·内部"  # a name nobody else has


@pytest.fixture(scope="session", autouse=True)
def proved_once() -> Iterator[None]:
    """Prove the validator in the first run of this process only: a second each, the same each time.

    The commands in processes of their own prove it every time, and `test_canaries.py` asks it itself.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest, "prove_validator", functools.cache(prove_validator))
        yield


@pytest.fixture(scope="session")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dirty delivery of the 2020 round in Parquet; not to be changed, see `copied`."""
    out = tmp_path_factory.mktemp("delivery") / "feeds"
    simulate(2020, out, applicants=APPLICANTS, seed=7, dirty=0.004, data=DATA)
    return out


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean delivery of the 2020 round, as small as can be; not to be changed."""
    out = tmp_path_factory.mktemp("small") / "feeds"
    simulate(2020, out, applicants=60, seed=1, dirty=0.0, data=DATA)
    return out


@pytest.fixture(scope="session")
def small_published(small: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A warehouse with the small delivery's run, and its outcome; not to be changed."""
    warehouse = tmp_path_factory.mktemp("small") / "warehouse"
    return warehouse, run(Order(2020, small, warehouse, recheck=False))


@pytest.fixture
def copied(delivery: Path, tmp_path: Path) -> Path:
    """A copy of the delivery to spoil."""
    return Path(shutil.copytree(delivery, tmp_path / "feeds"))


@pytest.fixture(scope="session")
def published(delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A warehouse with the delivery's run, and its outcome; not to be changed."""
    warehouse = tmp_path_factory.mktemp("warehouse")
    return warehouse, run(Order(2020, delivery, warehouse))


@pytest.fixture(scope="session")
def announced(tmp_path_factory: pytest.TempPathFactory) -> ARound:
    """A small round of people with names nobody else has, run and not published; not to be changed."""
    found = simulated(tmp_path_factory.mktemp("announced") / "round")
    path = found.part("applications")
    rows = pl.read_parquet(path)
    names = [PLANTED.format(place) for place in range(rows.height)]
    rows.with_columns(name=pl.Series(names, dtype=rows.schema["name"])).write_parquet(path)
    run(Order(YEAR, found.feeds, found.warehouse, found.data))
    return found


@pytest.fixture(scope="session")
def announced_published(announced: ARound, tmp_path_factory: pytest.TempPathFactory) -> ARound:
    """The same, published; not to be changed."""
    found = announced.copy(tmp_path_factory.mktemp("announced"))
    found.publish()
    return found


@pytest.fixture(scope="session")
def official() -> Path:
    """The folder of published lists; the test is skipped where it is absent."""
    folder = Path(os.environ.get("LUOHU_PUBLISHED") or HOME.parent / "shared" / "published")
    if not (folder / "points-2020.csv").is_file():
        pytest.skip(f"no published lists at {folder} (set LUOHU_PUBLISHED)")
    return folder


@pytest.fixture(scope="session")
def unshare() -> list[str]:
    """What starts a command in a PID namespace of its own; skipped where that is not allowed."""
    command = ["unshare", "-pf", "--mount-proc", "--kill-child"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command, "true"], check=False).returncode
    ):
        pytest.skip("this machine does not let tests make a PID namespace")
    return command


@pytest.fixture(scope="session")
def duckdb_2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with DuckDB 2.0, to be put first on PYTHONPATH; skipped without a package index."""
    folder = tmp_path_factory.mktemp("duckdb-2.0")
    try:
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "--no-deps",
             "duckdb==2.0.*"],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("no package index to take DuckDB 2.0 from")
    return folder


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """The run others are compared with; runs may be added to its warehouse, not changed."""
    return first(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def detained(base: Base, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The delivery with detentions, and its run."""
    feeds = other_data(base, tmp_path_factory.mktemp("detained"))
    return feeds, run(Order(2020, feeds, base.warehouse, base.data, recheck=False)).run_id


@pytest.fixture(scope="session")
def stricter(base: Base, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Code that counts everybody five years older, and its run of the base."""
    code = other_code(tmp_path_factory.mktemp("stricter"), STRICTER)
    return code, run_with(code, base, base.feeds, base.data)


@pytest.fixture(scope="session")
def milder(base: Base, detained: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The delivery with detentions under a policy that takes fewer points for them."""
    data = other_policy(base, tmp_path_factory.mktemp("milder"), MILDER)
    return run(Order(2020, detained[0], base.warehouse, data, recheck=False)).run_id


@pytest.fixture(scope="session")
def verifier() -> ModuleType:
    """The verifier as a module, for trials by the hundred."""
    spec = importlib.util.spec_from_file_location("verify_receipt_alone", VERIFIER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
