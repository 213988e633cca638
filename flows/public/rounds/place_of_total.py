"""Where a total stands: exact on the list; below the line to the nearest hundred, or not at all.

Somebody who asks often enough learns where an answer changes.  So below the line all totals with one answer
hold twenty people at least, and totals for which that cannot be share one answer: no place.  What lies
below the lowest person has the answer of the lowest people, or these have none either: where the
last person stands does not show.
"""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from flows.public.rounds.shown_round import ShownRound

HUNDRED = 100  # places

ANY = -(10**9)  # centipoints nobody has

# the lowest total an answer is given to, ascending, and the answer: a place to the nearest hundred (0: among
# the first fifty), or none
Answers = tuple[tuple[int, int | None], ...]


@dataclass(frozen=True)
class Standing:
    """A total and where it stands; `about` below the line, `place` at or above it."""

    total: int
    gap: int | None  # total less the line
    place: int | None = None
    about: int | None = None


def where(this_round: "ShownRound", total: int) -> Standing:
    """The place of a total in centipoints, 1 + how many have more."""
    line, totals = this_round.line, this_round.totals
    if line is None:
        return Standing(total, None)
    if total >= line:
        return Standing(total, total - line, place=1 + len(totals) - bisect_right(totals, total))
    return Standing(total, total - line, about=answer(this_round.outside.answers, total))


def answer(given: Answers, total: int) -> int | None:
    """What is said of a total below the line."""
    return next((about for low, about in reversed(given) if total >= low), None)


def answers(totals: pl.Series, settled: int, fewest: int) -> Answers:
    """What is said of totals below the line, each answer for so many people at least."""
    descending = totals.sort(descending=True).to_list()
    ascending = descending[::-1]
    each = [
        (nearest(1 + settled + len(ascending) - bisect_right(ascending, total)), total)
        for total in descending
    ]
    found: list[tuple[int, int | None]] = []
    for place, group in groupby(each, key=lambda one: one[0]):
        people = [total for _, total in group]
        found.insert(0, (people[-1], place if len(people) >= fewest else None))
    if found and found[0][1] is not None and not reaches(found[0][1], 1 + settled + len(each)):
        found[0] = (found[0][0], None)
    found[:1] = [(ANY, about) for _, about in found[:1]]
    return tuple(
        one
        for at, one in enumerate(found)
        if not at or found[at - 1][1] is not None or one[1] is not None
    )


def nearest(place: int) -> int:
    """The nearest hundred, half up."""
    return (place + HUNDRED // 2) // HUNDRED * HUNDRED


def reaches(about: int, place: int) -> bool:
    """Whether an answer is as near to a place as to those it is given for."""
    return abs(about - place) <= HUNDRED // 2
