"""A round as the public sees it: its figures, its list, and what may be said of everybody else."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from flows.public.rounds.outside import Outside


@dataclass(frozen=True)
class ShownRound:
    """One round.  Points are whole centipoints, but in `people`, where they are DECIMAL(9,2) points."""

    year: int
    edition: str
    policy_date: date
    reference_date: date
    quota: int
    run_id: str
    manifest_sha256: str | None  # of what says how the run was made
    preliminary: bool  # not published yet
    published_at: datetime | None  # Beijing's time, without saying so
    settled: int
    line: int | None  # none where nobody settled
    tied: int
    highest: int | None  # of the list: nobody outside it is shown
    segments: tuple[tuple[int, int], ...]  # place on the list, total
    titles: Mapping[str, str]  # the indicators of its edition in their order, with Chinese titles
    people: pl.DataFrame  # `public_list` by serial, without `round`
    totals: tuple[int, ...]  # of the list, ascending
    means: Mapping[str, int]  # of the list, by indicator and `total`; empty where nobody settled
    outside: Outside
    rehearsal: bool = False  # its times were given, nothing was done for real
    recorded: Hashable = None  # what its rows in the database came to when they were read


@dataclass(frozen=True)
class Shown(Mapping[int, ShownRound]):
    """The rounds that may be shown by year, newest first; a state of the database, whole."""

    rounds: Mapping[int, ShownRound]
    hidden: frozenset[int] = frozenset()  # years that have a run nobody may see yet

    def __getitem__(self, year: int) -> ShownRound:
        return self.rounds[year]

    def __iter__(self) -> Iterator[int]:
        return iter(self.rounds)

    def __len__(self) -> int:
        return len(self.rounds)


NOTHING = Shown({})
