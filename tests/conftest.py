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
from typing import Any

import polars as pl
import pytest
from deciding import YEAR, ARound, simulated
from once import moved, once, own_copy
from planted import Planted, run_planted
from two_runs import Base, Compared, all_compared

import flows.orchestration.prefect_settings  # noqa: F401  (before anything imports Prefect)
from flows.audit import own_code
from flows.audit.diff import mixed
from flows.common.database import OFFLINE
from flows.common.failures import StageFailed
from flows.common.settings import DATA, HOME, Order
from flows.explain.receipts.bulk import VERIFIER
from flows.run import ingest
from flows.run.canaries import prove_validator
from flows.run.recompute import recompute
from flows.run.stages import Outcome, run
from flows.simulate import simulate
from transforms.policy import PolicyError

APPLICANTS = 300  # and of this seed: every feed says something of some of them
PLANTED = "某{:04}·内部"  # a name nobody else has

# some machines keep no compiled modules, which costs every command in a process of its own half a second
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.fixture(scope="session", autouse=True)
def proved_once() -> Iterator[None]:
    """Prove the validator in the first run of this process only: a second each, the same each time.

    The commands in processes of their own prove it every time, and `test_canaries.py` asks it itself.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest, "prove_validator", functools.cache(prove_validator))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_thread_each() -> Iterator[None]:
    """The workers share the cores: DuckDB gets a thread in each, as polars does by `make test`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(OFFLINE, "threads", 1)
        yield


@pytest.fixture(scope="session")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dirty delivery of the 2020 round in Parquet; not to be changed, see `copied`."""
    given = {"applicants": APPLICANTS, "seed": 9, "dirty": 0.004}
    return once(tmp_path_factory, "delivery", lambda folder: feeds_in(folder, **given))


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean delivery of the 2020 round, as small as can be; not to be changed."""
    given = {"applicants": 60, "seed": 1, "dirty": 0.0}
    return once(tmp_path_factory, "small", lambda folder: feeds_in(folder, **given))


def feeds_in(folder: Path, **given: Any) -> Path:
    """A simulated delivery of the 2020 round."""
    simulate(2020, folder / "feeds", data=DATA, **given)
    return folder / "feeds"


@pytest.fixture(scope="session")
def small_published(small: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A warehouse with the small delivery's run, and its outcome; not to be changed."""
    return published_once(tmp_path_factory, "small-published", small, recheck=False)


@pytest.fixture(scope="session")
def published(delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A warehouse with the delivery's run, and its outcome; not to be changed."""
    return published_once(tmp_path_factory, "published", delivery)


def published_once(
    factory: pytest.TempPathFactory, name: str, feeds: Path, **more: Any
) -> tuple[Path, Outcome]:
    """A worker's own copy of a warehouse with the one run of a delivery."""
    done = once(factory, name, lambda folder: run(Order(2020, feeds, folder / "w", **more)))
    warehouse = own_copy(Path(done.database).parent, factory.mktemp(name))
    return warehouse, moved(done, warehouse)


@pytest.fixture
def copied(delivery: Path, tmp_path: Path) -> Path:
    """A copy of the delivery to spoil."""
    return Path(shutil.copytree(delivery, tmp_path / "feeds"))


@pytest.fixture(scope="session")
def announced(tmp_path_factory: pytest.TempPathFactory) -> ARound:
    """A small round of people with names nobody else has, run and not published; not to be changed."""
    found = once(tmp_path_factory, "announced", announced_round)
    return found.copy(tmp_path_factory.mktemp("announced"))


def announced_round(folder: Path) -> ARound:
    """The round in its own folder."""
    found = simulated(folder / "round")
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
    found = once(tmp_path_factory, "duckdb-2.0", installed)
    return found or pytest.skip("no package index to take DuckDB 2.0 from")


def installed(folder: Path) -> Path | None:
    """The folder with DuckDB 2.0 in it, where it can be had."""
    try:
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "--no-deps",
             "duckdb==2.0.*"],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return folder


@pytest.fixture(scope="session")
def planted_run(delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A run on Prefect's embedded server of a delivery with identities planted in it."""
    return once(tmp_path_factory, "planted", lambda folder: run_planted(delivery, folder))


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """The runs to compare, in a warehouse that runs may be added to; see `base` and the others."""
    made = once(tmp_path_factory, "compared", all_compared)
    warehouse = own_copy(made.base.warehouse, tmp_path_factory.mktemp("compared"))
    base = made.base._replace(warehouse=warehouse, run=moved(made.base.run, warehouse))
    return made._replace(base=base)


@pytest.fixture(scope="session")
def base(compared: Compared) -> Base:
    """The run others are compared with; runs may be added to its warehouse, not changed."""
    return compared.base


@pytest.fixture(scope="session")
def detained(compared: Compared) -> tuple[Path, str]:
    """The delivery with detentions, and its run."""
    return compared.detained


@pytest.fixture(scope="session")
def stricter(compared: Compared) -> tuple[Path, str]:
    """Code that counts everybody five years older, and its run of the base."""
    return compared.stricter


@pytest.fixture(scope="session")
def milder(compared: Compared) -> str:
    """The delivery with detentions under a policy that takes fewer points for them."""
    return compared.milder


@pytest.fixture
def todays_code_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Combinations of two runs worked out with today's code are so in this process, a second faster.

    Code of another version runs in a process of its own here too, and `test_growth.py` and
    `test_from_elsewhere.py` let today's do so.
    """

    def here(code: own_code.Code, folder: Path) -> None:
        if code.folder != HOME:
            own_code.run_code(code, folder)
            return
        try:
            recompute(folder)
        except (StageFailed, PolicyError) as failure:
            raise own_code.CannotBeRepeated(str(failure)) from None

    monkeypatch.setattr(mixed, "run_code", here)


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
