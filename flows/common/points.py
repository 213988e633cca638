"""Whole centipoints and DECIMAL(9,2) points: the same number, exactly, in both directions."""

import polars as pl


def in_points(centipoints: pl.Expr) -> pl.Expr:
    """Whole centipoints as DECIMAL(9,2) points, exactly."""
    return (centipoints.cast(pl.Decimal(18, 2)) / 100).cast(pl.Decimal(9, 2))


def in_text(centipoints: int) -> str:
    """Whole centipoints as points with two decimals, as points are published."""
    return f"{'-' if centipoints < 0 else ''}{abs(centipoints) // 100}.{abs(centipoints) % 100:02}"


def centipoints(name: str) -> pl.Expr:
    """DECIMAL(9,2) points as whole centipoints, exactly."""
    return (pl.col(name).cast(pl.Decimal(18, 2)) * 100).cast(pl.Int64)
