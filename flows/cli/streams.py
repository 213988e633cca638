"""stdout and stderr that never fail a command: what they cannot take is remembered, and reported once.

A pipe whose reader went away (`| head`) has what it wanted.  A full disk is reported on stderr; the
exit status stays the one of the work where that is done (published, say), and is 2 where the result was
all the command was for.  A character that stdout's encoding lacks is written as its escape.
"""

import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from flows.common.shapes import visible

STOPS_OR_SURROGATES = ("strict", "surrogateescape")

_done = False  # whether the work of the running command lies on disk already


class Sturdy:
    """A text stream whose write errors are kept instead of raised."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.trouble: OSError | None = None

    def write(self, text: str) -> int:
        """Write as long as that can be done."""
        if not isinstance(text, str):
            raise TypeError("expected text")  # typer asks so whether a stream is one of bytes
        self.attempt(self.stream.write, text)
        return len(text)

    def flush(self) -> None:
        """Flush as long as that can be done."""
        self.attempt(self.stream.flush)

    def attempt(self, what: Any, *given: str) -> None:
        """Do it, or remember why it cannot be done."""
        if self.trouble is None:
            try:
                what(*given)
            except OSError as error:
                self.trouble = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def work_is_done() -> None:
    """From here on a result that cannot be printed is no failure: all else was done."""
    global _done  # noqa: PLW0603 (one command a process)
    _done = True


@contextmanager
def sturdy_streams() -> Iterator[Sturdy]:
    """Stdout and stderr that never raise; yields stdout, restores both."""
    global _done  # noqa: PLW0603
    _done = False
    before = sys.stdout, sys.stderr
    out, err = (Sturdy(usable(stream)) for stream in before)
    sys.stdout, sys.stderr = cast("TextIO", out), cast("TextIO", err)
    try:
        yield out
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before
        for each in (out, err):
            if each.trouble:
                silence(each.stream)


def usable(stream: TextIO | None) -> TextIO:
    """A stream that takes any text; nowhere where it was closed before the start."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 (as long as the process)
    if isinstance(stream, io.TextIOWrapper) and stream.errors in STOPS_OR_SURROGATES:
        stream.reconfigure(errors="backslashreplace")
    return stream


def silence(stream: TextIO) -> None:
    """Let what is left in a stream go nowhere, so that Python's last flush does not fail."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def status_of(out: Sturdy, status: int) -> int:
    """The exit status once stdout is known to have taken everything or not; reports a full disk."""
    out.flush()
    if out.trouble is None or isinstance(out.trouble, BrokenPipeError):
        return status
    left = "all else was done" if _done else "nothing else was to be done"
    print_message(f"stdout: {out.trouble.strerror}: the result was not written whole; {left}")
    return status if _done else status or 2


def show(lines: Iterable[str]) -> None:
    """A result on stdout: each line is one line, without what could steer a terminal."""
    for line in lines:
        print(visible(" ".join(line.splitlines())))


def print_message(message: str) -> None:
    """One message on stderr, without what could steer a terminal."""
    print(visible(f"luohu: {message}"), file=sys.stderr)
