"""The limits of every request, whatever it asks: size and time; and the headers of every answer.

The outermost layer.  A request is read whole before anything looks at it, and no error goes past here.
The text of an unforeseen error may be somebody's birth date, so only its kind and place are printed.
"""

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, TypeAlias

from flows.public.json_text import MOST_BYTES

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

SECONDS_TO_SEND, SECONDS_IN_ALL = 20.0, 60.0
MOST_THROWN_AWAY = 16 * MOST_BYTES  # read of too long a body, so that the answer is read too
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
UNKEPT = {"cache-control": "no-store"}  # unless the answer says otherwise
DETAILS = {
    400: "the request ended before it was whole",
    408: f"expected the whole request within {SECONDS_TO_SEND:.0f} seconds",
    413: f"expected at most {MOST_BYTES:,} bytes",
    500: "an error nobody foresaw; nothing was kept",
    503: "too busy; try again",
}


class Refused(Exception):
    """A request that is not looked at any further."""

    def __init__(self, status: int) -> None:
        """The status it is answered with."""
        super().__init__(status)
        self.status = status


class Guard:
    """An application behind the limits."""

    def __init__(self, app: App) -> None:
        """`app` is what answers."""
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request and its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answering = Answering(send)
        try:
            async with asyncio.timeout(SECONDS_IN_ALL):
                body = await whole(scope, receive)
                await self.app(scope, once(body, receive), answering.send)
        except Refused as refused:
            await answering.refuse(refused.status)
        except TimeoutError:
            await answering.refuse(503)
        except Exception as error:  # noqa: BLE001 (nothing of it may be shown)
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(frame.filename).name}:{frame.lineno}"
            sys.stderr.write(f"luohu web: {type(error).__name__} at {place}\n")
            await answering.refuse(500)


class Answering:
    """An answer on its way out, with the headers all of them have."""

    def __init__(self, send: Send) -> None:
        """Where it goes."""
        self.onward = send
        self.started = self.ended = False

    async def send(self, message: Message) -> None:
        """One message of it."""
        if message["type"] == "http.response.start":
            self.started = True
            had = {name.lower() for name, _ in message.get("headers", ())}
            own = [
                (name.encode(), value.encode())
                for name, value in (HEADERS | UNKEPT).items()
                if name.encode() not in had
            ]
            message = {**message, "headers": [*message.get("headers", ()), *own]}
        self.ended = message["type"] == "http.response.body" and not message.get("more_body")
        await self.onward(message)

    async def refuse(self, status: int) -> None:
        """Answer that the request is refused; an answer that has begun is broken off."""
        if self.ended:  # said already
            return
        if self.started:
            raise ConnectionAbortedError
        text = f'{{"detail": "{DETAILS[status]}"}}'.encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(text)).encode()),
            (b"connection", b"close"),
        ]
        if status == 503:  # noqa: PLR2004
            headers.append((b"retry-after", b"5"))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.onward({"type": "http.response.body", "body": text})


async def whole(scope: Message, receive: Receive) -> bytes:
    """The body of a request; raises Refused for too much and too slow."""
    try:
        async with asyncio.timeout(SECONDS_TO_SEND):
            return await read(length(scope), receive)
    except TimeoutError:
        raise Refused(408) from None


async def read(announced: int, receive: Receive) -> bytes:
    """The body as it comes; what is too much is thrown away, as far as that makes sense."""
    if announced > MOST_THROWN_AWAY:
        raise Refused(413)
    pieces, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400)
        piece, more = message.get("body", b""), message.get("more_body", False)
        size += len(piece)
        if size > MOST_THROWN_AWAY:
            break
        if size <= MOST_BYTES:
            pieces.append(piece)
    if size > MOST_BYTES:
        raise Refused(413)
    return b"".join(pieces)


def length(scope: Message) -> int:
    """How long the body says it is; 0 where it says nothing."""
    stated = dict(scope["headers"]).get(b"content-length", b"0")
    return int(stated) if stated.isdigit() else 0


def once(body: bytes, receive: Receive) -> Receive:
    """A way to receive what was read already, and then what comes."""
    left = [body]

    async def received() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return received
