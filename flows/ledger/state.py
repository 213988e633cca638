"""What stands in a ledger: its entries in order, and which of them a later one took back.

A mistaken entry counts from its retraction on as not made; before that moment it counts as made.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from flows.ledger.entries import GIVEN, NO_ENTRY, Entry, at_text
from flows.ledger.operations import RETRACT

WAREHOUSE = "warehouse"  # the operation of the first entry, and where its body holds the id
RETRACTED = "entry"  # where the body of a retraction names an entry
PHASES = "phases"


@dataclass(frozen=True)
class State:
    """The entries of a ledger up to a moment."""

    entries: tuple[Entry, ...] = ()

    @property
    def last(self) -> Entry | None:
        """The last entry; none in an empty ledger."""
        return self.entries[-1] if self.entries else None

    @property
    def head(self) -> str:
        """The digest that names all of the ledger."""
        return self.last.sha256 if self.last else NO_ENTRY

    @property
    def seq(self) -> int:
        """How many entries there are."""
        return len(self.entries)

    @property
    def warehouse(self) -> str | None:
        """The random id of the warehouse; none in an empty ledger."""
        return self.entries[0].body.get(WAREHOUSE) if self.entries else None

    @property
    def rehearsal(self) -> bool:
        """Whether the first time was given: nothing here was done for real."""
        return bool(self.entries) and self.entries[0].clock == GIVEN

    @cached_property
    def retracted(self) -> dict[int, Entry]:
        """By seq of a mistaken entry, the entry that took it back."""
        return {each.body[RETRACTED]: each for each in self.entries if each.operation == RETRACT}

    @cached_property
    def by_operation(self) -> dict[tuple[str, int | None], list[Entry]]:
        """Entries by operation and round, also those taken back."""
        found: dict[tuple[str, int | None], list[Entry]] = {}
        for each in self.entries:
            found.setdefault((each.operation, each.round), []).append(each)
        return found

    @property
    def rounds(self) -> list[int]:
        """The rounds that have an entry, ascending."""
        return sorted({year for _, year in self.by_operation if year is not None})

    def made(self, operation: str, year: int) -> list[Entry]:
        """The entries of an operation on a round, in order, also those taken back."""
        return self.by_operation.get((operation, year), [])

    def standing(self, operation: str, year: int, **body: Any) -> Iterator[Entry]:
        """The entries of an operation on a round that count, in order.

        With `body`, those whose body has these values.
        """
        for each in self.made(operation, year):
            if each.seq not in self.retracted and all(
                each.body.get(name) == value for name, value in body.items()
            ):
                yield each

    def entry(self, seq: int) -> Entry | None:
        """The entry of a number; none where there is no such entry."""
        return self.entries[seq - 1] if 0 < seq <= len(self.entries) else None

    def known_at(self, moment: datetime) -> "State":
        """What stood at a moment, that moment included."""
        until = bisect_right(self.entries, at_text(moment), key=lambda each: each.at)
        return State(self.entries[:until])

    def phases_digest(self, year: int) -> str | None:
        """The digest of the phases by which a round was judged last; none where it never was."""
        judged = self.made(PHASES, year)
        return judged[-1].body["digest"] if judged else None
