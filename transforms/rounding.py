"""Rounding half up to whole centipoints: the only rounding there is.

Each part of an indicator is rounded on its own, then added.  The published list of 2020 proves both:
rounding once after adding misses 1,226 of its 6,032 residence scores, half-even 471.
"""

import polars as pl


def half_up(numerator: pl.Expr, denominator: int) -> pl.Expr:
    """`numerator / denominator` rounded half up, in integers; numerator >= 0.

    A deduction is the negative of a rounded positive, so that it rounds away from zero.
    """
    return (2 * numerator + denominator) // (2 * denominator)
