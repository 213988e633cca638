"""The line of a run, and the one it would have drawn had some of its applicants stayed otherwise.

Everybody at or above the total at the place of the quota settles (同分同落, data contract 6).  Totals are
whole centipoints of those who are eligible.  What changes is a few of many: the line is found among the
totals around its place, so that thousands of such questions are quick.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from flows.common.points import centipoints
from flows.kept.tables import table

Totals: TypeAlias = npt.NDArray[np.int64]


class Line(NamedTuple):
    """A line in centipoints, how many stand on it and how many settle; none where nobody does."""

    line: int | None
    tied: int
    settled: int


class Standing(NamedTuple):
    """How one applicant stands in a run; no rank where they are not eligible."""

    total: int
    rank: int | None
    settled: bool


@dataclass(frozen=True)
class Ranked:
    """A run: all totals of those eligible, ascending, and the standing of some applicants."""

    run_id: str
    quota: int
    totals: Totals
    standings: dict[str, Standing]

    def line(self) -> Line:
        """The line it drew."""
        return self.line_with([], [])

    def line_with(self, gone: Sequence[int], come: Sequence[int]) -> Line:
        """The line with some totals of those eligible gone, and others in their place."""
        count = len(self.totals)
        places = min(self.quota, count - len(gone) + len(come))
        if places <= 0:
            return Line(None, 0, 0)
        # whatever goes or comes, the line is one of these: it moves by at most so many places
        lowest = max(0, count - places - len(gone))
        highest = min(count, count - places + 1 + len(come))
        candidates = {*map(int, self.totals[lowest:highest]), *come}
        line = max(total for total in candidates if self.at_or_above(total, gone, come) >= places)
        settled = self.at_or_above(line, gone, come)
        return Line(line, settled - self.at_or_above(line + 1, gone, come), settled)

    def at_or_above(self, total: int, gone: Sequence[int], come: Sequence[int]) -> int:
        """How many have at least a total."""
        here = len(self.totals) - int(np.searchsorted(self.totals, total, side="left"))
        return here - sum(each >= total for each in gone) + sum(each >= total for each in come)


def ranked(directory: Path, wanted: Sequence[str]) -> Ranked:
    """What a run says about its line and about some applicants."""
    rows = table(directory, "ranking").select(
        "application_no", "rank", "settled", total=centipoints("total")
    )
    eligible = rows.collect()
    scores = (
        table(directory, "scores")
        .filter(pl.col("application_no").is_in(list(wanted)))
        .select("application_no", points=centipoints("total"))
        .collect()
    )
    found = scores.join(
        eligible.select("application_no", "rank", "settled"),
        on="application_no",
        how="left",
        validate="1:1",
    ).with_columns(pl.col("settled").fill_null(value=False))
    quota = table(directory, "rounds").select("quota").collect().item()
    return Ranked(
        directory.name,
        quota,
        np.sort(eligible["total"].to_numpy()),
        {
            number: Standing(total, rank, settled)
            for number, total, rank, settled in found.select(
                "application_no", "points", "rank", "settled"
            ).iter_rows()
        },
    )


def put_back(after: Ranked, before: Ranked, numbers: Sequence[str]) -> Line:
    """The line after, had some applicants stayed as before."""
    totals = [
        [
            standing.total
            for number in numbers
            if (standing := run.standings.get(number)) and standing.rank is not None
        ]
        for run in (after, before)
    ]
    return after.line_with(*totals)
