"""The tables of the process, each a pure function of what stands: one module a table (docs/process.md, 7).

`rebuilt` makes all of them and puts them into the database in one rename, with the entry up to which
they show the ledger.  Nothing else writes them: a table that is wrong is made again, never mended.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from flows.ledger.file import read, tail
from flows.ledger.seen_in_database import is_behind
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
from flows.process.tables.view import MODELS, View, view
from flows.run.publish import only_publisher
from flows.run.registers import replace_registers

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
        of = view(state, warehouse, data, anew=anew)
        replace_registers(warehouse, frames(of), of.overtaken)
    return True


def latest(warehouse: Path, state: State | None) -> State:
    """The ledger as it is now; one that was read before and has not grown is not read again."""
    if state is not None and state.last == tail(warehouse).last:
        return state
    return read(warehouse)


def frames(of: View) -> dict[str, pl.DataFrame]:
    """Every table of what stands, checked against its model."""
    return {name: MODELS[name].validate(make(of)) for name, make in TABLES.items()}
