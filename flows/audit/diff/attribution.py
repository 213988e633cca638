"""Say of every difference between two runs what it comes from, in whole centipoints.

The effect of a cause is what changes when it alone is taken from the second run.  Where the effects
alone add up to the difference, that is all there is to say.  The rest comes from causes together, and
is reported as that, never shared out; a cause takes part in it when its effect is another one once
the others are taken from the second run too.  Settled or not has no shares: one cause is enough for
it, or each of several, or several together.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.results import INDICATORS

POINTS = ("total", *INDICATORS)
FLAGS = ("present", "eligible", "settled")
PRESENT, ELIGIBLE = 0, 1
SHARES = {"application": pl.UInt32, "measure": pl.String, "cause": pl.String, "amount": pl.Int64}

Whole = NDArray[np.int64]
Flag = NDArray[np.bool_]


class Results(NamedTuple):
    """A combination: an application a row; centipoints, and whether present, eligible, settled."""

    points: Whole
    flags: Flag


class Effect(NamedTuple):
    """A cause: the start with it alone from the second run, and the end without it."""

    cause: str
    alone: Results
    without: Results


class Span(NamedTuple):
    """The first and the second run as they are, and as the code that measures the causes has them.

    Where the two differ, `aside` names what that comes from.
    """

    then: Results
    start: Results
    end: Results
    now: Results
    aside: str


def aligned(results: pl.DataFrame, numbers: pl.Series) -> Results:
    """Results in the order of all application numbers; 0 and False for those that are not there."""
    rows = numbers.to_frame().join(
        results.with_columns(present=pl.lit(value=True)),
        on=numbers.name,
        how="left",
        maintain_order="left",
        validate="1:1",
    )
    return Results(
        rows.select(pl.col(POINTS).fill_null(0)).to_numpy(),
        rows.select(pl.col(FLAGS).fill_null(value=False)).to_numpy(),
    )


def attribution(span: Span, effects: Sequence[Effect]) -> pl.DataFrame:
    """Every share: application (its place among the numbers), measure, cause, amount.

    The shares of an application and measure add up to its difference.
    """
    shares = [*points(span, effects), *flags(span, effects)]
    return pl.concat([pl.DataFrame(schema=SHARES), *shares]).sort("application", "measure", "cause")


def points(span: Span, effects: Sequence[Effect]) -> Iterator[pl.DataFrame]:
    """Points of applications that are in both runs: effects alone, then what is left."""
    both = (span.then.flags[:, PRESENT] & span.now.flags[:, PRESENT])[:, None]
    whole = both * (span.now.points - span.then.points)
    aside = whole - both * (span.end.points - span.start.points)
    together = whole - aside
    takes_part = np.zeros_like(whole)
    for place, each in enumerate(effects):
        alone = both * (each.alone.points - span.start.points)
        last = both * (span.end.points - each.without.points)
        takes_part |= (alone != last).astype(np.int64) << place
        together = together - alone
        yield shares(POINTS, each.cause, alone)
    yield shares(POINTS, span.aside, aside)
    names = [each.cause for each in effects]
    for causes, where in among(names, takes_part, together != 0):
        yield shares(POINTS, together_of(causes, names), np.where(where, together, 0))


def flags(span: Span, effects: Sequence[Effect]) -> Iterator[pl.DataFrame]:
    """Presence, eligibility and settlement where they changed: by one cause, each of some, or together."""
    change = span.now.flags.astype(np.int64) - span.then.flags
    change[:, ELIGIBLE] *= span.then.flags[:, PRESENT] & span.now.flags[:, PRESENT]
    changed = change != 0
    is_aside = changed & (span.start.flags == span.end.flags)
    measured = changed & (span.start.flags == span.then.flags) & (span.end.flags == span.now.flags)
    enough, needed = np.zeros_like(change), np.zeros_like(change)
    for place, each in enumerate(effects):
        enough |= (each.alone.flags == span.now.flags).astype(np.int64) << place
        needed |= (each.without.flags != span.now.flags).astype(np.int64) << place
    names = [each.cause for each in effects]
    yield shares(FLAGS, span.aside, np.where(is_aside, change, 0))
    for causes, where in among(names, enough, measured & (enough != 0)):
        cause = causes[0] if len(causes) == 1 else f"each alone: {', '.join(causes)}"
        yield shares(FLAGS, cause, np.where(where, change, 0))
    for causes, where in among(names, needed, measured & (enough == 0)):
        yield shares(FLAGS, together_of(causes, names), np.where(where, change, 0))
    mingled = changed & ~is_aside & ~measured
    everything = [*names, span.aside]
    yield shares(FLAGS, together_of(everything, everything), np.where(mingled, change, 0))


def among(names: list[str], bits: Whole, where: Flag) -> Iterator[tuple[list[str], Flag]]:
    """The cells of `where` by the causes whose bits are set."""
    for found in np.unique(bits[where]):
        causes = [name for place, name in enumerate(names) if found >> place & 1]
        yield causes, where & (bits == found)


def together_of(causes: list[str], names: list[str]) -> str:
    """What causes bring about only together; it takes two, so that one stands for all."""
    return f"together: {', '.join(causes if len(causes) > 1 else names)}"


def shares(measures: tuple[str, ...], cause: str, amounts: Whole) -> pl.DataFrame:
    """The amounts that are not 0, a line each."""
    rows, columns = np.nonzero(amounts)
    return pl.DataFrame(
        {
            "application": rows.astype(np.uint32),
            "measure": pl.Series(measures, dtype=pl.String).gather(columns),
            "cause": pl.Series([cause], dtype=pl.String).new_from_index(0, len(rows)),
            "amount": amounts[rows, columns],
        },
        schema=SHARES,
    )
