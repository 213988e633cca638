"""What is done bucket by bucket as tasks: here, one after the other, or by workers who were asked to.

A task takes the folder of a bucket and leaves files there; what it returns are counts, never rows.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.common.progress import report


def nothing(*_given: Any) -> None:
    """What is read by a task that reads nothing but what it takes."""


@dataclass(frozen=True)
class Task:
    """One thing to do: what people see of it, a function of a module, and what goes in."""

    title: str
    function: Callable[..., Any]  # of a folder and what is given
    folder: Path
    given: tuple[Any, ...] = ()
    takes: tuple[str, ...] = ()  # patterns of the files below the folder that go in
    reads: Callable[..., Any] = nothing  # of what is given: digests of all else that goes in


Doer = Callable[[str, Sequence[Task]], list[Any]]
_doers: list[Doer] = []


def all_done(stage: str, tasks: Sequence[Task]) -> list[Any]:
    """What each of the tasks counted, once all are done; `stage` says how far it is."""
    if _doers:
        return _doers[-1](stage, tasks)
    found = []
    for done, task in enumerate(tasks):
        report(stage, done, len(tasks))
        found.append(task.function(task.folder, *task.given))
    report(stage, len(tasks), len(tasks))
    return found


def of_buckets(
    stage: str,
    verb: str,
    function: Callable[..., Any],
    places: Sequence[Path],
    *given: Any,
    takes: tuple[str, ...],
) -> list[Any]:
    """What a function of a bucket's folder counts of each."""
    return all_done(
        stage,
        [
            Task(f"{verb} bucket {number} of {len(places)}", function, place, given, takes)
            for number, place in enumerate(places, start=1)
        ],
    )


def elsewhere() -> bool:
    """Whether tasks are done by other processes."""
    return bool(_doers)


@contextmanager
def done_by(doer: Doer) -> Iterator[None]:
    """Let tasks be done by somebody else for a while."""
    _doers.append(doer)
    try:
        yield
    finally:
        _doers.remove(doer)
