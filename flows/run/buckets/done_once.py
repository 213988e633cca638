"""A task as another process gets it, by paths and digests; what was done already is not done again."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.common.files import sha256, sha256_of
from flows.run.buckets.store import attempt, is_whole, keep, lend, note, record, where
from flows.run.buckets.tasks import nothing


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
