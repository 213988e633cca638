"""Make a run that is kept the current one of its round: the way back, and from a lost database."""

from dataclasses import dataclass
from pathlib import Path

from flows.common.database import DATABASE
from flows.common.failures import DatabaseUnreadable, ProcessRefused
from flows.common.messages import message_with_file, message_without_values
from flows.kept.integrity import integrity, require_untouched
from flows.kept.past_run import past_run
from flows.ledger.official_result import may_become_current
from flows.run.publish import only_publisher, replace_database, require_readable
from flows.run.work_folder import require_writable


@dataclass(frozen=True)
class Changed:
    """A round, the run that is current now, and the one that was."""

    round: int
    run_id: str
    before: str | None
    database: Path


def make_current(year: int, name: str, warehouse: Path) -> Changed:
    """Publish a run again from its directory; raises CheckFailed where it is not as it was written."""
    require_readable(warehouse)
    past_run(warehouse, year, name)  # one that is not there is reported before anything is written
    require_writable(warehouse)
    with only_publisher(warehouse), message_without_values("current"):
        past = past_run(warehouse, year, name)
        if not may_become_current(warehouse, year):
            raise ProcessRefused(
                f"round {year}: expected a round that is not published, found one that is: its"
                " official result stands, and no other run becomes current"
            )
        if past.publication.trouble:
            raise DatabaseUnreadable(f"{warehouse / DATABASE}: {past.publication.trouble}")
        with message_with_file():
            require_untouched(past, integrity(past), "made current")
        database = replace_database(past.directory, year, warehouse)
    return Changed(year, past.run_id, past.publication.current, database)
