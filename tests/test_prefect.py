"""The flow on real Prefect servers: its embedded one, and a standing one in a process of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from commands import luohu

from flows.run.stages import Outcome

pytestmark = pytest.mark.server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def digests(warehouse: Path) -> tuple[str, str]:
    (path,) = warehouse.glob("runs/2020/*/manifest.json")
    found = json.loads(path.read_text())
    return found["run_id"], found["result_digest"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[str]:
    """A standing server as a user starts one; the value for PREFECT_API_URL."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--port", str(port), "--no-ui"],
        env=os.environ | {"PREFECT_HOME": str(home), "PREFECT_API_URL": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}/api"
    for _ in range(180):
        try:
            if httpx.get(f"{url}/health", timeout=1).is_success:
                break
        except httpx.HTTPError:
            time.sleep(0.5)
    yield url
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(timeout=30)


def test_embedded_server_gives_the_same_digests(
    delivery: Path, published: tuple[Path, Outcome], home: Path, tmp_path: Path
) -> None:
    # names that are names: Prefect puts nothing in for them either
    feeds, warehouse = tmp_path / "{x} {year} {{ y }}", tmp_path / "w[12]"
    shutil.copytree(delivery, feeds)
    done = luohu(
        "run", 2020, "--feeds", feeds, "--warehouse", warehouse,
        env={"PREFECT_HOME": str(home / "embedded"), "PREFECT_API_URL": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "settled" in done.stdout
    assert done.stderr == ""
    assert digests(warehouse) == digests(published[0])


def test_standing_server_gives_the_same_digests_and_shows_the_run(
    delivery: Path, published: tuple[Path, Outcome], server: str, home: Path, tmp_path: Path
) -> None:
    env = {"PREFECT_HOME": str(home), "PREFECT_API_URL": server}
    done = luohu("run", 2020, "--feeds", delivery, "--warehouse", tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert digests(tmp_path) == digests(published[0])
    runs = httpx.post(f"{server}/flow_runs/filter", json={}).json()
    assert [each["name"] for each in runs] == ["round-2020"]
    assert runs[0]["state"]["type"] == "COMPLETED"
    tasks = httpx.post(f"{server}/task_runs/filter", json={}).json()
    assert {each["name"].rsplit("-", 1)[0] for each in tasks} == {
        "recheck",
        "ingest",
        "score",
        "rank",
        "publish",
    }


def test_refusal_through_the_flow_is_one_message_and_status_2(
    copied: Path, server: str, home: Path, tmp_path: Path
) -> None:
    for path in (copied / "honours").iterdir():
        path.unlink()
    env = {"PREFECT_HOME": str(home), "PREFECT_API_URL": server}
    done = luohu("run", 2020, "--feeds", copied, "--warehouse", tmp_path, env=env)
    assert done.returncode == 2
    assert done.stderr.startswith("luohu: honours (")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "luohu.duckdb").exists()


def test_deployment_has_a_schedule_and_a_typed_form(
    delivery: Path, server: str, home: Path, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "serve", "--feeds", str(delivery),
         "--warehouse", str(tmp_path)],
        env=os.environ | {"PREFECT_HOME": str(home), "PREFECT_API_URL": server},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        found: list[dict] = []
        for _ in range(120):
            found = httpx.post(f"{server}/deployments/filter", json={}).json()
            if found:
                break
            time.sleep(0.5)
        (deployment,) = found
        assert deployment["name"] == "annual"
        (schedule,) = deployment["schedules"]
        assert schedule["schedule"]["timezone"] == "Asia/Shanghai"
        form = deployment["parameter_openapi_schema"]["properties"]
        assert form["feeds"]["format"] == "path"
        assert {"year", "feeds", "warehouse", "data", "max_rejects", "recheck"} == set(form)
        made: dict = {}
        for _ in range(20):  # a busy server's database may be locked for a moment
            made = httpx.post(
                f"{server}/deployments/{deployment['id']}/create_flow_run",
                json={"parameters": {"year": 2020}},
            ).json()
            if "id" in made:
                break
            time.sleep(0.5)
        assert "id" in made, made
        state = "PENDING"
        for _ in range(120):
            state = httpx.get(f"{server}/flow_runs/{made['id']}").json()["state"]["type"]
            if state in {"COMPLETED", "FAILED", "CRASHED"}:
                break
            time.sleep(0.5)
        assert state == "COMPLETED"
        assert (tmp_path / "luohu.duckdb").exists()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def test_without_a_server_the_message_says_what_to_do(delivery: Path, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/api"
    done = luohu(
        "run", 2020, "--feeds", delivery, "--warehouse", tmp_path, env={"PREFECT_API_URL": url}
    )
    assert done.returncode == 2
    assert url in done.stderr
    assert "prefect server start" in done.stderr
    assert "--direct" in done.stderr
    assert "Traceback" not in done.stderr


def test_embedded_server_that_cannot_start_says_what_to_do(delivery: Path, tmp_path: Path) -> None:
    broken = tmp_path / "home"
    broken.mkdir()
    (broken / "prefect.db").write_bytes(b"not a database" * 1000)
    done = luohu(
        "run", 2020, "--feeds", delivery, "--warehouse", tmp_path / "w",
        env={
            "PREFECT_HOME": str(broken),
            "PREFECT_API_URL": "",
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "5",
        },
    )  # fmt: skip
    assert done.returncode == 2
    assert "could not be started" in done.stderr
    assert "prefect server start" in done.stderr


def test_a_users_own_prefect_is_left_alone() -> None:
    code = "import flows.orchestration.annual; from prefect.settings import get_current_settings as s; print(s().home)"
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() != str(Path.home() / ".prefect")
    assert "luohu" in done.stdout
