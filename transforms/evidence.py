"""What a column of evidence holds: its type and unit.  Every rule declares its own as `EVIDENCE`.

Stored evidence is JSON, where days and codes are texts; what reads it back asks the rule.
"""

import re
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
YEAR = re.compile(r"_[0-9]+$")


def kind_of(evidence: Evidence, name: str) -> Kind:
    """The kind of a column; `fen_*` stands for a column for each year that the policy looks at."""
    return evidence.get(name) or evidence[YEAR.sub("_*", name)]
