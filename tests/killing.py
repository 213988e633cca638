"""Commands in processes of their own that stand by, everything imported: to be killed in their work.

Python coming up takes longer than most operations, and a kill in it tells nothing.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

HELPERS = Path(__file__).parent
COMMAND = "import killing; killing.obey()"
IN_ADVANCE = (
    "flows.process.appeals.deciding",
    "flows.process.appeals.filing",
    "flows.process.calendar.tick",
    "flows.process.deliveries.deliver",
    "flows.process.deliveries.run",
    "flows.process.places.sanctions",
    "flows.process.places.settle",
    "flows.process.publication.publish",
    "flows.process.retract",
)


class Killed(NamedTuple):
    """How a command ended: negative where it was killed; what it said, and after how many seconds."""

    status: int
    said: list[str]
    errors: list[str]
    seconds: float


class Standby:
    """A luohu command that has come up and waits to be told its arguments."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND],
            env=os.environ | {"PYTHONPATH": str(HELPERS), "POLARS_MAX_THREADS": "1"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.began = 0.0

    def begin(self, *arguments: object, room: int | None = None) -> None:
        """Let it work, on a disk that takes no file larger than `room` bytes, where one is given."""
        assert self.process.stdin
        assert self.process.stdout
        assert self.process.stdout.readline() == "standing by\n"
        self.process.stdin.write(json.dumps([room, *map(str, arguments)]) + "\n")
        self.process.stdin.flush()
        self.began = time.monotonic()

    def kill_after(self, seconds: float) -> Killed:
        """Kill it, unless it ended by then."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return self.kill()

    def kill_once(self, is_so: Callable[[], bool], seconds: float) -> Killed:
        """Kill it some moments after something came about."""
        while self.process.poll() is None and not is_so():
            time.sleep(0.0001)
        return self.kill_after(seconds)

    def kill(self) -> Killed:
        """What became of it; it is killed if it still works."""
        seconds = time.monotonic() - self.began
        self.process.kill()
        return self.ended(seconds)

    def ended(self, seconds: float | None = None) -> Killed:
        """What became of it, once it ended by itself."""
        said, errors = self.process.communicate(timeout=300)
        took = time.monotonic() - self.began if seconds is None else seconds
        return Killed(self.process.returncode, said.splitlines(), errors.splitlines(), took)


def obey() -> None:
    """Come up, wait for arguments, and be the command."""
    import importlib

    from flows.cli import app

    for name in IN_ADVANCE:
        importlib.import_module(name)
    print("standing by", flush=True)
    room, *arguments = json.loads(sys.stdin.readline())
    if room is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    app(arguments, prog_name="luohu")
