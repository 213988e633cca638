"""Run and serve the annual flow on Prefect: an embedded server, or the one `PREFECT_API_URL` names."""

import flows.orchestration.prefect_settings  # noqa: F401  (before Prefect reads its settings)

# isort: split
import asyncio
import logging
import signal
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from functools import partial
from inspect import signature
from io import TextIOBase
from pathlib import Path
from typing import Any, ClassVar, Self

import httpx
from prefect.exceptions import TerminationSignal
from prefect.runner import Runner
from prefect.schedules import Cron
from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings
from prefect.types.entrypoint import EntrypointType

from flows.common.failures import Failure, PrefectUnavailable
from flows.common.settings import PREFECT_PORT, Order
from flows.orchestration.annual import annual, published
from flows.orchestration.calendar import calendar
from flows.orchestration.console import say
from flows.orchestration.prefect_settings import private_home
from flows.orchestration.schedule import CALENDAR, annual_schedule, calendar_schedule, next_start
from flows.orchestration.server import STARTS_WITHIN, WITHOUT, address, embedded_server
from flows.orchestration.work_place import Workers, wanted
from flows.run.stages import Outcome
from transforms.policy import PolicyError
from transforms.rounds import rounds

NAME = "annual"
START_ONE = f"start one with `luohu server` and export PREFECT_API_URL={address(PREFECT_PORT)}"


def run_it(order: Order, workers: Workers | None = None) -> Outcome:
    """One run of the flow; raises PrefectUnavailable, saying what to do, when no server answers."""
    logging.getLogger("prefect").addFilter(without_banner)
    wanted.set(workers)
    with stopped_by_sigterm(), a_server():
        try:
            outcome = annual(**vars(order))
        except (Failure, PolicyError):
            raise
        except (RuntimeError, OSError, httpx.HTTPError) as error:
            if published:
                say("published, but Prefect's server was lost and does not show it")
                return published[-1]
            raise PrefectUnavailable(
                f"the run was lost with Prefect's server ({type(error).__name__}); {START_ONE},"
                f" {WITHOUT}"
            ) from None
    assert isinstance(outcome, Outcome)
    return outcome


def on_prefect(here: int, dask: str | None, insecure: bool) -> Callable[[Order], Outcome]:  # noqa: FBT001
    """How to run an order, its buckets on workers where any are asked for."""
    workers = Workers(here, dask, insecure) if here or dask else None
    return partial(run_it, workers=workers)


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM stop a run as Ctrl-C does: the work folder is removed and the server stopped."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except TerminationSignal:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def a_server() -> Iterator[None]:
    """The server PREFECT_API_URL names, or an embedded one."""
    url = get_current_settings().api.url
    if url is not None:
        private_home(standing=False)
        require_answer(url)
        yield
        return
    with temporary_settings({PREFECT_API_URL: embedded_server()}):
        yield


def require_answer(url: str) -> None:
    """Raise PrefectUnavailable when no server answers at an address."""
    try:
        httpx.get(f"{url.rstrip('/')}/health", timeout=15).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PrefectUnavailable(
            f"no Prefect server answers at PREFECT_API_URL={url} ({type(error).__name__});"
            f" {START_ONE}, {WITHOUT}"
        ) from None


def without_banner(record: logging.LogRecord) -> bool:
    """Keep only warnings and errors: progress is printed by the command line."""
    return record.levelno >= logging.WARNING


