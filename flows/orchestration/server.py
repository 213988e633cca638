"""Prefect's server with luohu's settings: a standing one, and one embedded in a run.

It listens on the loopback device only, its files are for their owner only, and it sends nothing
anywhere.  The embedded one is a process of its own that ends with the run, however that ends: the
run holds the other end of its standard input.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from flows.common.failures import PrefectUnavailable
from flows.common.settings import HOME, PREFECT_PORT
from flows.orchestration.prefect_settings import private_home

HOST = "127.0.0.1"
STARTS_WITHIN = 180  # seconds; a first start creates the database, and two at once need longer
STOPS_WITHIN = 5
WITHOUT = "or run without Prefect: luohu run ROUND --feeds DIR --direct"


def address(port: int) -> str:
    """The value of PREFECT_API_URL for a server on this machine."""
    return f"http://{HOST}:{port}/api"


def serve_standing(port: int, announce: Callable[[Path], None]) -> None:
    """Be Prefect's server until stopped; raises PrefectUnavailable when the port or the home is taken.

    `announce` is called with Prefect's home once the server answers.
    """
    listening = bound(port)
    # nothing else reports this server's troubles; and what it serves is its own, not another's
    os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "WARNING"
    os.environ.pop("PREFECT_API_URL", None)
    home = private_home(standing=True)
    # when uvicorn has stopped, it raises the signal that stopped it again: that is no failure
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with suppress(KeyboardInterrupt):
        answer(listening, "warning", lambda: announce(home), embedded=False)


def bound(port: int) -> socket.socket:
    """A socket that listens on a port of this machine; raises PrefectUnavailable when it is taken."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise PrefectUnavailable(
            f"--port: expected a free port of {HOST}, found {port}: {error.strerror}; name another"
        ) from None
    return listening


def answer(
    listening: socket.socket, log_level: str, announce: Callable[[], None], *, embedded: bool
) -> None:
    """Be the server on a socket until stopped; raises PrefectUnavailable when it cannot start."""
    port = listening.getsockname()[1]
    os.environ |= {
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_UI_API_URL": address(port),
        # no page from elsewhere may start runs through the browser of somebody on this machine
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://{HOST}:{port},http://localhost:{port}",
    }
    os.umask(0o077)
    import uvicorn
    from prefect.server.api import collections
    from prefect.server.api.server import create_app

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                announce()

    for view in collections.KNOWN_VIEWS:
        collections.KNOWN_VIEWS[view] = (
            "nowhere:"  # a page would fetch it; what is installed is shown
        )
    name_planned_runs()
    server = Announced(
        uvicorn.Config(
            create_app(final=True, ephemeral=embedded),
            log_level=log_level,
            loop="asyncio",
            timeout_graceful_shutdown=STOPS_WITHIN,
        )
    )
    server.run(sockets=[listening])
    if not server.started:
        raise PrefectUnavailable("Prefect's server could not be started; the reason stands above")


def name_planned_runs() -> None:
    """Call a run for its round or day once it is planned: Prefect gives it a name by lot until it starts."""
    from prefect.server.database.orm_models import FlowRun

    from flows.orchestration.schedule import CALENDAR, day_of, year_of

    default = FlowRun.__table__.c.name.default
    by_lot = default.arg

    def name(context: Any) -> str:
        given = context.get_current_parameters()
        due = given.get("expected_start_time")
        if due is None:
            return str(by_lot(context))
        if CALENDAR in (given.get("tags") or []):
            return f"{CALENDAR}-{day_of(due)}"
        return f"round-{year_of(due)}"

    default.arg = name


def embedded_server() -> str:
    """Start a server of this process, which ends with it; gives the value for PREFECT_API_URL."""
    private_home(standing=False)
    with bound(0) as listening:
        url = address(listening.getsockname()[1])
        path = [str(HOME), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        process = subprocess.Popen(  # noqa: S603  (our own module)
            [sys.executable, "-P", "-m", "flows.orchestration.server", str(listening.fileno())],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path))},
            pass_fds=[listening.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the run, which stops its server last
        )
    # at the very end: as the interpreter leaves, Prefect still sends what it has not yet sent
    atexit.register(stop, process)
    wait_for_answer(url, process)
    return url


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop an embedded server."""
    process.terminate()
    try:
        process.wait(STOPS_WITHIN + 1)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()


def wait_for_answer(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the server answers; raises PrefectUnavailable when it ended or takes too long."""
    import httpx

    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/health", timeout=5).is_success:
                return
        time.sleep(0.1)
    state = "takes too long" if process.poll() is None else f"ended with {process.returncode}"
    raise PrefectUnavailable(
        f"Prefect's embedded server could not be started (it {state}): `luohu server` shows why;"
        f" start that and set PREFECT_API_URL={address(PREFECT_PORT)}, {WITHOUT}"
    )


def end_with_parent() -> None:
    """Stop this process when its standard input closes, which is when the run's process is gone."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOPS_WITHIN)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    answer(socket.socket(fileno=int(sys.argv[1])), "critical", lambda: None, embedded=True)
