"""Files under the SHA-256 of their content, in a folder that every process sees: complete or absent.

All that is asked of that folder stands here.  An attempt at a task writes in a place of its own, so two
attempts at once, or one that was killed, spoil nothing; what it leaves is named once it is whole.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.common.files import json_bytes, sha256

CONTENT, RECORDS, ATTEMPTS = "content", "records", "attempts"
OWN = 0o700


def where(store: Path, digest: str) -> Path:
    """Where a file of this content lies."""
    return store / CONTENT / digest[:2] / digest


def keep(store: Path, path: Path) -> str:
    """Keep what a file holds and leave the file as it is; the digest under which it lies.

    What lies there already and was spoilt, by a power cut perhaps, is replaced.
    """
    digest = sha256(path)
    target = where(store, digest)
    if not is_whole(store, digest):
        target.parent.mkdir(mode=OWN, parents=True, exist_ok=True)
        aside = target.with_name(f"{secrets.token_hex(8)}.partial")
        lend(path, aside)
        aside.replace(target)
    return digest


def is_whole(store: Path, digest: str) -> bool:
    """Whether a file is there and holds what its name says."""
    path = where(store, digest)
    return path.is_file() and sha256(path) == digest


def lend(path: Path, target: Path) -> None:
    """Let a file be had in another place, without a copy where links can be had."""
    target.parent.mkdir(mode=OWN, parents=True, exist_ok=True)
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def record(store: Path, key: str) -> Path:
    """Where it is noted what a task left."""
    return store / RECORDS / f"{key}.json"


def note(store: Path, key: str, content: object) -> Path:
    """Note what a task left; with the note all of it is there."""
    path = record(store, key)
    path.parent.mkdir(mode=OWN, parents=True, exist_ok=True)
    aside = path.with_name(f"{secrets.token_hex(8)}.partial")
    aside.write_bytes(json_bytes(content))
    aside.replace(path)
    return path


@contextmanager
def attempt(store: Path) -> Iterator[Path]:
    """An empty place for one attempt at a task."""
    place = store / ATTEMPTS / secrets.token_hex(8)
    place.mkdir(mode=OWN, parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def forget_attempts(store: Path) -> None:
    """Remove what attempts left that were killed; nobody may be at one."""
    shutil.rmtree(store / ATTEMPTS, ignore_errors=True)
    for left in store.rglob("*.partial"):
        with suppress(OSError):
            left.unlink()
