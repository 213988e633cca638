"""What a table is made of: the ledger as it stands, and where its rounds and runs are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from flows.common.database import DATABASE, open_read_only
from flows.ledger.state import State
from schemas.process import PROCESS


@dataclass(frozen=True)
class View:
    """All that a table may ask."""

    state: State
    warehouse: Path
    data: Path
    current: Mapping[int, str]  # the current run of each round


def view(state: State, warehouse: Path, data: Path) -> View:
    """What stands now."""
    if not (warehouse / DATABASE).exists():
        return View(state, warehouse, data, {})
    with open_read_only(warehouse) as database:
        current = database.execute("SELECT round, run_id FROM rounds").fetchall()
    return View(state, warehouse, data, dict(current))


def frame(table: str, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """A table of the process from its rows, in the types it has."""
    columns = PROCESS[table].to_schema().columns
    return pl.DataFrame(
        list(rows), schema={name: column.dtype.type for name, column in columns.items()}
    )
