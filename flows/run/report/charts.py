"""What charts show, measured for the page: all totals, totals near the line, means, lines over the years.

Across, a place is a share of the width in per cent; up and down, it is pixels.  So bars follow the
width of the page, down to a telephone's, and letters keep their size.  Whole numbers only: equal
tables give equal bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import polars as pl

HEIGHT, TOP = 240, 40  # pixels: the tallest bar and the room above it
ROW = 46  # pixels of a pair of bars with its label
MOST_BARS, MOST_TICKS = 160, 5
EDGE = 25  # per cent of the width, which a label needs on a telephone
AROUND = 150  # centipoints on either side of the line
POINT = 100  # centipoints


class Bar(NamedTuple):
    """A bar: where it begins and how wide it is (%), how tall (pixels), which colour."""

    x: str
    width: str
    height: int
    kind: str


class Tick(NamedTuple):
    """A label on an axis: where it stands (% across, pixels up), what it says."""

    at: str
    value: int


class Mark(NamedTuple):
    """The line: where it stands, how tall its own bar is, which side its label has room on."""

    at: str
    height: int
    on_left: bool


class Chart(NamedTuple):
    """Columns over totals."""

    step: int  # centipoints a bar
    bars: list[Bar]
    across: list[Tick]
    up: list[Tick]
    mark: Mark | None


class Dot(NamedTuple):
    """A year's line: where it stands (% across, pixels up), the year, its centipoints."""

    at: str
    height: int
    year: int
    value: int


class Years(NamedTuple):
    """Lines over the years; a year without one leaves a gap."""

    dots: list[Dot]
    joins: list[tuple[Dot, Dot]]  # of years that follow each other
    up: list[Tick]


class Pair(NamedTuple):
    """An indicator's mean on either side of the line as bars that lie."""

    above: Bar
    below: Bar


def share(part: int, whole: int) -> str:
    """A share in per cent with three decimals."""
    thousandths = (200_000 * part + whole) // (2 * whole)
    return f"{thousandths // 1000}.{thousandths % 1000:03}"


