"""What a column of evidence holds: its type and unit.  Every rule declares its own as `EVIDENCE`.

Stored evidence is JSON, where days and codes are texts; what reads it back asks the rule.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import polars as pl


class Kind(NamedTuple):
    """A type and a unit."""

    dtype: pl.DataType
    unit: str


COUNT = Kind(pl.Int64(), "count")
MONTHS = Kind(pl.Int64(), "months")
YEARS = Kind(pl.Int64(), "years")
POINTS = Kind(pl.Int64(), "points")
FEN = Kind(pl.Int128(), "fen")
CODE = Kind(pl.String(), "code")
DAY = Kind(pl.Date(), "day")
MONTH = Kind(pl.Date(), "month")  # by its first day
FLAG = Kind(pl.Boolean(), "yes or no")

Evidence: TypeAlias = Mapping[str, Kind]


def declared_as(evidence: Evidence, name: str) -> str:
    """The entry that declares a column: its own, or one such as `fen_*`, for all that begin so.

    The policy says how many there are: the years looked at, the kinds of home.
    """
    of_many = (entry for entry in evidence if entry.endswith("*") and name.startswith(entry[:-1]))
    return name if name in evidence else max(of_many, key=len, default=name)


def kind_of(evidence: Evidence, name: str) -> Kind:
    """The kind of a column; KeyError where it is not declared."""
    return evidence[declared_as(evidence, name)]
