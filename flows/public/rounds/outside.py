"""What may be said of people who are not on a published list: of twenty and more, or nothing (contract 10.5).

Everything is worked out here, once, and the rest is forgotten: a page can only show what is left.

- A number of people below twenty is none here, and shows as `<20`.  So is one that shows by a difference:
  applications less eligible, eligible less settled.  That nobody is below the line where places were
  left is no finding about anybody: the law says it.
- Bars below the line begin at the line; one with fewer than twenty people takes its neighbours, downwards,
  until it has them.  Where the lowest people stand is not shown: the last bar is as low as the
  twentieth from below, and holds everybody who has less.
- Where the answer to "where do I stand" changes, a bar begins too, or twenty people at least lie between:
  otherwise subtracting one from the other would show fewer than twenty.
- An indicator's mean below the line is left out where fewer than twenty have other points than most: a mean
  times the number of people would reveal something about them.  So would the mean of the total then, and it
  is left out too.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from flows.public.rounds.place_of_total import Answers, answers

FEWEST = 20  # people
BAR, MOST_BARS = 100, 160  # centipoints; a bar is wider where that would be too many


@dataclass(frozen=True)
class Span:
    """People whose totals lie from `low` up to and not at `high`; open where others lie beyond."""

    low: int
    high: int
    people: int
    open_below: bool = False
    open_above: bool = False


@dataclass(frozen=True)
class Outside:
    """What is left of them; none stands for fewer than twenty people."""

    applications: int | None
    eligible: int | None
    below: int | None  # eligible, and not on the list
    step: int  # centipoints of a bar that has people enough
    spans: tuple[
        Span, ...
    ]  # the pool, ascending: those below the line merged, those on the list not
    means: Mapping[str, int | None]  # of those below the line; empty where they are too few
    answers: Answers


def outside(below: pl.DataFrame, *, quota: int, applications: int, settled: pl.Series) -> Outside:
    """What may be said, from the centipoints of those below the line, and the totals of the list."""
    people = below.height
    places_left = settled.len() < quota
    counted = people if people >= FEWEST or (places_left and not people) else None
    others = applications - settled.len() - (counted or 0)
    line = None if settled.is_empty() else int(settled.min())  # type: ignore[arg-type]
    totals = below["total"]
    step = step_for(totals, settled)
    given = answers(totals, settled.len(), FEWEST) if line is not None else ()
    return Outside(
        applications=applications if others >= FEWEST else None,
        eligible=None if counted is None else settled.len() + counted,
        below=counted,
        step=step,
        spans=(
            *spans_below(totals, line, step, [low for low, _ in given[1:]]),
            *spans_above(settled, line, step),
        ),
        means=means(below),
        answers=given,
    )


def step_for(totals: pl.Series, settled: pl.Series) -> int:
    """How wide a bar is: a point, or more for a wide round."""
    shown = pl.concat([clipped(totals, both=settled.is_empty()), settled])
    step = BAR
    while not shown.is_empty() and (int(shown.max()) - int(shown.min())) // step > MOST_BARS:  # type: ignore[arg-type]
        step *= 2
    return step


def clipped(totals: pl.Series, *, both: bool) -> pl.Series:
    """Totals with the lowest twenty alike, and where nobody is on the list the highest twenty too.

    None where they are too few for that.
    """
    if totals.len() < FEWEST * (1 + both):
        return totals.clear()
    ordered = totals.sort()
    return ordered.clip(
        int(ordered[FEWEST - 1]), int(ordered[-FEWEST]) if both else int(ordered[-1])
    )


def spans_below(
    totals: pl.Series, line: int | None, step: int, turns: Sequence[int] = ()
) -> list[Span]:
    """Bars from the line downwards, each with twenty people at least; ascending.

    One that would begin near a total at which the answer to "where do I stand" turns begins there.
    """
    shown = clipped(totals, both=line is None).sort().to_list()
    lows = [low for low, _ in counted(pl.Series(shown, dtype=pl.Int64), line or 0, step)[::-1]]
    found: list[Span] = []
    high, above = (line if line is not None or not lows else lows[0] + step), len(shown)
    for low in lows:
        begins = beside(low, turns, shown)
        people = above - bisect_left(shown, begins)
        if people >= FEWEST:
            found.insert(0, Span(begins, high, people, open_above=line is None and not found))  # type: ignore[arg-type]
            high, above = begins, above - people
    if found:
        found[0] = replace(found[0], open_below=True)
    return found


def beside(low: int, turns: Sequence[int], ascending: Sequence[int]) -> int:
    """A total, or of those given the nearest with fewer than twenty people between them."""
    place = bisect_left(ascending, low)
    between = [(abs(bisect_left(ascending, turn) - place), turn) for turn in turns]
    people, nearest = min(between, default=(FEWEST, low))
    return nearest if people < FEWEST else low


def spans_above(settled: pl.Series, line: int | None, step: int) -> list[Span]:
    """The bars of the list: it names everybody, so nothing is merged."""
    return (
        []
        if line is None
        else [Span(low, low + step, n) for low, n in counted(settled, line, step)]
    )


def counted(totals: pl.Series, start: int, step: int) -> list[tuple[int, int]]:
    """Where each bar of so many centipoints begins, and how many totals are in it; ascending."""
    bars = ((totals - start) // step * step + start).alias("low").value_counts()
    return [*bars.sort("low").iter_rows()]


def means(below: pl.DataFrame) -> Mapping[str, int | None]:
    """Mean centipoints below the line by indicator and `total`, none where they would expose a few people."""
    if below.height < FEWEST:
        return {}
    found = {
        name: mean(below[name]) if alike(below[name]) <= below.height - FEWEST else None
        for name in below.columns
        if name != "total" and below[name].null_count() < below.height
    }
    whole = None if None in found.values() else mean(below["total"])
    return {**found, "total": whole}


def alike(values: pl.Series) -> int:
    """How many have what most have."""
    return int(values.fill_null(0).value_counts()["count"].max())  # type: ignore[arg-type]


def mean(values: pl.Series) -> int:
    """Mean of centipoints, half up."""
    people = values.len()
    return (2 * int(values.sum()) + people) // (2 * people)
