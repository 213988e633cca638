"""`luohu displacement`: what every decision of a round did, and below it what all causes did together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.audit.diff import Diff, diff, page
from flows.audit.diff.moves import FIRST, as_json
from flows.kept.past_run import chosen, published, runs_of
from flows.ledger.state import State
from flows.process.displacement.of_round import measured
from flows.process.displacement.rows import Decided
from flows.process.read import looked_at
from transforms.phases import spans
from transforms.rounds import load_round


@dataclass(frozen=True)
class Displaced:
    """What was found: decision by decision, and the two runs compared, where there are two."""

    state: State
    decided: list[Decided]
    compared: Diff | None

    def diff_lines(self) -> Iterator[str]:
        """The comparison of the two runs for people."""
        if self.compared:
            yield ""
            yield "all that changed between the two runs (luohu diff):"
            yield from page.lines(self.compared, FIRST)

    def diff_content(self) -> dict[str, Any] | None:
        """The comparison for machines."""
        return as_json(self.compared, FIRST) if self.compared else None


def displaced(
    warehouse: Path,
    data: Path,
    year: int,
    start: str | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> Displaced:
    """What the decisions of a round did, measured from the run before or from one that is named."""
    of_round = spans(f"rounds/{year}.toml", load_round(data / "rounds", year).phases)
    state = looked_at(warehouse, data, year, say=say)
    runs = runs_of(warehouse / "runs" / f"{year}")
    if start is not None:
        start = chosen(start, year, runs)
    current = published(warehouse, year).current
    found = measured(state, warehouse, year, of_round, current, start=start)
    was, now = found.before.run_id, found.after
    compared = None
    if was and now and was != now and {was, now} <= runs.keys():
        compared = diff(was, now, warehouse)
    return Displaced(state, found.decided(), compared)
