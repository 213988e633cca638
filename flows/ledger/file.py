"""The ledger as a file: read by anybody who may, appended to by one at a time.

An entry is made when its line is on the disk.  A process killed before leaves at most a torn last
line, or the beginning of entries that belong together; the next to append removes that and says so.
A line that lacks nothing but its end is completed: what was acknowledged is never lost by one byte.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from flows.common.access import OWN_FILE
from flows.common.failures import LedgerDamaged, PublicationFailed
from flows.common.files import sync_entry
from flows.common.locks import only_one
from flows.ledger.entries import (
    BATCH,
    GIVEN,
    LEDGER,
    Entry,
    checked,
    entry_of,
    line_of,
    require_as_sealed,
)
from flows.ledger.state import State

LOCK = ".ledger.lock"
BLOCK = 1 << 16  # bytes that are read from the end at first


class Tail(NamedTuple):
    """The end of a ledger: its last complete entry, where that ends, and what stands after it."""

    last: Entry | None
    ends: int
    torn: bytes
    dropped: int = 0  # complete entries after `ends` that were only the beginning of a batch


def read(warehouse: Path) -> State:
    """All complete entries; a chain that does not hold together, or an edited entry, raises LedgerDamaged.

    So nothing is decided on, or recorded after, what was edited; the rest is looked at by `verify`.
    """
    try:
        content = (warehouse / LEDGER).read_bytes()
    except FileNotFoundError:
        return State()
    return state_of(content)


def is_rehearsal(warehouse: Path) -> bool:
    """Whether the first time in a ledger was given; false where there is none this user may read."""
    try:
        with (warehouse / LEDGER).open("rb") as file:
            first = file.readline()
        return first.endswith(b"\n") and entry_of(first, 1).clock == GIVEN
    except (OSError, LedgerDamaged):
        return False


def state_of(content: bytes) -> State:
    """The entries of a ledger's bytes, without what was never acknowledged."""
    entries: list[Entry] = []
    previous: str | None = None
    for seq, line in enumerate(content.split(b"\n")[:-1], 1):
        entry = entry_of(line, seq)
        if entry.seq != seq or (previous is not None and entry.previous != previous):
            raise LedgerDamaged(
                f"{LEDGER}: entry {seq}: expected the entry that follows the one before, found"
                " another: entries were cut out, added or moved; restore the ledger from a backup"
            )
        require_as_sealed(line, seq, entry)
        entries.append(entry)
        previous = entry.sha256
    return acknowledged(entries)


def acknowledged(entries: Sequence[Entry]) -> State:
    """Complete entries without the beginning of a batch that did not end."""
    return State(tuple(entries[: len(entries) - unfinished(entries[-1] if entries else None)]))


def unfinished(last: Entry | None) -> int:
    """How many last entries are the beginning of entries that belong together, and not all of them."""
    if last is None or BATCH not in last.body:
        return 0
    first, until = last.body[BATCH]
    return 0 if last.seq == until else last.seq - first + 1


@contextmanager
def only_writer(warehouse: Path) -> Iterator[None]:
    """Hold the ledger's lock: of two who come at once, one waits."""
    with only_one(warehouse / LOCK):
        yield


def tail(warehouse: Path) -> Tail:
    """The end of the ledger, however long it is: as many last bytes are read as that takes."""
    try:
        handle = os.open(warehouse / LEDGER, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return Tail(None, 0, b"")
    with os.fdopen(handle, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        back = BLOCK
        while True:
            start = max(0, size - back)
            file.seek(start)
            found = tail_of(file.read(size - start), start)
            if found is not None:
                return found
            back *= 8


def tail_of(block: bytes, start: int) -> Tail | None:
    """The end of a ledger by its last bytes; nothing where they are too few to find it."""
    complete = block.rfind(b"\n") + 1
    torn = block[complete:]
    lines = block[:complete].splitlines(keepends=True)
    if start:
        lines = lines[1:]  # its beginning may be missing
    if not lines:
        return None if start else Tail(None, 0, torn)
    last = entry_of(lines[-1][:-1], len(lines) if not start else -1)
    drop = unfinished(last)
    if not drop:
        return Tail(last, start + complete, torn)
    if drop >= len(lines):
        return None if start else Tail(None, 0, torn, drop)
    ends = start + complete - sum(map(len, lines[len(lines) - drop :]))
    return Tail(entry_of(lines[-drop - 1][:-1], -1), ends, torn, drop)


def mend(warehouse: Path, found: Tail, say: Callable[[str], object]) -> Tail:
    """Remove what was never acknowledged and say so; the end as it is then.  For the holder of the lock."""
    if not found.torn and not found.dropped:
        return found
    seq = (found.last.seq if found.last else 0) + 1
    with suppress(LedgerDamaged):
        last = None if found.dropped else checked(found.torn, seq, found.last)
        if last and not unfinished(last):  # the first of several was never acknowledged
            write(warehouse, found.ends + len(found.torn), b"\n")
            say(f"{LEDGER}: entry {seq} lacked the end of its line, which was put there")
            return Tail(last, found.ends + len(found.torn) + 1, b"")
    write(warehouse, found.ends, b"")
    what = [
        f"{found.dropped} entries of an operation that did not end" if found.dropped else "",
        f"a torn last line of {len(found.torn)} bytes" if found.torn else "",
    ]
    say(f"{LEDGER}: removed {' and '.join(filter(None, what))}, which nobody was told of as done")
    return found._replace(torn=b"", dropped=0)


def append(warehouse: Path, after: Tail, entries: list[Entry]) -> Tail:
    """Put entries on the disk, all of them or none; for the holder of the lock.

    Raises PublicationFailed where the disk does not take them.
    """
    lines = b"".join(map(line_of, entries))
    write(warehouse, after.ends, lines)
    return Tail(entries[-1], after.ends + len(lines), b"")


def write(warehouse: Path, place: int, content: bytes) -> None:
    """Let a ledger end with some bytes from a place on; synced, or as before."""
    path = warehouse / LEDGER
    is_new = not path.exists()
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, OWN_FILE)
        try:
            os.ftruncate(handle, place)
            try:
                put(handle, content, place)
                os.fsync(handle)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(handle, place)
                raise
        finally:
            os.close(handle)
        if is_new:
            sync_entry(warehouse)
    except OSError as error:
        raise PublicationFailed(
            f"{LEDGER}: expected room for an entry, found: {error.strerror}; nothing was recorded"
        ) from None


def put(handle: int, content: bytes, place: int) -> None:
    """Write all of some bytes."""
    left = memoryview(content)
    while left:
        written = os.pwrite(handle, left, place)
        left, place = left[written:], place + written