def serve_annual(order: dict[str, Any], cron: str | None) -> None:
    """Serve the annual flow and the calendar, each a deployment with its schedule, until stopped."""
    schedule = annual_schedule(cron)
    private_home(standing=True)
    url = standing_server(STARTS_WITHIN)
    with temporary_settings({PREFECT_API_URL: url}):
        say_when(order, next_start(schedule, datetime.now(UTC)), url)
        tempfile.tempdir = str(private_home(standing=True))  # the runner leaves folders behind
        runner = Serving(name=NAME, pause_on_shutdown=False)
        given = {name: str(value) for name, value in order.items() if value is not None}
        daily = calendar_schedule()
        for its_flow, its_schedule, its_tags in (
            (annual, schedule, []),
            (calendar, daily, [CALENDAR]),
        ):
            asked_for = signature(its_flow.fn).parameters
            runner.add_flow(
                its_flow,
                name=its_flow.name,
                parameters={name: value for name, value in given.items() if name in asked_for},
                schedule=Cron(its_schedule.cron, timezone=its_schedule.timezone),
                tags=["luohu", *its_tags],
                entrypoint_type=EntrypointType.MODULE_PATH,
            )
        report_trouble()
        try:
            with redirect_stdout(Trouble()):
                asyncio.run(runner.start())
        except (RuntimeError, OSError, httpx.HTTPError, ExceptionGroup) as error:
            raise PrefectUnavailable(
                f"Prefect's server at {url} was lost ({type(error).__name__}); the schedule stays with"
                " it: start it again, and then `luohu serve`"
            ) from None
    say("stopped; the schedule stays, and what it starts waits for the next `luohu serve`")


class Serving(Runner):
    """A runner that Ctrl-C and SIGTERM stop alike: runs are cancelled, and then it ends."""

    def handle_sigterm(self, *_: Any, **__: Any) -> None:
        """Stop in the loop that runs; Prefect's own handler forgets to await it."""
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(lambda: loop.create_task(self.astop()))

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        signal.signal(signal.SIGINT, self.handle_sigterm)
        return self


def report_trouble() -> None:
    """Show what the runner warns of, a line each: that a run's process died, for one."""
    # a runner that stops while its server is lost drops what it would have sent
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(OneLine())
    logging.getLogger("prefect.runner").addHandler(handler)


class Trouble(TextIOBase):
    """What a runner that has lost its server prints: instead of pages of traceback, one line."""

    said: ClassVar = {
        "Failed the last": "Prefect's server does not answer; trying again",
        "Resetting backoff": "Prefect's server answers again",
    }

    def write(self, text: str) -> int:
        """Say a line for what is known, and nothing else."""
        for begins, message in self.said.items():
            if text.lstrip().startswith(begins):
                say(message)
        return len(text)


class OneLine(logging.Formatter):
    """The first line of a message, without its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """As luohu prints every line."""
        return "luohu: " + record.getMessage().partition("\n")[0]


def standing_server(patience: float) -> str:
    """The address of the server that answers; raises PrefectUnavailable when none does for long.

    Without PREFECT_API_URL it is the one `luohu server` starts where no port is named.  A server
    that was just started is waited for, `patience` seconds.
    """
    url = get_current_settings().api.url
    tried = url or address(PREFECT_PORT)
    end = time.monotonic() + (patience if url else 0)
    waited = False
    while True:
        try:
            require_answer(tried)
        except PrefectUnavailable:
            if time.monotonic() > end:
                if url:
                    raise
                raise PrefectUnavailable(
                    f"a schedule needs a standing Prefect server, and none answers at {tried};"
                    f" {START_ONE}"
                ) from None
            if not waited:
                say(f"no server answers at {tried} yet; waiting up to {patience} s")
            waited = True
            time.sleep(1)
        else:
            return tried


def say_when(order: dict[str, Any], start: datetime, url: str) -> None:
    """What will happen next, and what is amiss with it."""
    say(f"serving the annual run on {url} until stopped")
    say(f"next start: {start:%Y-%m-%d %H:%M} Beijing time, for round {start.year}")
    daily = next_start(calendar_schedule(), datetime.now(UTC))
    say(f"what is due in each round is done every day, next {daily:%Y-%m-%d %H:%M}")
    there = rounds(Path(order["data"]) / "rounds")
    if start.year not in there:
        say(f"there is no round {start.year} yet; until its file is added, the run will fail")
    if order["feeds"] is None:
        say("without --feeds a run is made on what departments delivered")
    elif "{year}" not in str(order["feeds"]):
        say("--feeds has no {year} in it: the run of every year will read the same folder")
