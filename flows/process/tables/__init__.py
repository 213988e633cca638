"""The tables of the process, each a pure function of what stands: one module a table (contract 9.7).

`rebuilt` makes all of them and puts them into the database in one rename, with the entry up to which
they show the ledger.  Nothing else writes them: a table that is wrong is made again, never mended.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from flows.common.database import DATABASE, open_read_only
from flows.common.failures import LedgerDamaged
from flows.ledger.entries import LEDGER
from flows.ledger.file import read, tail
from flows.ledger.state import State
from flows.process.tables import (
    appeals,
    deliveries,
    displacement,
    ledger,
    ledger_shown,
    rounds,
    settlements,
)
from flows.process.tables.view import View, view
from flows.run.publish import only_publisher
from flows.run.registers import replace_registers
from schemas.process import PROCESS, RoundStates

if TYPE_CHECKING:
    import pandera.polars as pa

TABLES: Mapping[str, Callable[[View], pl.DataFrame]] = {
    "rounds": rounds.table,
    "deliveries": deliveries.table,
    "appeals": appeals.table,
    "displacement": displacement.table,
    "settlements": settlements.table,
    "ledger": ledger.table,
    "ledger_shown": ledger_shown.table,
}


def rebuilt(warehouse: Path, data: Path, state: State | None = None, *, anew: bool = False) -> bool:
    """Make the tables again where they are behind the ledger, or `anew`; whether that was needed.

    The ledger is looked at under the lock of the database: of two who do this, the later shows more.
    """
    state = latest(warehouse, state)
    if not anew and not is_behind(warehouse, state):
        return False
    with only_publisher(warehouse):
        state = latest(warehouse, state)
        if not anew and not is_behind(warehouse, state):
            return False
        replace_registers(warehouse, frames(view(state, warehouse, data)))
    return True


def latest(warehouse: Path, state: State | None) -> State:
    """The ledger as it is now; one that was read before and has not grown is not read again."""
    if state is not None and state.last == tail(warehouse).last:
        return state
    return read(warehouse)


def frames(of: View) -> dict[str, pl.DataFrame]:
    """Every table of what stands, checked against its model."""
    models: dict[str, type[pa.DataFrameModel]] = {**PROCESS, "rounds": RoundStates}
    return {name: models[name].validate(make(of)) for name, make in TABLES.items()}


def shown_by(warehouse: Path) -> tuple[str, int, str] | None:
    """Warehouse id, seq and digest of the entry up to which the database shows a ledger, if any."""
    if not (warehouse / DATABASE).exists():
        return None
    with open_read_only(warehouse) as database:
        try:
            found = database.execute("SELECT warehouse, seq, head FROM ledger_shown").fetchall()
        except duckdb.CatalogException:  # of a version before there was a ledger
            return None
    return found[0] if found else None


def is_behind(warehouse: Path, state: State) -> bool:
    """Whether the database shows less than the ledger has; raises where it shows more, or another."""
    shown = shown_by(warehouse)
    require_of_ledger(shown, state)
    return bool(state.entries) and (shown is None or shown[1] < state.seq)


def require_of_ledger(shown: tuple[str, int, str] | None, state: State) -> None:
    """Raise LedgerDamaged where the database knows of an entry that the ledger has not."""
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
