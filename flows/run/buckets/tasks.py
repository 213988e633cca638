"""What is done bucket by bucket as tasks: here, one after the other, or by whoever was asked to.

A task takes the folder of a bucket and leaves files there; what it returns are counts, never rows.  Who
does it elsewhere gets it as paths and digests (`Asked`), and does it once: what is there is not done again.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.common.files import sha256, sha256_of
from flows.common.progress import report
from flows.run.buckets.store import attempt, is_whole, keep, lend, note, record, where


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


# --- elsewhere ---


@dataclass(frozen=True)
class Asked:
    """A task for another process: its files by their digests."""

    title: str
    function: Callable[..., Any]
    given: tuple[Any, ...]
    inputs: dict[str, str]  # name below the folder -> SHA-256
    reads: Callable[..., Any] = nothing


@dataclass(frozen=True)
class Done:
    """What a task left: where that is noted, the digest of the note, and what was counted."""

    path: str
    sha256: str
    counts: Any


def do_once(asked: Asked, store: Path) -> Done:
    """Do a task, unless what it leaves is there and whole."""
    function = f"{asked.function.__module__}.{asked.function.__qualname__}"
    key = sha256_of([function, asked.inputs, asked.reads(*asked.given)])
    if (noted := found(store, key)) is None:
        with attempt(store) as folder:
            for name, digest in asked.inputs.items():
                lend(where(store, digest), folder / name)
            counts = asked.function(folder, *asked.given)
            left = {name: keep(store, folder / name) for name in names(folder, asked.inputs)}
            noted = {"files": left, "counts": counts}
            note(store, key, noted)
    path = record(store, key)
    return Done(str(path), sha256(path), noted["counts"])


def found(store: Path, key: str) -> dict[str, Any] | None:
    """The note on a task that was done before; nothing where a file of it is gone or spoilt."""
    try:
        noted = read_note(record(store, key))
    except (OSError, ValueError):
        return None
    return noted if all(is_whole(store, each) for each in noted["files"].values()) else None


def read_note(path: Path) -> dict[str, Any]:
    """What a task left: files by name, and counts."""
    noted: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return noted


def names(folder: Path, inputs: dict[str, str]) -> list[str]:
    """The files of a folder that did not go in."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [name for path in files if (name := path.relative_to(folder).as_posix()) not in inputs]
