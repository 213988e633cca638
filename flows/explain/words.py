"""Words of the page, as data: every label, sentence and code in one language.

How a value is written follows from its name and kind: centipoints as points, fen as yuan, months and
days as the language writes them, codes as words.  A word that is missing raises: nobody gets half a page.
"""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, TypeAlias

from flows.common.languages import Language
from flows.common.points import in_text
from flows.common.vocabulary import vocabulary

Values: TypeAlias = dict[str, Any]

FOLDER = Path(__file__).parent / "words"
MONTHS = {
    "counts_from",
    "filed_from",
    "first_home_outside",
    "first_job_outside",
    "first_month",
    "home_before",
    "job_before",
    "last_month",
    "study_from",
    "window_from",
}
TO = "-"  # between the two names of a span
LARGE = {"rank", "ranked", "rows", "tried"}
DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
MONTH = re.compile(r"(\d{4})-(\d{2})")


class Words:
    """The words of one language."""

    def __init__(self, language: Language) -> None:
        """Read from the file of the language."""
        self.language = language
        path = FOLDER / f"{language}.toml"
        self.tree: dict[str, dict[str, Any]] = vocabulary(language) | tomllib.loads(
            path.read_text(encoding="utf-8")
        )

    def say(self, section: str, name: str, /, **values: Any) -> str:
        """One sentence with its values."""
        return self.filled(self.tree[section][name], values)

    def lines(self, section: str, name: str, values: Values, *, zeros: bool = False) -> list[str]:
        """The sentences that have something to say: all values there, not all of the counts zero."""
        return [
            self.filled(each, values)
            for each in self.tree[section][name]
            if says_something(each, values, zeros=zeros)
        ]

    def filled(self, template: str, values: Values) -> str:
        """A template with its values written as the language writes them."""
        return template.format_map({each: self.hole(each, values) for each in fields(template)})

    def hole(self, field: str, values: Values) -> str:
        """What stands in one place of a template: a value, or from one to another, shown once if equal."""
        first, *more = (self.shown(name, values[name]) for name in field.split(TO))
        return self.span(first, more[0]) if more else first

    def span(self, first: str, last: str) -> str:
        """From one day or month to another; one of them where they are the same."""
        return first if first == last else self.say("page", "from_to", first=first, last=last)

    def shown(self, name: str, value: Any) -> str:
        """One value by its name."""
        if value is None:
            return str(self.tree["null"][name])
        if isinstance(value, bool):
            return str(self.tree["page"]["yes" if value else "no"])
        if isinstance(value, int):
            return number(name, value)
        text = str(value)
        if day := DAY.fullmatch(text):
            return self.day(*day.groups()) if name not in MONTHS else self.month(*day.groups()[:2])
        if month := MONTH.fullmatch(text):
            return self.month(*month.groups())
        return str(self.tree["code"].get(text, text))

    def day(self, year: str, month: str, day: str) -> str:
        """A day."""
        return f"{self.month(year, month)}{int(day)}日" if self.zh else f"{year}-{month}-{day}"

    def month(self, year: str, month: str) -> str:
        """A month."""
        return f"{year}年{int(month)}月" if self.zh else f"{year}-{month}"

    @property
    def zh(self) -> bool:
        """Whether the language is Chinese."""
        return self.language is Language.zh

    def listed(self, items: Iterable[str]) -> str:
        """Several things in a row."""
        return str(self.tree["page"]["several"]).join(items)


@cache
def fields(template: str) -> tuple[str, ...]:
    """The places a template leaves open, as they are written: `name`, or `first-last` for a span."""
    return tuple(name for _, name, _, _ in Formatter().parse(template) if name)


def holes(template: str) -> list[str]:
    """The names a template asks for."""
    return [name for field in fields(template) for name in field.split(TO)]


def says_something(template: str, values: Values, *, zeros: bool = False) -> bool:
    """Whether a line has all its values, and not only counts of zero."""
    asked = [values.get(name) for name in holes(template)]
    counts = [
        value
        for name, value in zip(holes(template), asked, strict=True)
        if isinstance(value, int) and not isinstance(value, bool) and not is_policy(name)
    ]
    return None not in asked and (zeros or not counts or any(counts))


def is_policy(name: str) -> bool:
    """Whether a value is a number of the policy, or a year, and no count of the applicant's."""
    return name.startswith(("centipoints", "year_")) or name.endswith(("_at_least", "_at_most"))


def number(name: str, value: int) -> str:
    """A whole number: centipoints as points, fen as yuan, the rest as it is."""
    if name.startswith("centipoints"):
        return points(value)
    if "fen" in name.split("_"):
        return money(value)
    if name == "share_bp":
        return f"{points(value)}%"  # basis points: hundredths of a percent
    return f"{value:,}" if name in LARGE else str(value)


def money(fen: int) -> str:
    """Fen as yuan; whole yuan without decimals."""
    cents = f".{abs(fen) % 100:02}" if fen % 100 else ""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}{cents}"


def points(centipoints: int) -> str:
    """Centipoints as points, without zeros at the end."""
    return in_text(centipoints).rstrip("0").rstrip(".")
