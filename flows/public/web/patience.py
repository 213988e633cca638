"""A connection has some seconds to ask something: one that dribbles its header is closed."""

from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS = 15.0


class Patient(H11Protocol):
    """HTTP as uvicorn speaks it, with an end to waiting for a request's first lines."""

    waiting: TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Somebody is there; the time begins."""
        super().connection_made(transport)
        self.wait()

    def data_received(self, data: bytes) -> None:
        """Something came: once the header is whole the time ends, until the next one begins."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self.wait_no_more()
        elif self.waiting is None:
            self.wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self.wait_no_more()
        super().connection_lost(exc)

    def wait(self) -> None:
        """Close in a while."""
        self.waiting = self.loop.call_later(SECONDS, self.too_slow)

    def wait_no_more(self) -> None:
        """Do not."""
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None

    def too_slow(self) -> None:
        """Hang up, unless an answer is on its way."""
        self.waiting = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
