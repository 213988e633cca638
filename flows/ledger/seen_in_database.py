"""What the database says of the ledger: whose it is, and the entry up to which its tables show it.

The ledger is written first, so the database may be behind it and is then made again.  It is never
ahead: a ledger that lacks what was shown was lost, cut, written anew, or is another warehouse's.
"""

from pathlib import Path
from typing import NamedTuple

import duckdb

from flows.common.database import DATABASE, open_read_only
from flows.common.failures import LedgerDamaged
from flows.ledger.entries import LEDGER
from flows.ledger.state import State


class Shown(NamedTuple):
    """Warehouse id, seq and digest of the last entry that a database shows."""

    warehouse: str
    seq: int
    head: str


def shown_by(warehouse: Path) -> Shown | None:
    """Warehouse id, seq and digest of the entry up to which the database shows a ledger, if any."""
    if not (warehouse / DATABASE).exists():
        return None
    with open_read_only(warehouse) as database:
        try:
            found = database.execute("SELECT warehouse, seq, head FROM ledger_shown").fetchall()
        except duckdb.CatalogException:  # of a version before there was a ledger
            return None
    return Shown(*found[0]) if found else None


def is_behind(warehouse: Path, state: State) -> bool:
    """Whether the database shows less than the ledger has; raises where it shows more, or another."""
    shown = shown_by(warehouse)
    require_of_ledger(shown, state)
    return bool(state.entries) and (shown is None or shown.seq < state.seq)


def require_of_ledger(shown: Shown | None, state: State) -> None:
    """Raise LedgerDamaged where the database knows of an entry that the ledger does not have."""
    if shown is None:
        return
    warehouse, seq, head = shown
    if state.warehouse not in {None, warehouse}:
        raise LedgerDamaged(
            f"{LEDGER}: expected the ledger of warehouse {warehouse}, as {DATABASE} says, found the"
            f" one of {state.warehouse}: restore the ledger, or move the database away"
        )
    if seq > state.seq:
        raise LedgerDamaged(
            f"{LEDGER}: expected at least {seq} entries, as {DATABASE} shows, found {state.seq}:"
            " entries were lost; restore the ledger from a backup"
        )
    entry = state.entry(seq)
    if entry is None or entry.sha256 != head:
        raise LedgerDamaged(
            f"{LEDGER}: expected entry {seq} as {DATABASE} shows it, found another: the ledger was"
            " written anew; restore it from a backup"
        )
