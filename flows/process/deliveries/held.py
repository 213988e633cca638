"""What a feed holds: the deliveries that stand, in ledger order, from the last `all` on.

A feed is missing until it has an `all` or a `part`.  Nothing here reads a delivered file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.ledger.entries import Entry
from flows.ledger.operations import DELIVER
from flows.ledger.state import State
from flows.process.deliveries.note import ALL, PEOPLE
from flows.run.delivery import Part
from schemas.feeds import FEEDS


@dataclass(frozen=True)
class Held:
    """The deliveries of a feed that count, in ledger order."""

    feed: str
    deliveries: tuple[Entry, ...] = ()

    @property
    def is_missing(self) -> bool:
        """Whether nothing came that a correction could correct."""
        return all(each.body["scope"] == PEOPLE for each in self.deliveries)

    @property
    def ids(self) -> list[str]:
        """The deliveries by id."""
        return [each.body["id"] for each in self.deliveries]

    def parts(self, warehouse: Path) -> list[Part]:
        """The delivered files, numbered through all deliveries."""
        paths = [warehouse / name for each in self.deliveries for name in file_names(each.body)]
        return [Part(self.feed, number, path) for number, path in enumerate(paths)]

    def corrections(self) -> Iterator[tuple[Entry, int]]:
        """Each correction with the number of its first file."""
        number = 0
        for each in self.deliveries:
            if each.body["scope"] == PEOPLE:
                yield each, number
            number += len(each.body["parts"])


def file_names(body: dict[str, Any]) -> list[str]:
    """The data files of a delivery in their order, by their place in the warehouse."""
    return [part["file"] for part in body["parts"]]


def held(state: State, year: int, feed: str) -> Held:
    """What a feed of a round holds by a ledger: of a moment, where it is the ledger of a moment."""
    found: list[Entry] = []
    for entry in state.standing(DELIVER, year, feed=feed):
        if entry.body["scope"] == ALL:
            found.clear()
        found.append(entry)
    return Held(feed, tuple(found))


def all_held(state: State, year: int) -> dict[str, Held]:
    """What every feed of a round holds."""
    return {feed: held(state, year, feed) for feed in FEEDS}


def delivery_ids(state: State, year: int) -> list[str]:
    """The deliveries that stand and count, of all feeds: what a run made now is made from."""
    feeds = all_held(state, year).values()
    return [each for of_feed in feeds if not of_feed.is_missing for each in of_feed.ids]


def missing(state: State, year: int) -> list[str]:
    """The feeds that nothing came for."""
    return [feed for feed, each in all_held(state, year).items() if each.is_missing]
