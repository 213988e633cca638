"""What a value of the policy or of a round may be: one table of types, each with its unit and bounds.

The unit is the word a policy file says under `unit`.  Bounds are bounds of sense, not of law: they keep
out what no law could mean, such as an age of 450 or a month that begins on the 15th.  Nothing is
rounded or converted: 45.0 is no age, "45" is none, and neither is true.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, TypeAlias, get_type_hints

from pydantic import ConfigDict, GetCoreSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core import core_schema as core

from schemas.columns import CODES, INSURANCES, LIMITS

STRICT = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True, eq=False)  # two types of one unit are two types
class In:
    """The unit of a value that is a table; what stands in it has types of its own."""

    unit: str


@dataclass(frozen=True, eq=False)
class One(In):
    """A single value: its unit, what is expected of it in words, and the same as a schema."""

    expected: str
    schema: CoreSchema

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Whatever is wrong with the value, the error says what was expected."""
        said = f"expected {self.expected}"
        return core.custom_error_schema(self.schema, "expected", custom_error_message=said)


@dataclass(frozen=True)
class Several(In):
    """A list: at least so many, no two alike in the keys named, or ascending by them."""

    by: tuple[str, ...] = ()
    ascending: bool = False
    at_least: int = 1

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The list is looked at once each of its values is right."""
        return core.no_info_after_validator_function(self.checked, handler(source))

    def checked(self, values: list[Any]) -> list[Any]:
        """The list itself; raises when it is too short, repeats itself or does not ascend."""
        if len(values) < self.at_least:
            raise unexpected("at least one in the list", values)
        named = ", ".join(self.by) or "each"
        keys = [[each[name] for name in self.by] if self.by else [each] for each in values]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise unexpected(f"{named} once, not repeated", key)
        for earlier, later in pairwise(keys):
            if self.ascending and later < earlier:
                raise unexpected(f"{named} to ascend", [*earlier, *later])
        return values


def unexpected(expected: str, found: Any) -> PydanticCustomError:
    """The error of a value whose parts do not go together."""
    return PydanticCustomError(
        "expected", "expected {expected}", {"expected": expected, "found": found}
    )


def whole(unit: str, least: int, most: int, expected: str = "") -> One:
    """A whole number of a unit between bounds, both included."""
    expected = expected or f"a whole number of {unit} from {least} to {most}"
    return One(unit, expected, core.int_schema(strict=True, ge=least, le=most))


def one_of(unit: str, codes: Iterable[str]) -> One:
    """One of the values a department may write into a coded column."""
    known = list(codes)
    return One(unit, f"one of {', '.join(known)}", core.literal_schema(known))


def is_first_day(day: date) -> date:
    """A day that begins a month; any other raises."""
    if day.day != 1:
        raise ValueError
    return day


def is_moment(value: Any) -> date | datetime:
    """A day, or a time of a day with or without a zone; anything else raises."""
    if not isinstance(value, date) or not EARLIEST.year <= value.year <= LATEST.year:
        raise ValueError
    return value


EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
DAY = core.date_schema(strict=True, ge=EARLIEST, le=LATEST)
MONTH = core.no_info_after_validator_function(is_first_day, DAY)
MOMENT = core.no_info_plain_validator_function(is_moment)
SPAN = f"from {EARLIEST} to {LATEST}"

Centipoints: TypeAlias = Annotated[int, whole("centipoints", 0, 10_000)]
Penalty: TypeAlias = Annotated[int, whole("centipoints", -10_000, 0)]
Total: TypeAlias = Annotated[int, whole("centipoints", -100_000, 100_000)]
Fen: TypeAlias = Annotated[int, whole("fen", 0, LIMITS["largest_number"])]
BasisPoints: TypeAlias = Annotated[int, whole("basis points", 0, 10_000)]
Years: TypeAlias = Annotated[int, whole("years", 0, 120)]
SomeYears: TypeAlias = Annotated[int, whole("years", 1, 120)]
Months: TypeAlias = Annotated[int, whole("months", 0, 1_200)]
SomeMonths: TypeAlias = Annotated[int, whole("months", 1, 1_200)]
Places: TypeAlias = Annotated[int, whole("places", 0, 1_000_000)]
People: TypeAlias = Annotated[int, whole("people", 0, 10_000_000)]
YEARS = f"a year from {EARLIEST.year} to {LATEST.year}"
Year: TypeAlias = Annotated[int, whole("year", EARLIEST.year, LATEST.year, YEARS)]
SIX_DIGITS = "a whole number of six digits, a code of GB/T 2260"
District: TypeAlias = Annotated[int, whole("GB/T 2260 code", 110_000, 839_999, SIX_DIGITS)]

Day: TypeAlias = Annotated[date, One("day", f"a day {SPAN}, without a time", DAY)]
Moment: TypeAlias = Annotated[date, One("moment", f"a day {SPAN}, with or without a time", MOMENT)]
Month: TypeAlias = Annotated[date, One("month", f"the first day of a month {SPAN}", MONTH)]

NOT_BLANK = core.str_schema(strict=True, pattern=r"\S")
Text: TypeAlias = Annotated[str, One("text", "a text that is not blank", NOT_BLANK)]
Flag: TypeAlias = Annotated[bool, One("flag", "true or false", core.bool_schema(strict=True))]

Status: TypeAlias = Annotated[str, one_of("status", CODES["insurance_status"])]
Insurance: TypeAlias = Annotated[str, one_of("name", INSURANCES)]
HomeKind: TypeAlias = Annotated[str, one_of("kind", CODES["home_kind"])]
Early: TypeAlias = Annotated[str, one_of("way", ["held", "default", "never"])]
IncomeKind: TypeAlias = Annotated[str, one_of("kind", CODES["income_kind"])]
PositionKind: TypeAlias = Annotated[str, one_of("kind", CODES["position_kind"])]
Level: TypeAlias = Annotated[str, one_of("level", CODES["education_level"])]
RetirementClass: TypeAlias = Annotated[str, one_of("class", CODES["retirement_class"])]


@cache
def types_of(make: type) -> Mapping[str, tuple[str, TypeAdapter[Any]]]:
    """For each value of a rule's `Params` its unit and what checks it."""
    hints = get_type_hints(make, include_extras=True)
    return {name: (unit_of(hint), TypeAdapter(hint)) for name, hint in hints.items()}


def unit_of(hint: Any) -> str:
    """The unit a type has; a type without one is a mistake in the code."""
    (unit,) = (each.unit for each in hint.__metadata__ if isinstance(each, In))
    return str(unit)
