"""Whether a round's official result was published: from then on it stands, and no run replaces it."""

from pathlib import Path

from flows.ledger.file import read
from flows.ledger.operations import PUBLISH
from flows.ledger.seen_in_database import require_of_ledger, shown_by
from flows.ledger.state import State


def is_published(state: State, year: int) -> bool:
    """Whether two people published a run of a round."""
    return any(state.standing(PUBLISH, year))


def may_become_current(warehouse: Path, year: int) -> bool:
    """Whether a run may become the current one of its round: as long as the round is not published.

    The caller holds the lock of the database, and so does a publication: neither overtakes the other.
    Raises LedgerDamaged for a ledger that lost what the database shows: it may have been published.
    """
    state = read(warehouse)
    require_of_ledger(shown_by(warehouse), state)
    return not is_published(state, year)
