"""Invented names of people and firms, in Chinese, drawn from common characters."""

import numpy as np
import polars as pl

from flows.simulate.arrays import Rng, among, chance
from flows.simulate.setting import ASSUMED

NAMES = ASSUMED["names"]


def drawn(rng: Rng, name: str, size: int, skew: float = 1.0) -> pl.Series:
    """So many from a list of names or characters; the greater the skew, the more often the first ones."""
    return among(list(NAMES[name]), (len(NAMES[name]) * rng.random(size) ** skew).astype(np.int64))


def person_names(rng: Rng, size: int) -> pl.Series:
    """A surname and one or two characters."""
    surname, first = drawn(rng, "surnames", size, 1.6), drawn(rng, "given", size)
    second = drawn(rng, "given", size).set(pl.Series(chance(rng, size, 0.2)), "")
    return surname + first + second


def employer_names(rng: Rng, size: int) -> pl.Series:
    """A place, two characters, a trade and a legal form."""
    place, one, two = drawn(rng, "places", size, 2.5), *(drawn(rng, "stems", size) for _ in "ab")
    return place + one + two + drawn(rng, "trades", size) + drawn(rng, "forms", size, 3)
