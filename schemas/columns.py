"""Column types shared by the feed models, and the code lists and limits of `data/codes.toml`.

Texts that repeat (ID numbers, employers, districts, codes) are held as polars categoricals: seventeen
million insurance rows fit in 400 MB, and a check looks at each distinct value once.
"""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

_DATA: dict[str, Any] = tomllib.loads(
    (Path(__file__).parents[1] / "data" / "codes.toml").read_text(encoding="utf-8")
)
# what any value of a delivery must lie within, by name
LIMITS: dict[str, Any] = _DATA.pop("limits")
CODES: dict[str, list[Any]] = _DATA

# the five insurances (五险) as columns of the social insurance feed
INSURANCES = ("pension", "medical", "unemployment", "injury", "maternity")

if TYPE_CHECKING:  # a pandera annotation is a value, a type checker wants a type
    PersonId: TypeAlias = str
    EmployerId: TypeAlias = str
    District: TypeAlias = str
    Code: TypeAlias = str
    Text: TypeAlias = str
    Date: TypeAlias = str
    Moment: TypeAlias = str
    Whole: TypeAlias = int
    Flag: TypeAlias = bool
    Year: TypeAlias = int
    Points: TypeAlias = int
    CalendarDay: TypeAlias = str
else:
    # one set of categories for all, since pandera knows no other
    PersonId = EmployerId = District = Code = pl.Categorical()
    Text = pl.String
    Date = pl.Date
    Moment = pl.Datetime("us")
    Whole = pl.Int64
    Flag = pl.Boolean
    Year = pl.Int32
    Points = pl.Decimal(9, 2)
    CalendarDay = pl.Date
