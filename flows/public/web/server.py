"""The server: uvicorn without a log, on an address of one's own choice."""

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from flows.common.failures import BadUsage
from flows.public.web.app import web_app
from flows.public.web.patience import Patient

MOST_CONNECTIONS = 512
SECONDS_IDLE, SECONDS_TO_END = 5, 5


def serve(
    warehouse: Path,
    host: str,
    port: int,
    announce: Callable[[str], None],
    *,
    preliminary: bool = False,
) -> None:
    """Serve until stopped; `announce` is called with the address once it answers."""
    logging.disable()  # what a library says of a request that makes no sense may quote it
    with listening(host, port) as at:
        config = uvicorn.Config(
            web_app(warehouse, preliminary=preliminary),
            http=Patient,
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=SECONDS_IDLE,
            timeout_graceful_shutdown=SECONDS_TO_END,
        )
        Announced(config, lambda: announce(address(at))).run(sockets=[at])


class Announced(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        """`ready` is called once the server answers."""
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            self.ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop in order on a signal, with status 0: uvicorn would raise the signal again afterwards."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def listening(host: str, port: int) -> socket.socket:
    """The socket; raises BadUsage for an address one cannot listen at."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        at = socket.create_server((host, port), family=family, backlog=1024)
        # connections inherit it; else the end of an answer waits 40 ms for a sign from its reader
        at.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        # Python adds the address to what the system says, which is said already
        why = str(error.strerror).partition(" (while ")[0]
        raise BadUsage(f"cannot listen at {host} port {port}: {why}") from None
    return at


def address(at: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = at.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
