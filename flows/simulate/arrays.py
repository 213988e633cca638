"""Small helpers on whole-number arrays: months, days, choices and masks.

Months are numbered by calendar (year * 12 + month - 1), days since 1970-01-01.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Ints: TypeAlias = npt.NDArray[Any]
Bools: TypeAlias = npt.NDArray[np.bool_]
Rng: TypeAlias = np.random.Generator

EPOCH_MONTH = 1970 * 12
EDGE = 0.03  # days drawn from a period are its first, or its last, this often beyond chance


def day_of(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def first_days(months: Ints) -> Ints:
    """The first day of each month."""
    since = np.asarray(months, dtype=np.int64) - EPOCH_MONTH
    return np.asarray(since.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64))


def day_in(rng: Rng, months: Ints) -> Ints:
    """A day in each month, now and then its first or last."""
    first, after = first_days(months), first_days(months + 1)
    day = first + (rng.random(len(first)) * (after - first)).astype(np.int64)
    edge = rng.random(len(first))
    return np.where(edge < EDGE, first, np.where(edge > 1 - EDGE, after - 1, day))


def days_between(rng: Rng, first: Ints | int, last: Ints | int, size: int) -> Ints:
    """A day from `first` to `last`, both included; the two ends come more often than others."""
    low, high = np.broadcast_to(first, size), np.broadcast_to(last, size)
    day = low + (rng.random(size) * (high - low + 1)).astype(np.int64)
    edge = rng.random(size)
    return np.where(edge < EDGE, low, np.where(edge > 1 - EDGE, high, day))


def pick(rng: Rng, shares: Sequence[float], size: int) -> Ints:
    """Positions drawn by shares, which need not sum to one."""
    cumulative = np.cumsum(np.asarray(shares, dtype=float))
    return np.searchsorted(cumulative / cumulative[-1], rng.random(size), side="right")


def among(values: Sequence[Any], positions: Ints) -> pl.Series:
    """The values at the positions; a negative position is null."""
    padded = pl.Series([*values, None])
    return padded.gather(np.where(positions < 0, len(values), positions))


def ranges(columns: int, first: Ints, last: Ints) -> Bools:
    """A mask of months by person: columns `first` to `last`, both included, of each row."""
    column = np.arange(columns, dtype=np.int16)
    low, high = first.astype(np.int16)[:, None], last.astype(np.int16)[:, None]
    return np.asarray((column >= low) & (column <= high))


def grid(*sizes: int) -> list[Ints]:
    """Every combination of numbers from 0, each below its size."""
    return [each.ravel() for each in np.indices(sizes)]


def chance(rng: Rng, size: int | tuple[int, ...], share: float) -> Bools:
    """Whether something is so, for that share of the entries."""
    return np.asarray(rng.random(size) < share)


def up_to(rng: Rng, most: Ints) -> Ints:
    """A whole number from 0 to each of `most`, both included (0 where `most` is negative)."""
    return np.asarray((rng.random(len(most)) * (np.maximum(most, 0) + 1)).astype(np.int64))


def days_of_years(rng: Rng, years: Ints) -> Ints:
    """A day in each year; its first and last come more often than others."""
    first = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    after = (years - 1969).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    return days_between(rng, first, after - 1, len(years))


def days_of(days: Ints) -> pl.Series:
    """Days as dates."""
    return pl.Series(days.astype(np.int32)).cast(pl.Date)