def ticks(low: int, high: int, smallest: int) -> range:
    """Round values from low to high, a few of them: 1, 2 or 5 times a power of ten apart."""
    step = next(step for step in steps(smallest) if (high - low) // step < MOST_TICKS)
    return range(-(-low // step) * step, high + 1, step)


def steps(smallest: int) -> Iterator[int]:
    """1, 2, 5, 10, 20, 50 ... times the smallest."""
    while True:
        yield from (smallest, 2 * smallest, 5 * smallest)
        smallest *= 10


def everyone(totals: pl.Series, line: int | None) -> Chart:
    """How many people have how many points; no bar has people from both sides of the line.

    A bar is a point wide, or wider where that would be too many bars.
    """
    lowest, highest = int(totals.min()), int(totals.max())  # type: ignore[arg-type]
    step = POINT
    while (highest - lowest) // step > MOST_BARS:
        step *= 2
    start = line or 0
    counts = counted((totals - start) // step * step + start)
    pad = max((highest - lowest) // 50, 5 * step)
    return columns(counts, step, line, (lowest - pad, highest + step + pad), POINT)


def near(totals: pl.Series, line: int) -> Chart:
    """Every single total near the line; the block of equal totals at the line stands out."""
    counts = counted(totals.filter(totals.is_between(line - AROUND, line + AROUND)))
    return columns(counts, 1, line, (line - AROUND - 4, line + AROUND + 5), POINT // 2)


def counted(values: pl.Series) -> list[tuple[int, int]]:
    """Each value and how often it comes, ascending."""
    return [*values.alias("value").value_counts().sort("value").iter_rows()]


def columns(
    counts: list[tuple[int, int]], step: int, line: int | None, ends: tuple[int, int], apart: int
) -> Chart:
    """A chart of counted values a step apart, from end to end."""
    low, span = ends[0], ends[1] - ends[0]
    most = max(count for _, count in counts)
    tall = {value: -(-HEIGHT * count // most) for value, count in counts}
    bars = [
        Bar(share(value - low, span), share(step, span), height, side(value, line, step))
        for value, height in tall.items()
    ]
    across = [Tick(share(value - low, span), value) for value in ticks(*ends, apart)]
    up = [Tick(str(HEIGHT * value // most), value) for value in ticks(0, most, 1)]
    mark = None
    if line is not None:
        middle = line + (step == 1) / 2
        on_left = 2 * (line - low) > span
        own = tall.get(line, 0) if step == 1 else 0
        mark = Mark(share(int(2 * (middle - low)), 2 * span), own, on_left)
    return Chart(step, bars, across, up, mark)


def spread(spans: Sequence[tuple[int, int, int]], step: int, line: int | None) -> Chart:
    """Bars from a total up to another, of so many people: as tall as people a step, so areas compare."""
    low, high = ends(spans, step)
    tall = [Fraction(people * step, until - since) for since, until, people in spans]
    most = max(tall)
    bars = [
        Bar(
            share(since - low, high - low),
            share(until - since, high - low),
            -(-height * HEIGHT // most),
            side(since, line, step),
        )
        for (since, until, _), height in zip(spans, tall, strict=True)
    ]
    across = [Tick(share(value - low, high - low), value) for value in ticks(low, high, POINT)]
    up = [Tick(str(value * HEIGHT // most), value) for value in ticks(0, int(most), 1)]
    return Chart(step, bars, across, up, None if line is None else mark(line, (low, high)))


def ends(spans: Sequence[tuple[int, int, int]], step: int) -> tuple[int, int]:
    """Where such a chart begins and ends, with room beside the bars."""
    low, high = spans[0][0], spans[-1][1]
    pad = max((high - low) // 50, 2 * step)
    return low - pad, high + pad


def mark(value: int, between: tuple[int, int], beside: int | None = None) -> Mark:
    """A total on such a chart, one beyond an end at that end; its label away from another's if it fits."""
    low, high = between
    inside = min(max(value, low), high) - low
    on_left = 2 * inside > high - low
    if beside is not None and EDGE <= (100 * inside) // (high - low) <= 100 - EDGE:
        on_left = value < beside
    return Mark(share(inside, high - low), 0, on_left)


def over_years(lines: Mapping[int, int]) -> Years:
    """Lines by year, as dots; the axis begins a little below the lowest."""
    first, last = min(lines), max(lines)
    low, high = min(lines.values()), max(lines.values())
    up = ticks(low - 2 * POINT, high + 2 * POINT, POINT)
    low, high = min(low, up[0]), max(high, up[-1])
    dots = {
        year: Dot(
            share(2 * (year - first) + 1, 2 * (last - first + 1)),
            HEIGHT * (value - low) // max(high - low, 1),
            *(year, value),
        )
        for year, value in sorted(lines.items())
    }
    joins = [(dots[year], dots[year + 1]) for year in dots if year + 1 in dots]
    heights = [Tick(str(HEIGHT * (value - low) // max(high - low, 1)), value) for value in up]
    return Years([*dots.values()], joins, heights)


def side(value: int, line: int | None, step: int) -> str:
    """Which colour: below the line, above it, or the totals at it where a bar is one total."""
    if line is None or value < line:
        return "below"
    return "tied" if value == line and step == 1 else "settled"


def pairs(means: Sequence[tuple[int, int]]) -> tuple[list[Pair], list[Tick]]:
    """Means above and below the line in centipoints as bars from nothing, and the axis beneath."""
    every = [value for pair in means for value in pair]
    low, high = min(0, *every), max(POINT, *every)
    span = high - low
    found = [
        Pair(*(bar(value, low, span, kind) for value, kind in zip(pair, KINDS, strict=True)))
        for pair in means
    ]
    return found, [Tick(share(value - low, span), value) for value in ticks(low, high, POINT)]


KINDS = ("settled", "below")


def bar(value: int, low: int, span: int, kind: str) -> Bar:
    """A bar that lies, from nothing to a value."""
    return Bar(share(min(value, 0) - low, span), share(abs(value), span), 12, kind)
