"""The official result of a round: which run was published, when, and what its directory says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.common.failures import ProcessRefused
from flows.kept.past_run import runs_of
from flows.ledger.entries import Entry
from flows.ledger.operations import PUBLISH
from flows.ledger.state import State


@dataclass(frozen=True)
class Official:
    """The published run of a round."""

    entry: Entry

    @property
    def run_id(self) -> str:
        """The run."""
        return str(self.entry.body["run_id"])

    def directory(self, warehouse: Path) -> Path:
        """Where the run lies."""
        return warehouse / "runs" / f"{self.entry.round}" / self.run_id


def official(state: State, year: int) -> Official | None:
    """The official result of a round; none before its publication."""
    for entry in state.standing(PUBLISH, year):
        return Official(entry)
    return None


def require_published(state: State, year: int, what: str) -> Official:
    """The official result of a round; raises ProcessRefused where there is none yet."""
    found = official(state, year)
    if found is None:
        raise ProcessRefused(f"{what}: expected a published round, found round {year} preliminary")
    return found


def overtaken(state: State, warehouse: Path, current: Mapping[int, str]) -> dict[int, Path]:
    """By round, published runs in whose place the database shows another run or none."""
    found = {year: official(state, year) for year in state.rounds}
    return {
        year: each.directory(warehouse)
        for year, each in found.items()
        if each
        and current.get(year) != each.run_id
        and each.run_id in runs_of(warehouse / "runs" / f"{year}")
    }
