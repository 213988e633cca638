"""One entry of the ledger: its line, its digest, and what an entry read from a line must be.

A line is canonical JSON: UTF-8, keys sorted, no blanks.  `sha256` is the digest of the entry without
that field, `previous` the one of the entry before.
"""

import hashlib
import json
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from flows.common.failures import LedgerDamaged
from transforms.phases import BEIJING

LEDGER = "ledger.jsonl"
NO_ENTRY = "0" * 64  # what the first entry has for a previous one
SYSTEM, GIVEN = "system", "given"
FILES = "files"  # of a body: what the entry vouches for, by path in the warehouse and SHA-256
BATCH = "batch"  # of a body: first and last seq of entries that are recorded together or not at all

ENCODER = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
)

Body: TypeAlias = dict[str, Any]


class Entry(NamedTuple):
    """One entry, as it stands in the ledger; `at` as its text, which is ordered as time is."""

    seq: int
    at: str
    clock: str
    round: int | None
    operation: str
    by: str | None
    and_by: str | None
    user: str
    override: str | None
    body: Body
    previous: str
    sha256: str

    @property
    def moment(self) -> datetime:
        """When it was made, in Beijing time."""
        return datetime.fromisoformat(self.at)


FIELDS = frozenset(Entry._fields)


def at_text(moment: datetime) -> str:
    """A moment as entries have it: Beijing time to the microsecond, always as long."""
    return moment.astimezone(BEIJING).isoformat(timespec="microseconds")


def canonical(content: Any) -> bytes:
    """Canonical JSON."""
    return ENCODER.encode(content).encode()


def sealed(fields: dict[str, Any]) -> Entry:
    """An entry with the digest of all its other fields."""
    return Entry(**fields, sha256=sha256_of(canonical(fields)))


def line_of(entry: Entry) -> bytes:
    """The entry's line."""
    return canonical(entry._asdict()) + b"\n"


def entry_of(line: bytes, seq: int) -> Entry:
    """The entry of a line; raises LedgerDamaged for what is none, with the place it stands at."""
    try:
        return Entry(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        raise fault(seq, "an entry in canonical JSON, found something else") from None


def checked(line: bytes, seq: int, before: Entry | None) -> Entry:
    """The entry of a line that follows another; raises LedgerDamaged that says what is wrong with it."""
    try:
        fields = json.loads(line)
        entry = Entry(**fields)
        is_canonical = canonical(fields) == line
    except (ValueError, TypeError, RecursionError):
        raise fault(seq, "an entry in canonical JSON, found something else") from None
    if not is_canonical:
        raise fault(seq, "canonical JSON, found other spelling")
    require_as_sealed(line, seq, entry)
    if entry.seq != seq:
        raise fault(seq, f"seq {seq}, found {entry.seq}: entries are missing or out of order")
    if entry.previous != (before.sha256 if before else NO_ENTRY):
        raise fault(seq, "the sha256 of the entry before as previous, found another")
    if before and entry.at <= before.at:
        raise fault(seq, f"a time after {before.at}, found {entry.at}")
    if entry.clock not in {SYSTEM, GIVEN}:
        raise fault(seq, "the clock system or given, found another")
    return entry


def require_as_sealed(line: bytes, seq: int, entry: Entry) -> None:
    """Raise LedgerDamaged where the digest of an entry is not the one of all its other fields."""
    # the line without the field is what `canonical` makes of the others; where in doubt it is asked
    rest = line.replace(f'"sha256":"{entry.sha256}",'.encode(), b"", 1)
    if entry.sha256 == sha256_of(rest):
        return
    others = entry._asdict()
    del others["sha256"]
    with suppress(ValueError):  # what no JSON has
        if entry.sha256 == sha256_of(canonical(others)):
            return
    raise fault(seq, "what its sha256 says, found an entry that was edited")


def fault(seq: int, expected: str) -> LedgerDamaged:
    """What is wrong with an entry."""
    return LedgerDamaged(f"{LEDGER}: entry {seq}: expected {expected}")


def sha256_of(content: bytes) -> str:
    """The SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()
