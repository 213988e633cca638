"""The published list held in memory: its rows as shown, folded for search, in each order.

Names and employers are sorted by GB 18030, which is the order of pinyin for the usual characters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import polars as pl

from flows.common.points import centipoints
from flows.public.listing.plain import folded, plain


class Row(NamedTuple):
    """Somebody on the list; points in centipoints, none of what was not scored."""

    serial: int
    name: str
    birth_month: str
    employer: str
    total: int
    indicators: tuple[int | None, ...]


def as_written(text: str) -> bytes:
    """What texts are sorted by."""
    return text.encode("gb18030")


KEYS: dict[str, Callable[[Row], Any]] = {
    "serial": lambda row: row.serial,
    "name": lambda row: as_written(row.name),
    "born": lambda row: row.birth_month,
    "employer": lambda row: as_written(row.employer),
    "total": lambda row: row.total,
}
DOWN = "-"  # before a key: from the last to the first


@dataclass
class Listing:
    """The list of a round.

    titles: the indicators by their titles, in the order of `Row.indicators`;
    kept: what was made of the list already and is asked for again: answers, rows as HTML, pages, files.
    """

    rows: list[Row]
    titles: tuple[str, ...]
    kept: dict[Any, Any] = field(default_factory=dict)
    orders: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, listed: pl.DataFrame, titles: Mapping[str, str]) -> "Listing":
        """From the rows of `public_list` of one round, and the titles of its indicators."""
        points = listed.select(centipoints(name) for name in (*titles, "total"))
        texts = listed.select("serial", "name", "birth_month", "employer")
        rows = [
            Row(serial, plain(name), plain(born), plain(employer), total, tuple(ten))
            for (serial, name, born, employer), (*ten, total) in zip(
                texts.iter_rows(), points.iter_rows(), strict=True
            )
        ]
        rows.sort(key=lambda row: row.serial)
        return cls(rows, tuple(titles.values()))

    @cached_property
    def folded(self) -> list[str]:
        """Serial, name and employer of each row as search compares them, a line each."""
        lines = folded("".join(f"{row.serial}\n{row.name}\n{row.employer}\n" for row in self.rows))
        fields = iter(lines.split("\n")[:-1])
        return ["\n".join(three) for three in zip(fields, fields, fields, strict=True)]

    @cached_property
    def totals(self) -> list[int]:
        """The total of each row."""
        return [row.total for row in self.rows]

    @cached_property
    def years(self) -> list[int]:
        """The year of birth of each row."""
        return [int(row.birth_month[:4]) for row in self.rows]

    def keep(self, kind: str, asked: Any, made: Any, most: int) -> Any:
        """Keep what was made for those who ask again, at most so many of a kind."""
        of_kind = self.kept.setdefault(kind, {})
        of_kind[asked] = made
        while len(of_kind) > most:
            of_kind.pop(next(iter(of_kind)), None)
        return made

    def prepare(self) -> None:
        """Do what takes a while before anybody waits for it."""
        for each in (self.folded, self.totals, self.years):
            len(each)
        for name in KEYS:
            self.order(name)
            self.order(f"{DOWN}{name}")

    def order(self, by: str) -> list[int]:
        """Places of the rows in an order; those that are alike by serial."""
        if by not in self.orders:
            key = KEYS[by.removeprefix(DOWN)]
            self.orders[by] = sorted(
                range(len(self.rows)),
                key=lambda place: key(self.rows[place]),
                reverse=by.startswith(DOWN),  # keeps the order of those that are alike
            )
        return self.orders[by]
