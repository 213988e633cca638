"""What somebody asks of the list: read from an address, and written into one.

Nothing typed fails it: what makes no sense is reported beside its field and left out.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flows.common.points import in_text
from flows.public.listing.held_list import DOWN, KEYS
from flows.public.listing.plain import folded, plain

MOST_TYPED = 100  # characters of the search
MOST_NUMBER = 60  # characters of a number
SIZES, EVERYBODY = (50, 100, 200), 0
POINTS = re.compile(r"(-?)(\d{1,14})(?:\.(\d{0,2}))?分?", re.ASCII)
YEAR = re.compile(r"(\d{4})年?", re.ASCII)
WHOLE = re.compile(r"-?\d+", re.ASCII)
NO_POINTS = "应为数字，最多两位小数，例如 97.13。这一项没有用上。"
NO_YEAR = "应为四位年份，例如 1980。这一项没有用上。"
TOO_LONG = f"最多 {MOST_TYPED} 个字，后面的没有用上。"
NO_PAGE = "页码应为数字，显示的是第 1 页。"
NO_SIZE = "每页可以显示 50、100、200 人或全部，现在是 50 人。"
NO_ORDER = "没有这种排序，现在按公示编号排列。"
TURNED = "起始的比截止的大，没有人符合。"
FIELDS = ("q", "points_from", "points_to", "born_from", "born_to")


def nothing_typed() -> dict[str, str]:
    """The fields of an empty form."""
    return dict.fromkeys(FIELDS, "")


@dataclass(frozen=True)
class Query:
    """What is looked for, in which order, and which part of it is shown.

    typed: the fields as they were typed, so that a form shows them again;
    faults: what of it makes no sense, by field.
    """

    q: str = ""
    points_from: int | None = None
    points_to: int | None = None
    born_from: int | None = None
    born_to: int | None = None
    sort: str = "serial"
    size: int = SIZES[0]
    page: int = 1
    typed: Mapping[str, str] = field(default_factory=nothing_typed)
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def needle(self) -> str:
        """What is searched, as rows are folded."""
        return folded(self.q)

    @property
    def is_filtered(self) -> bool:
        """Whether anybody may be left out."""
        bounds = (self.points_from, self.points_to, self.born_from, self.born_to)
        return bool(self.needle) or any(each is not None for each in bounds)

    @property
    def looked_for(self) -> tuple[Any, ...]:
        """What decides which rows are found, and in which order."""
        return (
            *(self.needle, self.points_from, self.points_to, self.born_from, self.born_to),
            self.sort,
        )

    def address(
        self, *, sort: str | None = None, size: int | None = None, page: int | None = None
    ) -> str:
        """The query of an address, with another order or part of it; empty where nothing is asked."""
        chosen = {
            "sort": (self.sort if sort is None else sort, Query.sort),
            "size": (self.size if size is None else size, Query.size),
            "page": (self.page if page is None else page, Query.page),
        }
        parts = [f"{name}={value}" for name, (value, usual) in chosen.items() if value != usual]
        asked = "&".join([*self.conditions, *parts])
        return f"?{asked}" if asked else ""

    @cached_property
    def conditions(self) -> list[str]:
        """What is looked for, as an address has it."""
        values = {
            "q": self.q,
            "points_from": as_points(self.points_from),
            "points_to": as_points(self.points_to),
            "born_from": self.born_from,
            "born_to": self.born_to,
        }
        asked = {name: value for name, value in values.items() if value is not None and value != ""}
        return [urlencode(asked)] if asked else []

    def in_words(self) -> list[tuple[str, str]]:
        """What is looked for, as paper says it."""
        return [
            *([("搜索", self.q)] if self.needle else []),
            *span("总积分", as_points(self.points_from), as_points(self.points_to)),
            *span("出生年份", self.born_from, self.born_to),
        ]


def read_query(given: Mapping[str, str]) -> Query:
    """A query from the fields of an address."""
    asked = {name: plain(given.get(name, "")).strip() for name in FIELDS}
    typed = {
        name: text[: MOST_TYPED if name == "q" else MOST_NUMBER] for name, text in asked.items()
    }
    faults = {} if asked["q"] == typed["q"] else {"q": TOO_LONG}
    values: dict[str, Any] = {"q": typed["q"].strip()}
    for name, kind in NUMBERS.items():
        values[name] = kind.read(typed[name])
        if typed[name] and values[name] is None:
            faults[name] = kind.fault
    for first, last in (("points_from", "points_to"), ("born_from", "born_to")):
        if None not in (values[first], values[last]) and values[first] > values[last]:
            faults[last] = TURNED
    values["sort"] = sort_of(chosen(given, "sort"), faults)
    values["size"] = size_of(chosen(given, "size"), faults)
    values["page"] = page_of(chosen(given, "page"), faults)
    return Query(**values, typed=typed, faults=faults)


def hundredths(found: re.Match[str]) -> int:
    """Points as centipoints."""
    sign, whole, part = found[1], found[2], (found[3] or "").ljust(2, "0")
    return int(f"{sign}{whole}{part}")


class Number(NamedTuple):
    """A number as it is typed: its pattern, its value, and what is said of a text that is none."""

    shape: re.Pattern[str]
    value: Callable[[re.Match[str]], int]
    fault: str

    def read(self, text: str) -> int | None:
        """The number, typed in half or full width; none where the text is no number."""
        found = self.shape.fullmatch("".join(unicodedata.normalize("NFKC", text).split()))
        return self.value(found) if found else None


OF_POINTS = Number(POINTS, hundredths, NO_POINTS)
OF_YEAR = Number(YEAR, lambda found: int(found[1]), NO_YEAR)
NUMBERS = {
    "points_from": OF_POINTS,
    "points_to": OF_POINTS,
    "born_from": OF_YEAR,
    "born_to": OF_YEAR,
}


def chosen(given: Mapping[str, str], name: str) -> str:
    """A field that is chosen and not typed."""
    return unicodedata.normalize("NFKC", plain(given.get(name, ""))[:MOST_NUMBER]).strip()


def sort_of(text: str, faults: dict[str, str]) -> str:
    """The order asked for; by serial where there is no such order."""
    if text.removeprefix(DOWN) in KEYS:
        return text
    if text:
        faults["sort"] = NO_ORDER
    return Query.sort


def size_of(text: str, faults: dict[str, str]) -> int:
    """How many rows a page has."""
    if text in map(str, (*SIZES, EVERYBODY)):
        return int(text)
    if text:
        faults["size"] = NO_SIZE
    return Query.size


def page_of(text: str, faults: dict[str, str]) -> int:
    """The page asked for; there may be no such page."""
    if WHOLE.fullmatch(text):
        return int(text)
    if text:
        faults["page"] = NO_PAGE
    return 1


def as_points(value: int | None) -> str:
    """Centipoints as points, empty for none."""
    return "" if value is None else in_text(value)


def span(title: str, first: Any, last: Any) -> list[tuple[str, str]]:
    """From one value to another in words, nothing where both are open."""
    if first in (None, "") and last in (None, ""):
        return []
    if last in (None, ""):
        return [(title, f"{first} 及以上")]
    if first in (None, ""):
        return [(title, f"{last} 及以下")]
    return [(title, f"{first} 至 {last}")]
