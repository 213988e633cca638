"""Try the single changes on an applicant of a past run, and name those that settle them.

See `flows.explain.what_if` for what a single change is, which is the smallest, and why reaching the line is
enough.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import polars as pl

from flows.common.failures import CheckFailed
from flows.common.points import centipoints
from flows.explain.what_if.accepted_rows import Records, concerned, numbered_person, records
from flows.explain.what_if.applicant import applicant
from flows.explain.what_if.change import Change
from flows.explain.what_if.kinds import BESIDE, proposed
from flows.explain.what_if.ranked import Ranked, published
from flows.explain.what_if.worlds import scored
from flows.kept.past_run import PastRun, pinned
from flows.kept.tables import table
from transforms.policy import Edition
from transforms.rounds import Round

NO_CHANGE = Change("none", 0, ())


@dataclass(frozen=True)
class Reached:
    """A change with which the applicant settles, and what becomes of them; total in centipoints."""

    change: Change
    total: int
    rank: int


@dataclass(frozen=True)
class Nearest:
    """Where an applicant stands, and the single changes that would have settled them, smallest first.

    line: the total to be reached, in centipoints; null while the round had places left.
    """

    settled: bool
    total: int
    line: int | None
    places: bool  # whether the round had any
    failing: tuple[str, ...]  # conditions that do not hold
    tried: int
    reached: tuple[Reached, ...]  # at most one of each kind


def nearest(past: PastRun, application_no: str, own: Records | None = None) -> Nearest:
    """What would have settled an applicant of a past run; `own` are their records if read already.

    Raises CheckFailed when the accepted rows do not give what was published.
    """
    trial = Trial.of(past, application_no, own)
    settled = trial.ranked.settled(application_no)
    changes = [NO_CHANGE]
    if not settled and trial.this_round.quota > 0:
        changes += proposed(
            applicant(trial.records, trial.edition, trial.this_round, trial.failing)
        )
    outcomes = scored(trial.records, changes, trial.edition, trial.this_round)
    total = outcomes["total"][0]
    require_published(past, application_no, total)
    reached = trial.smallest(changes[1:], outcomes[1:])
    return Nearest(
        settled=settled,
        total=total,
        line=trial.ranked.line,
        places=trial.this_round.quota > 0,
        failing=tuple(trial.failing),
        tried=len(changes) - 1,
        reached=tuple(sorted(reached, key=lambda each: (each.change.units, each.total))),
    )


@dataclass(frozen=True)
class Trial:
    """One applicant's records in a past run, with all it takes to score and rank them again."""

    application_no: str
    run: Path
    records: Records
    ranked: Ranked
    edition: Edition
    this_round: Round
    failing: list[str]

    @classmethod
    def of(cls, past: PastRun, application_no: str, own: Records | None = None) -> "Trial":
        """Read from the run directory; the round and the policy are those pinned in it."""
        run, order = past.directory, pinned(past.directory, past.year)
        this_round, edition = order.round(), order.edition()
        own = own or records(run, [numbered_person(run, application_no)])
        held = one(run, "eligibility", application_no).row(0, named=True)
        failing = [name for name in edition.conditions if not held[name]]
        ranked = published(run, this_round)
        return cls(application_no, run, own, ranked, edition, this_round, failing)

    def smallest(self, changes: list[Change], outcomes: pl.DataFrame) -> Iterator[Reached]:
        """The first change of each kind that settles; one that only repeats another is left out."""
        line = self.ranked.line
        enough = outcomes["eligible"] & (line is None or outcomes["total"] >= line)
        able = [
            (change, outcome)
            for change, outcome, it_is in zip(changes, outcomes.iter_slices(1), enough, strict=True)
            if it_is
        ]
        smallest_: list[Change] = []
        for _, of_kind in groupby(able, lambda pair: pair[0].kind):
            for change, outcome in of_kind:
                if reached := self.confirmed(change, outcome):
                    if not any(repeats(change, other) for other in smallest_):
                        yield reached
                    smallest_.append(change)
                    break

    def confirmed(self, change: Change, outcome: pl.DataFrame) -> Reached | None:
        """Total and rank after ranking everybody again; nothing when the applicant does not settle.

        The record of an employer concerns its other applicants: they are scored again as well.
        """
        if change.employers:
            people = {*self.records.people, *concerned(self.run, change.employers)}
            everybody = records(self.run, people)
            outcome = scored(everybody, [change], self.edition, self.this_round)
        mine = pl.col("application_no") == self.application_no
        found = self.ranked.again(outcome).filter(mine, "settled")
        return Reached(change, found["total"][0], found["rank"][0]) if found.height else None


def repeats(change: Change, other: Change) -> bool:
    """Whether a change shows nothing that one shown before it does not."""
    stricter = BESIDE.get(change.kind) == other.kind and change.units >= other.units
    return stricter or change.rows() == other.rows()


def require_published(past: PastRun, application_no: str, total: int) -> None:
    """Raise unless the accepted rows give the total that was published."""
    scores = one(past.directory, "scores", application_no)
    published_total = scores.select(centipoints("total")).item()
    if total != published_total:
        raise CheckFailed(
            f"run {past.run_id}: expected {published_total} centipoints as published for"
            f" application {application_no}, found {total} from the accepted rows:"
            f" `luohu audit {past.year}` shows what was changed"
        )


def one(run: Path, name: str, application_no: str) -> pl.DataFrame:
    """The row of an application in a table of the run."""
    return table(run, name).filter(pl.col("application_no") == application_no).collect()
