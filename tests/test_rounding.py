"""Rounding half up agrees with exact fractions on every residue."""

from fractions import Fraction
from math import floor

import polars as pl
import pytest

from transforms.parts import half_up


@pytest.mark.parametrize("denominator", [12, 24])
@pytest.mark.parametrize("whole", [0, 1, 1000, 10**12])
def test_every_residue(denominator: int, whole: int) -> None:
    """A half goes up, whatever is before it; everything else to the nearest."""
    numerators = [whole * denominator + residue for residue in range(2 * denominator + 1)]
    rounded = pl.select(half_up(pl.lit(pl.Series(numerators)), denominator)).to_series()
    half = Fraction(1, 2)
    assert rounded.to_list() == [floor(Fraction(n, denominator) + half) for n in numerators]
    assert rounded.dtype == pl.Int64


def test_halves_are_not_rounded_to_even() -> None:
    """0.5, 1.5 and 2.5 give 1, 2 and 3."""
    rounded = pl.select(half_up(pl.lit(pl.Series([6, 18, 30])), 12)).to_series()
    assert rounded.to_list() == [1, 2, 3]


def test_a_deduction_is_rounded_away_from_zero() -> None:
    """-0.5, -1.5 and -2.5 give -1, -2 and -3."""
    rounded = pl.select(half_up(pl.lit(pl.Series([-6, -18, -30])), 12)).to_series()
    assert rounded.to_list() == [-1, -2, -3]
