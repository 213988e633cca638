"""Look at a ledger without a turn at it: what is behind is made again where this user may do that."""

from collections.abc import Callable
from pathlib import Path

from flows.common.database import DATABASE
from flows.common.failures import CheckFailed, LedgerDamaged, NotFound
from flows.common.private_folder import may_work_in
from flows.ledger.entries import LEDGER
from flows.ledger.file import read, tail
from flows.ledger.seen_in_database import is_behind
from flows.ledger.state import State
from flows.ledger.verify import verified
from flows.process.tables import rebuilt


def require_warehouse(warehouse: Path) -> None:
    """Raise NotFound where there is no folder: only runs and deliveries make a warehouse."""
    if not warehouse.is_dir():
        raise NotFound(f"expected a warehouse, found no folder {warehouse}")


def looked_at(
    warehouse: Path,
    data: Path,
    year: int | None = None,
    *,
    verify: bool = False,
    say: Callable[[str], object] = lambda _: None,
) -> State:
    """The ledger; with `verify`, raises CheckFailed where it is not as it was written."""
    require_warehouse(warehouse)
    state = verified(warehouse, year) if verify else read(warehouse)
    try:
        behind = is_behind(warehouse, state)
    except LedgerDamaged as damage:
        if verify:
            raise CheckFailed(str(damage)) from None
        raise
    if tail(warehouse).torn:
        say(
            f"{LEDGER}: its last line is torn; nobody was told of it as done, the next operation removes it"
        )
    if behind:
        if may_work_in(warehouse):
            rebuilt(warehouse, data, state)
        else:
            say(f"{DATABASE}: shows less than the ledger; whoever may write here makes it again")
    return state
