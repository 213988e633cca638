"""The displacement of a round: its decisions, the runs before and after, and whom each puts back."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows.kept.past_run import runs_of
from flows.ledger.state import State
from flows.process.appeals.standing import Appeal, granted
from flows.process.displacement.before import Before, before, holdings, named
from flows.process.displacement.covered import covered
from flows.process.displacement.rows import Decided, decided
from flows.process.publication.official import official
from transforms.phases import Spans


@dataclass(frozen=True)
class Measured:
    """What the displacement of a round follows from."""

    state: State
    warehouse: Path
    year: int
    appeals: tuple[Appeal, ...]
    before: Before
    after: str | None  # the published run, else the current one

    @property
    def keys(self) -> Iterator[dict[str, Any]]:
        """What distinguishes figures that are known already from others."""
        for each in self.appeals:
            assert each.decision
            yield {
                "appeal_id": each.id,
                "decision": each.decision.seq,
                "run_before": self.before.run_id,
                "run_after": self.after,
            }

    def decided(self, runs: Mapping[str, Path] | None = None) -> list[Decided]:
        """A row a decision, worked out; `runs` are given where they are others than those kept."""
        if not self.appeals:
            return []
        runs = runs or runs_of(self.warehouse / "runs" / f"{self.year}")
        groups = covered(self.state, self.warehouse, self.year, self.appeals, self.after)
        rows = decided(self.appeals, self.before, self.after, runs, groups)
        held = holdings(self.state, self.year, self.after)
        return [
            each if each.why or held is None else replace(each, why=self.not_yet(appeal, held))
            for appeal, each in zip(self.appeals, rows, strict=True)
        ]

    def not_yet(self, appeal: Appeal, held: Collection[str]) -> str | None:
        """Why a decision did nothing yet: the run after was made before its deliveries came."""
        lacking = [name for name in appeal.deliveries if name not in held]
        if not lacking:
            return None
        return f"run {self.after}, the run after, does not hold {', '.join(lacking)} yet"


def measured(
    state: State,
    warehouse: Path,
    year: int,
    of_round: Spans,
    current: str | None,
    *,
    start: str | None = None,
) -> Measured:
    """The decisions of a round between two runs; `start` is a run to measure from instead."""
    appeals = tuple(granted(state, year))
    decisions = [each.decision for each in appeals if each.decision]
    was = named(state, year, start) if start else before(state, year, of_round, decisions)
    result = official(state, year)
    return Measured(state, warehouse, year, appeals, was, result.run_id if result else current)
