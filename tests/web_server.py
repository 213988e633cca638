"""`luohu web` as somebody starts it: a process of its own, on a port that is free."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from flows.common.database import DATABASE
from flows.ledger.file import is_rehearsal

HIDDEN = "luohu: not published, so shown by name only: "


class Web(NamedTuple):
    """A server that runs."""

    url: str
    process: subprocess.Popen[str]

    def workers(self) -> list[psutil.Process]:
        """The processes that score."""
        children = psutil.Process(self.process.pid).children()
        return [each for each in children if "spawn_main" in " ".join(each.cmdline())]


def started(warehouse: Path, *options: str) -> Web:
    """A server that answers; whoever starts it stops it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "web", "--port", "0", "--warehouse", str(warehouse),
         *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr
    if is_rehearsal(warehouse):
        assert process.stderr.readline().startswith("luohu: rehearsal: ")
    if not (warehouse / DATABASE).is_file():
        assert "no rounds yet" in process.stderr.readline()
    first = process.stderr.readline()
    if first.startswith(HIDDEN):
        first = process.stderr.readline()
    assert first.startswith("The pages are at http://127.0.0.1:"), first
    return Web(first.split()[4].rstrip("/"), process)


@contextmanager
def running(warehouse: Path, *options: str) -> Iterator[Web]:
    """A server until the end: that stops in order, leaves nobody behind, and has logged nothing."""
    web = started(warehouse, *options)
    try:
        yield web
        left = web.workers()
    finally:
        web.process.send_signal(signal.SIGTERM)
        out, err = web.process.communicate(timeout=30)
    assert (out, err) == ("", ""), out + err
    assert web.process.returncode == 0
    assert psutil.wait_procs(left, timeout=10)[1] == []
