"""Tasks of buckets on workers: each a task of Prefect's, named as people read it, asked for until it is done.

A future is asked for its result and never only waited for: one whose worker was killed ends a wait
without a word, as if all were well.  A task that fails three times is named, and nothing is published.
"""

import flows.orchestration.prefect_settings  # noqa: F401  (before Prefect reads its settings)

# isort: split
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from distributed import Client
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker
from prefect import task
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import CrashedRun
from prefect.states import Crashed
from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture

from flows.common.failures import (
    BadUsage,
    CheckFailed,
    Failure,
    PublicationFailed,
    StageFailed,
    ValidatorBroken,
    WorkersRefused,
)
from flows.common.files import sha256
from flows.common.messages import message_without_values
from flows.common.private_folder import spilling_into
from flows.common.progress import report
from flows.common.settings import Order
from flows.orchestration.inspection import CODE
from flows.orchestration.states import failed
from flows.run.buckets.done_once import Asked, Done, do_once, read_note
from flows.run.buckets.store import forget_attempts, keep, lend, where
from flows.run.buckets.tasks import Task
from transforms.policy import PolicyError

TRIES = 3
LOOKS_EVERY = 0.05  # seconds
COUNTS_EVERY = 5  # seconds, the workers that are there
ALONE_FOR = 60  # seconds without a scheduler, or without a worker
# failures that trying again does not change
NOT_AGAIN = (BadUsage, PolicyError, ValidatorBroken)
DIED = "its worker died, of too little memory perhaps"


def attempt(asked: Asked, store: Path, code: str) -> Done | State[Any]:
    """A task as a worker does it; a failure is its state, so that nobody logs what went in."""
    try:
        if code != CODE:  # one that came after the others were looked at
            raise WorkersRefused(
                f"{asked.title}: expected a worker of the same code, found another"
            )
        with message_without_values(asked.title), spilling_into(store / "spill"):
            return do_once(asked, store)
    except (Failure, PolicyError) as failure:
        return failed(failure)


once = task(name="bucket", persist_result=False)(attempt)


@dataclass
class Tried:
    """A task, and how often it failed."""

    number: int
    task: Task
    failures: int = 0
    last: str = ""


@dataclass
class OnWorkers:
    """Does tasks on the workers of a task runner; files go through a store they all see."""

    runner: DaskTaskRunner
    store: Path
    digests: dict[int, str] = field(default_factory=dict)  # of files by inode
    running: dict[PrefectDaskFuture[Any], Tried] = field(default_factory=dict)

    def __call__(self, stage: str, tasks: Sequence[Task]) -> list[Any]:
        """What each of the tasks counted, once all are done."""
        waiting = deque(Tried(number, each) for number, each in enumerate(tasks))
        found: dict[int, Any] = {}
        crew = Crew(self.runner.client)
        report(stage, 0, len(tasks))
        try:
            while waiting or self.running:
                # no more than there are workers: a task that waits here does not die with a worker
                workers = crew.size()
                while waiting and len(self.running) < workers:
                    self.start(waiting.popleft())
                for future in [each for each in self.running if each.wrapped_future.done()]:
                    tried = self.running.pop(future)
                    if (done := result(future, tried)) is None:
                        waiting.append(tried)
                        continue
                    found[tried.number] = self.lay_out(tried.task, done)
                    report(stage, len(found), len(tasks))
                time.sleep(LOOKS_EVERY)
        finally:
            self.cancel()
        return [found[number] for number in range(len(tasks))]

    def start(self, tried: Tried) -> None:
        """Ask for a task; again under a name that says so."""
        task = tried.task
        again = f", try {tried.failures + 1}" if tried.failures else ""
        inputs = {
            path.relative_to(task.folder).as_posix(): self.digest(path)
            for pattern in task.takes
            for path in sorted(task.folder.glob(pattern))
        }
        given = tuple(map(from_root, task.given))
        asked = Asked(task.title, task.function, given, inputs, task.reads)
        named = once.with_options(task_run_name=f"{task.title}{again}")
        future = self.runner.submit(named, {"asked": asked, "store": self.store, "code": CODE})
        self.running[future] = tried

    def digest(self, path: Path) -> str:
        """The digest of a file, which lies in the store from then on."""
        inode = path.stat().st_ino
        if inode not in self.digests:
            self.digests[inode] = keep(self.store, path)
        return self.digests[inode]

    def lay_out(self, task: Task, done: Done) -> Any:
        """Put what a task left into its folder; raises StageFailed where it is not what was meant."""
        path = Path(done.path)
        if not path.is_file() or sha256(path) != done.sha256:
            raise StageFailed(f"{task.title}: expected what its worker left, found something else")
        for name, digest in read_note(path)["files"].items():
            lend(where(self.store, digest), task.folder / name)
            self.digests[(task.folder / name).stat().st_ino] = digest
        return done.counts

    def cancel(self) -> None:
        """Ask for nothing more; what a worker is doing ends by itself or with the worker."""
        with suppress(Exception):
            self.runner.client.cancel([each.wrapped_future for each in self.running], force=True)  # type: ignore[no-untyped-call]
        self.running.clear()


