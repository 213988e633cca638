"""Whole centipoints and DECIMAL(9,2) points: the same number, exactly, in both directions."""

import polars as pl


def in_points(centipoints: pl.Expr) -> pl.Expr:
    """Whole centipoints as DECIMAL(9,2) points, exactly."""
    return (centipoints.cast(pl.Decimal(18, 2)) / 100).cast(pl.Decimal(9, 2))


def centipoints(name: str) -> pl.Expr:
    """DECIMAL(9,2) points as whole centipoints, exactly."""
    return (pl.col(name).cast(pl.Decimal(18, 2)) * 100).cast(pl.Int64)
