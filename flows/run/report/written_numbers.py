"""How the report writes numbers: counts with thousands separators, points with two decimals."""

from decimal import Decimal

NONE = "—"


def number(value: object) -> str:
    """A count with thousands separators, points with two decimals, a text as it is."""
    if value is None:
        return NONE
    if isinstance(value, (Decimal, float)):
        return f"{value:z,.2f}".replace("-", "−")
    return f"{value:,}" if isinstance(value, int) else str(value)


def difference(value: Decimal | None) -> str:
    """Points with their sign."""
    return NONE if value is None else ("+" if value > 0 else "") + number(value)
