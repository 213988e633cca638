"""Failures that were foreseen: each has a message of its own that quotes no personal data.

The command line prints the message and leaves with status 2, or 1 where a check failed; nothing was
published.
"""


class Failure(Exception):
    """A foreseen failure; its message says what was expected and what was found."""


class BadUsage(Failure):
    """An option or argument that cannot be used."""


class FeedRefused(Failure):
    """A feed the run cannot start with; the message names feed, file, column, expected and found."""

    by_feed: dict[str, str] | None = None  # feed -> why, of those that were refused one by one


class ValidatorBroken(Failure):
    """The validator did not do what it is trusted with; nothing may be published."""


class PublicationFailed(Failure):
    """The publication could not be completed; what was published before is intact."""


class CheckFailed(Failure):
    """A check found a difference; nothing was published.  The command line leaves with status 1."""


class StageFailed(Failure):
    """A stage failed in a way nobody foresaw; nothing was published."""


class NotFound(Failure):
    """The warehouse holds no such round or application."""


class NewerWarehouse(Failure):
    """The warehouse, or a run in it, was written by a newer version; nothing was changed."""


class CapsuleRefused(Failure):
    """A capsule that is damaged, of another kind, or of a later format; nothing in it is believed."""


class TooLarge(Failure):
    """A file that would take more memory or time than is spent on one; it was not read."""


class DatabaseUnreadable(Failure):
    """The warehouse's database is damaged; nothing was changed."""


class DatabaseInUse(Failure):
    """Another process has the warehouse's database open for writing; it is as good as before."""


class NotPermitted(Failure):
    """This user may not do that to a file of the warehouse; nothing was changed."""


class RunRefused(Failure):
    """A run that looks like a mistake, say the delivery of another year; nothing was published."""


class ProcessRefused(Failure):
    """An operation of the annual process that may not be done now or not by these; nothing was recorded."""


class ClockRefused(Failure):
    """The system's clock is behind the ledger; nothing was recorded."""


class LedgerDamaged(Failure):
    """The ledger is not what its chain says, or not the one of this warehouse; nothing was recorded."""


class WorkersRefused(Failure):
    """Workers that cannot be trusted with a run, or that are gone; nothing was published."""


class PrefectUnavailable(Failure):
    """No Prefect server could be started or reached."""
