"""Whether the database shows of a round what its ledger says: for an audit, which works it out again."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from flows.common.database import DATABASE, open_read_only
from flows.common.failures import LedgerDamaged
from flows.common.settings import DATA
from flows.kept.integrity import Finding
from flows.ledger.file import read
from flows.ledger.seen_in_database import is_behind
from flows.process.tables import TABLES
from flows.process.tables.view import view

WORKED_OUT = ("rounds", "deliveries", "appeals", "settlements")  # what the ledger alone says


def faults_of_tables(warehouse: Path, year: int) -> Iterator[Finding]:
    """Each table that shows something else than the ledger; a damaged ledger is reported elsewhere."""
    with suppress(LedgerDamaged):
        state = read(warehouse)
        if not state.entries or is_behind(warehouse, state):
            return  # nothing is wrong: the next command makes them again
        of = view(state, warehouse, DATA, anew=True)
        if year in of.overtaken:
            yield Finding(DATABASE, f"rounds: expected run {of.current[year]}, which is published")
            return
        with open_read_only(warehouse) as database:
            for name in WORKED_OUT:
                rows = TABLES[name](of).filter(round=year)
                columns = ", ".join(f'"{each}"' for each in rows.columns)
                query = f"SELECT {columns} FROM {name} WHERE round = ?"  # noqa: S608 (our own names)
                shown = database.execute(query, [year]).fetchall()
                if sorted(shown, key=repr) != sorted(rows.rows(), key=repr):
                    yield Finding(
                        DATABASE,
                        f"{name}: expected what the ledger says of round {year}, found other",
                    )
