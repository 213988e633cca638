"""Sums of money that cannot overflow: 128 bits hold 10^22 amounts of the largest that is accepted.

A sum of whole numbers of 64 bits wraps round without a word after 9,223 payments of 10^15 fen.
"""

import polars as pl


def exact_sum(amounts: pl.Expr) -> pl.Expr:
    """The sum of whole numbers; 0 of none."""
    return amounts.cast(pl.Int128).sum()
