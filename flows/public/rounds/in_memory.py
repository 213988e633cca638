"""Which rounds a warehouse shows: read once for each state of its database, looked at with one stat.

A publication puts a new file in place in one rename, so the file's identity is the state.  It is looked at
before and after reading: what was read while a new one came belongs to neither for certain, is read
again, and is never kept.
"""

import threading
from collections import OrderedDict
from pathlib import Path

from flows.common.database import DATABASE
from flows.common.failures import DatabaseInUse
from flows.public.rounds.read import read
from flows.public.rounds.shown_round import NOTHING, Shown

State = tuple[int, int, int, int]
Key = tuple[Path, State, bool]

MOST_KEPT = 3
TRIES = 10  # a publication takes longer than reading one does

_kept: OrderedDict[Key, Shown] = OrderedDict()
_turn = threading.Lock()


def rounds_of(warehouse: Path, *, preliminary: bool = False) -> Shown:
    """The rounds that may be shown, with `preliminary` those not published yet too.

    None where there is no warehouse or no database; raises a Failure that says why one cannot be read.
    """
    found = in_memory(warehouse, preliminary=preliminary)
    return newly_read(warehouse, preliminary=preliminary) if found is None else found


def in_memory(warehouse: Path, *, preliminary: bool = False) -> Shown | None:
    """The same where that takes no reading: for callers that may not wait."""
    state = state_of(warehouse)
    return NOTHING if state is None else _kept.get((warehouse, state, preliminary))


def newly_read(warehouse: Path, *, preliminary: bool) -> Shown:
    """Read the database, one at a time: of many who ask, the first reads."""
    with _turn:
        for _ in range(TRIES):
            state = state_of(warehouse)
            if state is None:
                return NOTHING
            key = (warehouse, state, preliminary)
            if key not in _kept:
                before = last_of(warehouse, preliminary=preliminary)
                found = read(warehouse, preliminary=preliminary, before=before)
                if state_of(warehouse) != state:
                    continue
                _kept[key] = found
                while len(_kept) > MOST_KEPT:
                    _kept.popitem(last=False)
            return _kept[key]
    raise DatabaseInUse(f"{warehouse / DATABASE}: expected it to stay as it is for a moment")


def last_of(warehouse: Path, *, preliminary: bool) -> Shown:
    """What was read of an earlier state, where it is kept."""
    last = (_kept[key] for key in reversed(_kept) if (key[0], key[2]) == (warehouse, preliminary))
    return next(last, NOTHING)


def state_of(warehouse: Path) -> State | None:
    """What distinguishes one state of the database from another; none where there is no database."""
    try:
        found = (warehouse / DATABASE).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
