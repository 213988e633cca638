"""The flow on real Prefect servers: embedded ones, and a standing one as README says to start it.

Prefect is imported by whoever needs it: at the top, every worker would import it to list its tests,
for more than two seconds each.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta, timezone
from inspect import signature
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import psutil
import pytest
from commands import luohu
from delivering import bring, tables_later
from planted import ID, NAME, Planted, servers_of

from flows.common.failures import BadUsage, PrefectUnavailable
from flows.common.settings import DATA, HOME, Order
from flows.ledger.file import read
from flows.orchestration import prefect_settings
from flows.orchestration.prefect_settings import private_home
from flows.orchestration.server import bound, embedded_server
from flows.run import stages
from flows.run.stages import Outcome
from flows.simulate import simulate
from schemas.feeds import FEEDS

server_test = pytest.mark.server
PATIENCE = 240  # seconds; the machine may have other work
BEIJING = timezone(timedelta(hours=8))
THIS_YEAR = datetime.now(BEIJING).year
# told of every address that a process of ours turns to
SPY = """
import os, sys
def seen(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        address = arguments[1] if event == "socket.connect" else arguments[0]
        with open(os.environ["ADDRESSES"], "a") as file:
            print(address, file=file)
sys.addaudithook(seen)
"""


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """The first true value of a condition."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError(f"waited {PATIENCE} s for {what}")


def free_port() -> int:
    with bound(0) as listening:
        return int(listening.getsockname()[1])


def digests(warehouse: Path) -> tuple[str, str]:
    (path,) = warehouse.glob("runs/2020/*/manifest.json")
    found = json.loads(path.read_text())
    return found["run_id"], found["result_digest"]


@dataclass
class Standing:
    """`luohu server` and `luohu serve`, as README says to start them."""

    home: Path
    url: str
    server: subprocess.Popen[bytes]
    serve: subprocess.Popen[bytes]
    feeds: Path
    warehouse: Path
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        """What a user exports, once the server answers."""
        wait_for(lambda: "export" in self.console("server"), "the server")
        return {"PREFECT_HOME": str(self.home), "PREFECT_API_URL": self.url}

    def console(self, name: str) -> str:
        return (self.folder / f"{name}.txt").read_text()

    def asked(self, path: str, **body: Any) -> list[dict[str, Any]]:
        """What the server answers; its database may be locked for a moment."""

        def answer() -> httpx.Response | None:
            try:
                found = httpx.post(f"{self.url}/{path}", json=body, timeout=30)
            except httpx.HTTPError:
                return None
            return found if found.is_success else None

        found = wait_for(answer, path).json()
        return found if isinstance(found, list) else [found]

    def deployment(self, name: str = "annual") -> dict[str, Any]:
        named = {"name": {"any_": [name]}}
        return wait_for(
            lambda: self.asked("deployments/filter", deployments=named), "the deployment"
        )[0]

    def ended(self, run_id: str) -> dict[str, Any]:
        """A flow run when it is over."""

        def over() -> dict[str, Any] | None:
            (run,) = self.asked("flow_runs/filter", flow_runs={"id": {"any_": [run_id]}})
            final = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
            return run if run["state"]["type"] in final else None

        return wait_for(over, "the run to end")

    def begin(self, name: str, **parameters: Any) -> str:
        """Start a run of a deployment as the page does."""
        path = f"deployments/{self.deployment(name)['id']}/create_flow_run"
        return str(self.asked(path, parameters=parameters)[0]["id"])

    def started(self, name: str = "annual", **parameters: Any) -> dict[str, Any]:
        """A run of a deployment as the page starts one, when it is over."""
        return self.ended(self.begin(name, **parameters))

    def artifacts(self, run_id: str) -> dict[str, str]:
        of_run = {"flow_run_id": {"any_": [run_id]}}
        found = self.asked("artifacts/filter", artifacts=of_run)
        return {each["key"]: each["data"] for each in found}

    def logged(self, run_id: str) -> list[str]:
        filters = {"flow_run_id": {"any_": [run_id]}}
        return [each["message"] for each in self.asked("logs/filter", logs=filters)]


def begun(
    folder: Path, name: str, *arguments: object, env: dict[str, str]
) -> subprocess.Popen[bytes]:
    """A command in the background, in another folder than the code's, its console in a file."""
    with (folder / f"{name}.txt").open("wb") as console:
        return subprocess.Popen(
            [sys.executable, "-m", "flows.cli", *map(str, arguments)],
            env=os.environ | env | {"PYTHONPATH": f"{folder}{os.pathsep}{HOME}", "ADDRESSES": str(folder / "addresses.txt")},
            cwd=folder, stdin=subprocess.DEVNULL, stdout=console, stderr=console,
        )  # fmt: skip


def emptied_home(of: Path, home: Path) -> Path:
    """A home with the database of another, all tables there and no row: making them takes Prefect 5 s of CPU.

    That a server makes its own where there is none is seen by `planted_run`.
    """
    home.mkdir(mode=0o700)
    path = Path(shutil.copy(of / "prefect.db", home))
    with sqlite3.connect(path) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            if name not in {"alembic_version", "configuration"}:
                database.execute(f'DELETE FROM "{name}"')
    database.close()
    return home


@pytest.fixture(scope="module", autouse=True)
def standing(planted_run: Planted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Started first, so that a scheduled run falls due while the other tests run."""
    folder = tmp_path_factory.mktemp("standing")
    (folder / "sitecustomize.py").write_text(SPY)
    home, port = emptied_home(planted_run.home, folder / "home"), free_port()
    env = {"PREFECT_HOME": str(home), "PREFECT_API_URL": ""}
    server = begun(folder, "server", "server", "--port", port, env=env)
    data = this_year(folder)
    feeds = folder / "feeds"
    simulate(THIS_YEAR, feeds / str(THIS_YEAR), applicants=120, seed=3, dirty=0, data=data)
    url = f"http://127.0.0.1:{port}/api"
    serve = begun(
        folder, "serve", "serve", "--feeds", "feeds/{year}", "--warehouse", "warehouse", "--data", data,
        "--cron", soon(), env=env | {"PREFECT_API_URL": url},
    )  # fmt: skip
    yield Standing(home, url, server, serve, feeds, folder / "warehouse", folder)
    for process in (serve, server):
        if process.poll() is None:
            process.kill()
        process.wait(timeout=30)


def soon() -> str:
    """A schedule that is due when the server is up, and again should the machine have other work.

    Each of its runs costs as much as some tests do: every minute would be too often.
    """
    first = datetime.now(UTC) + timedelta(seconds=60 + 45)
    minutes = sorted((first.minute + more) % 60 for more in (0, 3, 6, 9, 12))
    return f"{','.join(map(str, minutes))} * * * *"


def this_year(folder: Path) -> Path:
    """The policy and rounds, with a round of this year should there be none yet."""
    data = Path(
        shutil.copytree(DATA, folder / "data", ignore=shutil.ignore_patterns("__pycache__"))
    )
    if not (data / "rounds" / f"{THIS_YEAR}.toml").exists():
        (data / "rounds" / f"{THIS_YEAR}.toml").write_text(
            f"year = {THIS_YEAR}\npolicy_date = {THIS_YEAR}-04-20\n"
            f'reference_date = {THIS_YEAR - 1}-12-31\nquota = 6000\ncite = "a test"\n'
        )
    return data


# Without a server


@pytest.mark.parametrize(
    ("start", "year"),
    [
        ("2026-12-31T15:59:59+00:00", 2026),
        ("2026-12-31T16:00:00+00:00", 2027),  # midnight in Beijing
        ("2026-12-31T16:30:00+00:00", 2027),
        ("2027-01-01T00:30:00+08:00", 2027),
        ("2026-12-31T23:30:00+08:00", 2026),
        ("2026-12-31T11:00:00-05:00", 2027),
        ("2026-07-01T00:00:00+00:00", 2026),
    ],
)
def test_a_run_is_for_the_year_it_is_due_in_in_beijing(start: str, year: int) -> None:
    from flows.orchestration.schedule import year_of

    assert year_of(datetime.fromisoformat(start)) == year


def test_the_default_start_lies_between_the_appeals_and_the_publication_of_todays_rounds() -> None:
    from flows.orchestration.schedule import annual_schedule, next_start

    start = next_start(annual_schedule(None), datetime(2026, 1, 1, tzinfo=UTC))
    assert date(2026, 6, 11) < start.date() < date(2026, 7, 10)
    assert start.utcoffset() is not None
    assert next_start(annual_schedule(None), start).year in {2026, 2027}


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "tomorrow",
        "0 8 1 7",
        "0 8 32 7 *",
        "99 8 1 7 *",
        "0 0 30 2 *",
        "R 8 1 7 *",
        "@yearly\n",
        "0 8 1 7 * * * *",
    ],
)
def test_a_cron_line_that_never_comes_is_one_clear_line(cron: str) -> None:
    from flows.orchestration.schedule import annual_schedule

    with pytest.raises(BadUsage, match="expected minute, hour, day, month and weekday") as raised:
        annual_schedule(cron)
    assert len(str(raised.value).splitlines()) == 1
    assert repr(cron) in str(raised.value)


def test_the_flow_asks_for_what_an_order_is_made_of() -> None:
    from flows.orchestration.annual import annual

    assert set(signature(annual.fn).parameters) == {field.name for field in fields(Order)}


def test_without_a_server_serve_says_which_command_starts_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from flows.orchestration import prefect_run

    monkeypatch.setattr(prefect_run, "PREFECT_PORT", free_port())
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(
        PrefectUnavailable, match=r"needs a standing .*`luohu server`.*PREFECT_API_URL="
    ):
        prefect_run.standing_server(0)


def test_no_message_names_a_bare_server() -> None:
    texts = [
        *HOME.glob("flows/**/*.py"),
        *HOME.glob("docs/*"),
        HOME / "README.md",
        HOME / "Makefile",
    ]
    assert len(texts) > 50
    assert [
        path.name for path in texts if "prefect server start" in path.read_text(encoding="utf-8")
    ] == []


def test_a_home_is_closed_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    with sqlite3.connect(home / "prefect.db") as database:
        database.execute("CREATE TABLE one (n INTEGER)")
    database.close()
    (home / "prefect.db").chmod(0o644)
    monkeypatch.setenv("PREFECT_HOME", str(home))
    private_home(standing=True)
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "prefect.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("spoilt", ["file", "sticky", "user's home", "no database"])
def test_a_home_that_is_none_is_one_clear_line(
    spoilt: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    if spoilt == "file":
        home.write_text("no folder")
    else:
        home.mkdir()
        home.chmod(0o1777 if spoilt == "sticky" else 0o755)
    if spoilt == "no database":
        (home / "prefect.db").write_bytes(b"not a database" * 1000)
    if spoilt == "user's home":
        monkeypatch.setattr(prefect_settings, "USER", home)
    monkeypatch.setenv("PREFECT_HOME", str(home))
    with pytest.raises(PrefectUnavailable, match=str(home)) as raised:
        private_home(standing=True)
    assert len(str(raised.value).splitlines()) == 1
    if spoilt != "no database":
        assert home.stat().st_mode & 0o777 != 0o700


def test_a_users_own_prefect_is_left_alone_and_nothing_turns_telemetry_on() -> None:
    code = (
        "import os, flows.orchestration.prefect_settings\n"
        "from prefect.settings import get_current_settings as s\n"
        "print(s().home, os.environ['DO_NOT_TRACK'], s().server.analytics_enabled, s().server.ui.v2_enabled)"
    )
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    on = {
        "DO_NOT_TRACK": "0",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "true",
        "PREFECT_SERVER_UI_V2_ENABLED": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean | on, check=True, capture_output=True, text=True
    )
    home, *telemetry = done.stdout.split()
    assert home != str(Path.home() / ".prefect")
    assert "luohu" in home
    assert telemetry == ["1", "False", "False"]


def test_a_server_that_does_not_answer_is_told_with_what_to_do() -> None:
    from flows.orchestration import prefect_run

    url = f"http://127.0.0.1:{free_port()}/api"
    with pytest.raises(PrefectUnavailable, match=f"{url}.*`luohu server`.*--direct") as raised:
        prefect_run.require_answer(url)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_the_units_are_units(tmp_path: Path) -> None:
    for name in ("luohu-server.service", "luohu-serve.service"):
        text = (HOME / "docs" / name).read_text(encoding="utf-8")
        assert "UMask=0077" in text
        (tmp_path / name).write_text(text.replace("/opt/luohu/.venv/bin/luohu", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", *tmp_path.iterdir()],
        check=False,
        capture_output=True,
        text=True,
    )
    found = done.stdout + done.stderr
    assert not [line for line in found.splitlines() if "luohu-serve" in line], found


# On a standing server


@server_test
def test_standing_server_gives_the_same_digests_and_shows_the_run(
    delivery: Path, published: tuple[Path, Outcome], standing: Standing, tmp_path: Path
) -> None:
    done = luohu("run", 2020, "--feeds", delivery, "--warehouse", tmp_path, env=standing.env)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert digests(tmp_path) == digests(published[0])
    (run,) = standing.asked("flow_runs/filter", flow_runs={"name": {"any_": ["round-2020"]}})
    assert run["state"]["type"] == "COMPLETED"
    of_run = {"flow_run_id": {"any_": [run["id"]]}}
    tasks = standing.asked("task_runs/filter", flow_runs={"id": of_run["flow_run_id"]})
    names = {each["name"].rsplit("-", 1)[0] for each in tasks}
    assert names == {"recheck", "ingest", "score", "rank", "publish"}
    artifacts = standing.artifacts(run["id"])
    assert set(artifacts) == {"round-2020", "rejects-2020", "report-2020"}
    settled = published[1].line.settled
    assert f"| settled (落户人数) | {settled:,} |" in artifacts["round-2020"]
    (report,) = tmp_path.glob("runs/2020/*/report.html")
    assert report.as_uri() in artifacts["report-2020"]
    kept = pl.read_parquet(report.with_name("rejects.parquet"))
    shown = json.loads(artifacts["rejects-2020"])
    assert sum(each["rows"] for each in shown) == kept.height > 0
    assert {tuple(each) for each in shown} == {("feed", "column_name", "check_name", "rows")}


@server_test
def test_a_failure_is_one_sentence_everywhere(
    copied: Path, standing: Standing, tmp_path: Path
) -> None:
    for path in (copied / "honours").iterdir():
        path.unlink()
    (copied / "honours" / "no_header.csv").write_text(
        f"{ID},{NAME},2019-01-01,\n", encoding="utf-8"
    )
    done = luohu("run", 2020, "--feeds", copied, "--warehouse", tmp_path, env=standing.env)
    assert done.returncode == 2
    assert done.stderr.startswith("luohu: honours/part-0 (")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "luohu.duckdb").exists()
    assert ID not in done.stderr
    assert NAME not in done.stderr
    sentence = done.stderr.removeprefix("luohu: ").strip()
    one_failed = {"name": {"any_": ["round-2020"]}, "state": {"type": {"any_": ["FAILED"]}}}
    (run,) = standing.asked("flow_runs/filter", flow_runs=one_failed)
    assert run["state"]["message"] == sentence
    tasks = standing.asked("task_runs/filter", flow_runs={"id": {"any_": [run["id"]]}})
    assert [each["state"]["message"] for each in tasks] == [sentence]
    kept = [path.read_bytes() for path in standing.home.rglob("*") if path.is_file()]
    for personal in (ID, NAME, NAME.encode("unicode_escape").decode()):
        assert not any(personal.encode() in each for each in kept)
    logged = standing.logged(run["id"])
    assert any(sentence in each for each in logged)
    assert [each for each in logged if "Traceback" in each or len(each.splitlines()) > 1] == []


@server_test
def test_deployment_has_a_schedule_and_a_typed_form(standing: Standing) -> None:
    deployment = standing.deployment()
    assert deployment["name"] == "annual"
    (schedule,) = deployment["schedules"]
    assert schedule["schedule"]["timezone"] == "Asia/Shanghai"
    form = deployment["parameter_openapi_schema"]["properties"]
    assert {"type": "string", "format": "path"} in form["feeds"]["anyOf"]
    assert set(form) == {field.name for field in fields(Order)}


@server_test
@pytest.mark.soak  # a process of its own; the calendar's failure goes the same way through the server
def test_a_run_of_a_round_there_is_none_of_fails_in_one_sentence(standing: Standing) -> None:
    run = standing.started(year=1999)
    assert run["name"] == "round-1999"
    assert run["state"]["type"] == "FAILED"
    assert run["state"]["message"].startswith("there is no round 1999; rounds: 2018, ")
    assert [each for each in standing.logged(run["id"]) if "Traceback" in each] == []
    console = standing.console("serve")
    assert f"luohu: round-1999 failed: {run['state']['message']}\n" in console
    assert "Traceback" not in console


@server_test
def test_the_standing_server_has_our_settings(standing: Standing) -> None:
    assert f"export PREFECT_API_URL={standing.url}\n" in standing.console("server")
    found = httpx.get(f"{standing.url}/admin/settings", timeout=30).json()["server"]
    assert found["analytics_enabled"] is False
    assert found["services"]["scheduler"]["max_scheduled_time"] == "P1Y35D"  # 400 days
    listens = [
        each.laddr.ip
        for each in psutil.Process(standing.server.pid).net_connections()
        if each.status == psutil.CONN_LISTEN
    ]
    assert set(listens) == {"127.0.0.1"}
    assert standing.home.stat().st_mode & 0o777 == 0o700
    assert [path for path in standing.home.rglob("*.db*") if path.stat().st_mode & 0o077] == []
    from_elsewhere = httpx.get(
        f"{standing.url}/health", headers={"Origin": "http://elsewhere.test"}
    )
    assert "access-control-allow-origin" not in from_elsewhere.headers
    # a page that would be fetched from the network comes from what is installed
    assert httpx.get(f"{standing.url}/collections/views/aggregate-worker-metadata").is_success


@server_test
def test_a_busy_port_is_one_clear_line(standing: Standing, tmp_path: Path) -> None:
    port = standing.url.split(":")[2].split("/")[0]
    done = luohu("server", "--port", port, env={"PREFECT_HOME": str(tmp_path / "home")})
    assert done.returncode == 2
    assert done.stderr.startswith(
        f"luohu: --port: expected a free port of 127.0.0.1, found {port}: "
    )
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rehearsal of 2021 in which every feed was delivered by 1 May."""
    folder = tmp_path_factory.mktemp("delivered")
    simulate(2021, folder / "feeds", applicants=60, seed=5, dirty=0, data=DATA)
    with tables_later():
        for feed in FEEDS:
            bring(
                *(folder / "w", feed, [folder / "feeds" / feed], "all", "2021-05-01"),
                delivered_at="2021-04-30",
            )
    return folder / "w"


@server_test
def test_the_calendar_does_each_due_step_once_and_raises_the_alarm(
    standing: Standing, delivered: Path
) -> None:
    """The clock goes from phase to phase, once past a whole one, and twice it is looked at once."""

    def ticks(at: str, times: int = 1) -> list[dict[str, Any]]:
        begun = [standing.begin("calendar", warehouse=str(delivered), at=at) for _ in range(times)]
        return [standing.ended(each) for each in begun]

    deployment = standing.deployment("calendar")
    assert [each["schedule"]["cron"] for each in deployment["schedules"]] == ["5 8 * * *"]
    # a week and more after departments' results were gathered and applicants may ask for theirs
    runs = ticks("2021-06-11T08:05", 2)
    assert {each["state"]["type"] for each in runs} == {"COMPLETED"}
    assert [each["state"]["message"] for each in runs].count("nothing is due") == 1
    shown = {key: each for run in runs for key, each in standing.artifacts(run["id"]).items()}
    assert set(shown) == {"round-2021", "rejects-2021", "report-2021", "status-2021"}
    assert "| applications (申报人数) | 60 |" in shown["round-2021"]
    assert "phase: query 审核结果查询" in shown["status-2021"]
    (late,) = ticks("2021-07-12T08:05")
    assert late["name"] == "calendar-2021-07-12T08:05"
    assert late["state"]["type"] == "FAILED"
    sentence = late["state"]["message"]
    assert sentence.startswith("round 2021: the list is not published, and publication 公示 began")
    assert "**late**: a published list" in standing.artifacts(late["id"])["status-2021"]
    only_late = {"event": {"name": ["luohu.late"]}}
    (event,) = wait_for(
        lambda: standing.asked("events/filter", filter=only_late)[0]["events"], "the event"
    )
    assert event["resource"]["prefect.resource.id"] == "luohu.round.2021"
    assert f"round 2021: {event['payload']['message']}" == sentence
    assert f"luohu: {late['name']} failed: {sentence}\n" in standing.console("serve")
    assert [each for each in standing.logged(late["id"]) if "Traceback" in each] == []
    steps = [
        (each.body["step"], each.body["phase"]) for each in read(delivered).standing("tick", 2021)
    ]
    assert len(set(steps)) == len(steps) == 9
    assert len(list(read(delivered).standing("run", 2021))) == 1
    # the annual run, too, runs on what was delivered where no folder is named
    run = standing.started(year=2021, feeds=None, warehouse=str(delivered))
    assert run["state"]["type"] == "COMPLETED", run["state"]
    first, again = read(delivered).standing("run", 2021)
    assert again.body["id"] == first.body["id"]
    assert again.body["deliveries"] == first.body["deliveries"] != []


# By now the schedule has fired


@server_test
def test_a_scheduled_run_happens_and_completes(standing: Standing) -> None:
    scheduled = {"name": {"any_": [f"round-{THIS_YEAR}"]}}
    first = {"sort": "EXPECTED_START_TIME_ASC", "limit": 1}
    (run,) = wait_for(
        lambda: standing.asked("flow_runs/filter", flow_runs=scheduled, **first),
        "the schedule to fire",
    )
    assert run["auto_scheduled"]
    assert run["created_by"]["type"] == "SCHEDULE"
    run = standing.ended(run["id"])
    assert run["state"]["type"] == "COMPLETED", run["state"]
    wait_for(
        lambda: f"luohu: round-{THIS_YEAR} completed\n" in standing.console("serve"), "the line"
    )
    assert (standing.warehouse / "luohu.duckdb").exists()
    assert len(list(standing.warehouse.glob(f"runs/{THIS_YEAR}/*"))) == 1


@server_test
def test_a_run_is_named_for_its_round_before_it_starts(standing: Standing) -> None:
    from flows.orchestration.schedule import day_of, year_of

    planned = standing.asked(
        "flow_runs/filter", flow_runs={"state": {"type": {"any_": ["SCHEDULED"]}}}
    )
    assert planned
    for run in planned:
        due = datetime.fromisoformat(run["expected_start_time"])
        is_daily = "calendar" in run["tags"]
        assert run["name"] == (f"calendar-{day_of(due)}" if is_daily else f"round-{year_of(due)}")
    assert {"calendar" in run["tags"] for run in planned} == {True, False}


@server_test
def test_both_stop_when_told_and_the_schedule_stays(standing: Standing) -> None:
    standing.serve.send_signal(signal.SIGTERM)
    assert standing.serve.wait(timeout=PATIENCE) == 0
    console = standing.console("serve")
    assert "never awaited" not in console
    assert "Warning" not in console
    assert "Traceback" not in console
    for deployment in (standing.deployment(), standing.deployment("calendar")):
        assert deployment["paused"] is False
        assert [each["active"] for each in deployment["schedules"]] == [True]
    started = psutil.Process(standing.server.pid).children(recursive=True)
    standing.server.send_signal(signal.SIGTERM)
    assert standing.server.wait(timeout=PATIENCE) == 0
    assert [each for each in started if each.is_running()] == []
    kept = b"".join(path.read_bytes() for path in standing.home.rglob("*") if path.is_file())
    people = pl.concat(
        pl.read_parquet(path, columns=["person_id"]).cast(pl.String)
        for path in (standing.feeds / str(THIS_YEAR) / "applications").iterdir()
    )["person_id"]
    assert people.len() > 100
    assert [each for each in [*people, ID, NAME] if each.encode() in kept] == []


@server_test
def test_nothing_turned_to_an_address_that_is_not_this_machine(standing: Standing) -> None:
    found = set((standing.folder / "addresses.txt").read_text().splitlines())
    outside = [
        each
        for each in found
        if "127.0.0.1" not in each and not each.startswith(("/", "b'", "localhost"))
    ]
    assert found
    assert outside == []


# On an embedded server


@server_test
def test_embedded_server_gives_the_same_digests_and_is_gone(
    planted_run: Planted, tmp_path: Path
) -> None:
    """`run_planted` looks for the server as soon as the run is over."""
    home = planted_run.home
    stages.run(Order(2020, planted_run.feeds, tmp_path, max_rejects="1"))
    assert "settled" in planted_run.stdout
    assert planted_run.stderr == ""
    assert digests(planted_run.warehouse) == digests(tmp_path)
    assert [path for path in [home, *home.rglob("*")] if path.stat().st_mode & 0o077] == []
    with sqlite3.connect(home / "prefect.db") as database:
        tasks = database.execute("SELECT state_name FROM task_run").fetchall()
        names = database.execute("SELECT name, state_name FROM flow_run").fetchall()
    database.close()
    assert tasks == [("Completed",)] * 5
    assert names == [("round-2020", "Completed")]


@server_test
@pytest.mark.parametrize(
    "how", [pytest.param(signal.SIGTERM, marks=pytest.mark.soak), signal.SIGKILL]
)
def test_a_run_that_is_killed_leaves_no_server_behind(
    how: signal.Signals, delivery: Path, tmp_path: Path
) -> None:
    home, warehouse = tmp_path / "home", tmp_path / "warehouse"
    process = begun(
        tmp_path, "run", "run", 2020, "--feeds", delivery, "--warehouse", warehouse,
        env={"PREFECT_HOME": str(home), "PREFECT_API_URL": ""},
    )  # fmt: skip
    wait_for(lambda: servers_of(home), "the embedded server")
    if how == signal.SIGTERM:
        wait_for(warehouse.exists, "the run to begin")  # the other one dies while its server starts
    process.send_signal(how)
    assert process.wait(timeout=PATIENCE) == (2 if how == signal.SIGTERM else -9)
    wait_for(lambda: not servers_of(home), "the server to be gone")
    told = (tmp_path / "run.txt").read_text()
    assert told == ("luohu: stopped; nothing was published\n" if how == signal.SIGTERM else "")
    assert not (warehouse / "luohu.duckdb").exists()


@server_test
def test_embedded_server_that_cannot_start_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(tmp_path / "prefect.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('of another Prefect')")
    database.close()
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    with pytest.raises(
        PrefectUnavailable, match=r"could not be started.*`luohu server`.*--direct"
    ) as raised:
        embedded_server()
    assert len(str(raised.value).splitlines()) == 1
    assert servers_of(tmp_path) == []
