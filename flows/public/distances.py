"""How far a total is from the official lines, for every page that shows an answer."""

from decimal import Decimal
from typing import Any


def distances(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The official lines of an answer, each with the total less the line, signed."""
    total = Decimal(answer["total"])
    return [{**each, "gap": f"{total - Decimal(each['line']):+}"} for each in answer["lines"]]