def result(future: PrefectDaskFuture[Any], tried: Tried) -> Done | None:
    """What a task came to; nothing where it is to be tried again; raises what ends the run."""
    try:
        done: Done = future.result()
    except NOT_AGAIN:
        raise
    except KilledWorker as error:
        tried.failures += error.allowed_failures + 1
        tried.last = DIED
        show_crashed(future)
    except FutureCancelledError:
        raise WorkersRefused(LOST) from None
    except (StageFailed, PublicationFailed) as failure:
        tried.failures += 1
        tried.last = why(failure, tried.task.title)
    except (CrashedRun, OSError, RuntimeError, MemoryError) as error:
        tried.failures += 1
        tried.last = type(error).__name__
    else:
        return done
    if tried.failures >= TRIES:
        raise CheckFailed(
            f"{tried.task.title} failed {TRIES} times, the last time: {tried.last};"
            " nothing was published"
        )
    return None


def why(failure: Failure, title: str) -> str:
    """What a failure says beside the task it happened in, and that nothing was published."""
    return str(failure).removeprefix(f"{title}: ").partition("; nothing was published")[0]


def show_crashed(future: PrefectDaskFuture[Any]) -> None:
    """Let Prefect's page say that a task's worker died, which nothing else reports to it."""
    with suppress(Exception), get_client(sync_client=True) as client:  # it is a view, no record
        client.set_task_run_state(future.task_run_id, Crashed(message=DIED), force=True)


LOST = "expected Dask's scheduler and its workers to stay, found them gone; nothing was published"


class Crew:
    """How many workers there are, asked now and then."""

    def __init__(self, client: Client) -> None:
        self.client, self.workers = client, 0
        self.asked, self.seen = 0.0, time.monotonic()

    def size(self) -> int:
        """How many; raises WorkersRefused where scheduler or workers are gone for long."""
        now = time.monotonic()
        if now - self.asked > COUNTS_EVERY or not self.workers:
            self.asked = now
            self.workers = self.count()
            if self.workers:
                self.seen = now
            elif now - self.seen > ALONE_FOR:
                raise WorkersRefused(LOST)
        return self.workers

    def count(self) -> int:
        """How many there are; none where nobody answers."""
        try:
            if self.client.status != "running":
                return 0
            return len(self.client.scheduler_info(n_workers=-1)["workers"])
        except (OSError, RuntimeError, ValueError):
            return 0


def on_workers(runner: DaskTaskRunner, store: Path) -> OnWorkers:
    """A doer for the tasks of a run; no other run works in the store."""
    forget_attempts(store)
    return OnWorkers(runner, store.absolute())


def from_root(value: Any) -> Any:
    """What is given to a task with paths from the root: a worker may have been started anywhere."""
    if isinstance(value, Order):
        return replace(value, **{name: from_root(each) for name, each in vars(value).items()})
    return value.absolute() if isinstance(value, Path) else value
