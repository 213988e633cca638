"""Whether a ledger is as it was written: its chain, its order, and every file it names.

A chain that was written anew from some entry on holds together as well: only a digest that was noted
elsewhere, when it was the head, shows that (`require_head`).
"""

import re
from collections.abc import Iterator
from pathlib import Path

from flows.common.failures import BadUsage, CheckFailed, LedgerDamaged
from flows.common.files import sha256
from flows.ledger.entries import FILES, LEDGER, Entry, checked
from flows.ledger.file import acknowledged
from flows.ledger.state import State

DIGEST = re.compile("[0-9a-f]{64}")
NO_FILE = "none"


def verified(warehouse: Path, year: int | None = None) -> State:
    """The ledger, every entry looked at; raises CheckFailed that names the first bad one.

    With a round, only the files that its entries name are read.
    """
    try:
        content = (warehouse / LEDGER).read_bytes()
    except FileNotFoundError:
        return State()
    entries: list[Entry] = []
    for seq, line in enumerate(content.split(b"\n")[:-1], 1):
        try:
            entries.append(checked(line, seq, entries[-1] if entries else None))
        except LedgerDamaged as damage:
            raise CheckFailed(str(damage)) from None
    for entry in entries:
        if year in {None, entry.round}:
            for name, found in other_files(warehouse, entry):
                expected = name if found == NO_FILE else f"{name} as it was"
                raise CheckFailed(
                    f"{LEDGER}: entry {entry.seq}: expected the file {expected}, found {found}"
                )
    return acknowledged(entries)


def other_files(warehouse: Path, entry: Entry) -> Iterator[tuple[str, str]]:
    """The files that an entry names and that are not as they were, and what was found instead."""
    for name, digest in sorted(entry.body.get(FILES, {}).items()):
        path = warehouse / name
        if not path.resolve().is_relative_to(warehouse.resolve()) or not path.is_file():
            yield name, NO_FILE
        elif sha256(path) != digest:
            yield name, "another digest"


def require_head(state: State, digest: str) -> Entry:
    """The entry that was the head when its digest was noted; raises CheckFailed where none was."""
    if not DIGEST.fullmatch(digest):
        raise BadUsage(f"--head: expected 64 hexadecimal digits, found {len(digest)} characters")
    for entry in state.entries:
        if entry.sha256 == digest:
            return entry
    raise CheckFailed(
        f"{LEDGER}: expected an entry with the digest {digest}, found none: this is another ledger,"
        " an older copy, or one that was written anew"
    )
