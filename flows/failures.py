"""Failures somebody foresaw: each has a message of ours that quotes no personal data.

The command line tells the message and leaves with status 2; nothing was published.
"""


class Failure(Exception):
    """A foreseen failure; its message says what was expected and what was found."""


class BadUsage(Failure):
    """An option or argument that cannot be used."""


class FeedRefused(Failure):
    """A feed the run cannot start with; the message names feed, file, column, expected and found."""


class ValidatorBroken(Failure):
    """The validator did not do what it is trusted with; nothing may be published."""


class PublicationFailed(Failure):
    """The publication could not be completed; what was published before is intact."""


class StageFailed(Failure):
    """A stage failed in a way nobody foresaw; nothing was published."""


class NotFound(Failure):
    """The warehouse holds no such round or application."""


class PrefectUnavailable(Failure):
    """No Prefect server could be started or reached."""
