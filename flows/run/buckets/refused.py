"""Which feeds of a round in buckets are refused: all that a round at once would name, in its words and order.

A feed may have too many bad rows by its contradictions alone, which the buckets find.  Where another
feed is refused already, they are looked for all the same, so that a department is told in one go.
"""

from fractions import Fraction
from pathlib import Path

from flows.common.failures import FeedRefused
from flows.run.buckets.accept import repeats_in
from flows.run.ingest import all_refused
from flows.run.screening import Checked, Screened, require_share, together


def every_refusal(
    failure: FeedRefused,
    done: dict[str, list[Checked]],
    places: list[Path],
    max_rejects: Fraction,
) -> FeedRefused:
    """What is reported where feeds are refused before their buckets accept them; `done` were read whole."""
    screened = {
        feed: together(feed, batches, repeats_in(feed, places)) for feed, batches in done.items()
    }
    found = (failure.by_feed or {}) | by_share(screened, max_rejects)
    return all_refused(found) if found else failure


def by_share(screened: dict[str, Screened], max_rejects: Fraction) -> dict[str, str]:
    """Feed -> why it is refused, of those with too many bad rows, contradictions among them."""
    found = {}
    for feed, each in screened.items():
        try:
            require_share(each, max_rejects)
        except FeedRefused as failure:
            found[feed] = str(failure)
    return found
