"""The lines of the coming years: official ones where there are, from then on growing by so much a year."""

from dataclasses import dataclass
from pathlib import Path

from flows.common.rounds import official_lines
from flows.common.settings import DATA

LAST = 3  # official lines whose growth is carried on


@dataclass(frozen=True)
class Lines:
    """Official lines by year and the growth a year of those to come, in centipoints."""

    official: dict[int, int]
    growth: int

    def of(self, year: int) -> int | None:
        """The line of a year; none before there was any."""
        newest = max(self.official, default=year)
        if year in self.official or not self.official or year < newest:
            return self.official.get(year)
        return self.official[newest] + self.growth * (year - newest)


def lines_of(
    growth: int | None = None, data: Path = DATA, own: dict[int, int] | None = None
) -> Lines:
    """The official lines, or those of one's `own` runs where there are any; growth as asked or as it was."""
    official = official_lines(data) | (own or {})
    return Lines(official, mean_growth(official) if growth is None else growth)


def mean_growth(official: dict[int, int]) -> int:
    """What the last three lines grew by a year, each over the one before; half a centipoint is one."""
    years = sorted(official)[-LAST - 1 :]
    if len(years) < 2:  # noqa: PLR2004 (one line has not grown)
        return 0
    first, last = years[0], years[-1]
    grown, span = official[last] - official[first], last - first
    return (2 * grown + span) // (2 * span)
