"""Year after year of one applicant: points, conditions, and the line they are held against."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.common.rounds import YEARS_TO_COME, edition_of, is_assumed, known, round_of
from flows.common.settings import DATA
from flows.explain.coming_years.going_on import going_on
from flows.explain.coming_years.lines import Lines
from flows.explain.what_if.accepted_rows import Records
from transforms.rounds import Round
from transforms.scorecard import ledger

MOST_YEARS = 20
RETIRED = "retirement_age"


@dataclass(frozen=True)
class Year:
    """One year, points in centipoints."""

    year: int
    assumed: bool  # the round has no file yet
    indicators: dict[str, int]
    failing: tuple[str, ...]
    line: int | None
    official: bool  # the line is

    @property
    def total(self) -> int:
        """The plain sum."""
        return sum(self.indicators.values())

    @property
    def enough(self) -> bool:
        """Whether every condition holds and the line is reached."""
        return not self.failing and self.line is not None and self.total >= self.line


def coming_years(
    of: Records, this_round: Round, lines: Lines, data: Path = DATA, most: int = MOST_YEARS
) -> Iterator[Year]:
    """The round's own year and those after it, as far as asked for; none after the year of retirement.

    A later year costs nothing until it is asked for.
    """
    last = min(this_round.year + most, known(data)[1] + YEARS_TO_COME)
    now = edition_of(this_round.policy_date, data)
    gone_on = going_on(of, now, this_round, round_of(last, data)).feeds
    feeds = {feed: alone(rows) for feed, rows in gone_on.items()}
    for year in range(this_round.year, last + 1):
        found = scored(feeds, round_of(year, data), lines, data)
        yield found
        if RETIRED in found.failing:
            return


def alone(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a lone person, who is number 0 as the rules expect of persons."""
    if "person" not in rows.columns:
        return rows
    number = pl.when(pl.col("person").is_not_null()).then(pl.lit(0, pl.UInt32))
    return rows.with_columns(number.alias("person"))


def scored(feeds: dict[str, pl.DataFrame], this_round: Round, lines: Lines, data: Path) -> Year:
    """One year by its own rules: rows after its reference date do not exist for them."""
    edition = edition_of(this_round.policy_date, data)
    lazy = {feed: rows.lazy() for feed, rows in feeds.items()}
    found = ledger(lazy, edition, this_round, with_evidence=False, engine="in-memory")
    year = this_round.year
    return Year(
        year=year,
        assumed=is_assumed(year, data),
        indicators={name: rows["centipoints"][0] for name, rows in found.indicators.items()},
        failing=tuple(name for name, rows in found.conditions.items() if not rows["holds"][0]),
        line=lines.of(year),
        official=year in lines.official,
    )
