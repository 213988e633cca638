"""`note`: write the note of a delivery, so that a department needs nothing else; it never screens."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from flows.common.failures import BadUsage, Failure
from flows.common.files import may_become, sha256, written_aside
from flows.common.messages import message_with_file
from flows.process.deliveries.brought import figures, some_parts
from flows.process.deliveries.note import PEOPLE, SCOPES, Note, read_note, written
from flows.process.deliveries.subjects import in_withdrawn
from flows.process.signatures import LONGEST_NAME, free_text
from schemas.feeds import FEEDS


def noted(
    year: int,
    feed: str,
    paths: Sequence[Path],
    *,
    scope: str,
    department: str,
    delivered_at: datetime,
    withdrawn: Path | None = None,
    text: str | None = None,
    out: Path | None = None,
) -> Note:
    """The note of some files; raises a Failure for files that cannot be read.

    `out` is where it will be, perhaps in a folder of them.
    """
    if feed not in FEEDS:
        raise BadUsage(f"expected one of {', '.join(FEEDS)}, found another feed")
    if scope not in SCOPES:
        raise BadUsage(f"--scope: expected one of {', '.join(SCOPES)}, found another")
    if withdrawn and scope != PEOPLE:
        raise BadUsage(f"--withdrawn: expected scope {PEOPLE}, found {scope}")
    parts = some_parts(feed, paths, out, withdrawn=withdrawn)
    found = figures(feed, parts)
    if withdrawn:
        with message_with_file():
            in_withdrawn(withdrawn)
    return Note(
        feed=feed,
        round=year,
        department=free_text(department, "--department", LONGEST_NAME),
        scope=scope,
        delivered_at=delivered_at,
        rows=found.rows,
        files={part.path.name: found.bytes[part.path.name].sha256 for part in parts},
        sums=found.sums,
        withdrawn={withdrawn.name: sha256(withdrawn)} if withdrawn else {},
        text=free_text(text, "--text") if text is not None else None,
    )


def write_note(note: Note, out: Path) -> Path:
    """Write a note, perhaps anew; its department may read it, and it holds nobody's row."""
    if out.is_dir() or not out.parent.is_dir():
        raise BadUsage(f"--out: expected the name of a file in a folder, found {out}")
    if os.path.lexists(out) and not is_note(out):
        raise BadUsage(
            f"--out: expected a new file or a note, found {out}, which is something else"
        )
    with written_aside(out, private=False) as file:
        file.write(written(note).encode())
    return out


def is_note(path: Path) -> bool:
    """Whether a file is the note of a delivery: only that may be replaced."""
    if not may_become(path):  # a device perhaps, which nobody should read
        return False
    try:
        read_note(path)
    except Failure:
        return False
    return True
