"""Which feeds of a round in buckets are refused: all that a round at once would name, in its words and order.

A feed may have too many bad rows by its contradictions alone, which the buckets find.  Where another
feed is refused already, they are looked for all the same, so that a department is told in one go.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from flows.common.failures import FeedRefused
from flows.run.buckets.settle import repeats_in
from flows.run.number_people import LARGEST
from flows.run.screening import Checked, Screened, require_share, together
from schemas.feeds import FEEDS


def noting(
    screen_one: Callable[[str], Screened], refused: dict[str, str]
) -> Callable[[str], Screened]:
    """Screen a feed; note why where it is refused."""

    def screen_or_note(feed: str) -> Screened:
        try:
            return screen_one(feed)
        except FeedRefused as failure:
            refused[feed] = str(failure)
            raise

    return screen_or_note


def every_refusal(
    failure: FeedRefused,
    noted: dict[str, str],
    done: dict[str, list[Checked]],
    places: list[Path],
    max_rejects: Fraction,
) -> FeedRefused:
    """What is told where feeds are refused before their buckets are settled; `done` were read whole."""
    screened = {
        feed: together(feed, batches, repeats_in(feed, places)) for feed, batches in done.items()
    }
    found = noted | by_share(screened, max_rejects)
    return in_order(found) if found else failure


def by_share(screened: dict[str, Screened], max_rejects: Fraction) -> dict[str, str]:
    """Feed -> why it is refused, of those with too many bad rows, contradictions among them."""
    found = {}
    for feed, each in screened.items():
        try:
            require_share(each, max_rejects)
        except FeedRefused as failure:
            found[feed] = str(failure)
    return found


def in_order(refused: dict[str, str]) -> FeedRefused:
    """All refusals, in the order in which a round at once reads feeds."""
    order = [*(feed for feed in FEEDS if feed != LARGEST), LARGEST]
    return FeedRefused("\n".join(refused[feed] for feed in order if feed in refused))
