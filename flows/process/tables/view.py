"""What a table is made of: the ledger as it stands, and where its rounds and runs are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from flows.common.database import DATABASE, open_read_only
from flows.ledger.state import State
from flows.process.places.standing import Place, places
from flows.process.publication.official import official, overtaken
from schemas.process import PROCESS, RoundStates
from transforms.phases import in_beijing

if TYPE_CHECKING:
    import pandera.polars as pa

MODELS: Mapping[str, "type[pa.DataFrameModel]"] = {**PROCESS, "rounds": RoundStates}


@dataclass(frozen=True)
class View:
    """All that a table may ask."""

    state: State
    warehouse: Path
    data: Path
    current: Mapping[int, str]  # the run of each round that the database will show
    displaced: pl.DataFrame  # the table `displacement` as it is shown
    overtaken: Mapping[int, Path]  # published runs the database does not show yet

    @cached_property
    def places(self) -> dict[int, dict[int, Place]]:
        """By round and serial, what became of every place of a published list."""
        found = {year: official(self.state, year) for year in self.state.rounds}
        return {
            year: places(self.state, self.warehouse, each)
            for year, each in found.items()
            if each and each.directory(self.warehouse).is_dir()
        }


def view(state: State, warehouse: Path, data: Path, *, anew: bool = False) -> View:
    """What stands now; with `anew`, nothing that is shown already is taken for it."""
    current: dict[int, str] = {}
    displaced = frame("displacement", [])
    if (warehouse / DATABASE).exists():
        with open_read_only(warehouse) as database:
            current = dict(database.execute("SELECT round, run_id FROM rounds").fetchall())
            if not anew:
                displaced = displaced_in(database, displaced)
    again = overtaken(state, warehouse, current)
    current |= {year: directory.name for year, directory in again.items()}
    return View(state, warehouse, data, current, displaced, again)


def displaced_in(database: duckdb.DuckDBPyConnection, empty: pl.DataFrame) -> pl.DataFrame:
    """The table `displacement` of a database; empty where it is of an earlier form."""
    try:
        shown = database.execute("FROM displacement").pl()
        return shown.select(empty.columns).cast(empty.schema)
    except (duckdb.CatalogException, pl.exceptions.ColumnNotFoundError):
        return empty


def frame(table: str, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """A table of the process from its rows, in the types it has."""
    columns = MODELS[table].to_schema().columns
    return pl.DataFrame(
        list(rows), schema={name: column.dtype.type for name, column in columns.items()}
    )


def in_table(moment: datetime) -> datetime:
    """A moment as tables have it: Beijing time without a zone."""
    return in_beijing(moment).replace(tzinfo=None)
