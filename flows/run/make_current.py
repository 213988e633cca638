"""Make a run that is kept the current one of its round: the way back, and from a lost database."""

from dataclasses import dataclass
from pathlib import Path

from flows.common.database import DATABASE
from flows.common.failures import BadUsage, CheckFailed, DatabaseUnreadable
from flows.common.messages import told_without_values
from flows.kept.integrity import LOCK, integrity
from flows.kept.past_run import PastRun, past_run
from flows.run.publish import only_publisher, replace_database, require_readable
from flows.run.work_folder import require_writable

TOLD = 5  # so many findings are told when a run is not made current


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
    past_run(warehouse, year, name)  # one that is not there is told before anything is written
    require_writable(warehouse)
    with only_publisher(warehouse), told_without_values("current"):
        past = past_run(warehouse, year, name)
        if past.publication.trouble:
            raise DatabaseUnreadable(f"{warehouse / DATABASE}: {past.publication.trouble}")
        require_untouched(past)
        database = replace_database(past.directory, year, warehouse)
    return Changed(year, past.run_id, past.publication.current, database)


def require_untouched(past: PastRun) -> None:
    """Raise CheckFailed when a file of the run is not what its manifest or the database says."""
    try:
        # another lock on this machine is nobody's tampering with the run
        findings = [each for each in integrity(past).findings if each.file != LOCK]
    except OSError as error:
        raise BadUsage(f"cannot read {error.filename}: {error.strerror}") from None
    if findings:
        told = "\n  ".join(f"{file}: {what}" for file, what in findings[:TOLD])
        more = f"\n  and {len(findings) - TOLD} more" if len(findings) > TOLD else ""
        raise CheckFailed(
            f"run {past.run_id} of round {past.year} is not as it was written, and was not made"
            f" current:\n  {told}{more}"
        )
