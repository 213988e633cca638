"""Which runs a decision is measured between, and why it cannot be (docs/process.md, 5).

Before: the first run that was entered after `summary` ended, made without `--as-known-on`; without a
`summary`, the last one entered before the first decision.  Where that run already holds a delivery a
decision names, it is no run before that decision.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flows.ledger.entries import Entry
from flows.ledger.operations import RUN
from flows.ledger.state import State
from flows.process.appeals.standing import Appeal
from transforms.phases import Spans

SUMMARY = "summary"


@dataclass(frozen=True)
class Before:
    """The run before, with the deliveries it holds; no run where there is none, and then why."""

    run_id: str | None
    deliveries: frozenset[str] = frozenset()
    why: str | None = None

    def why_not(self, appeal: Appeal) -> str | None:
        """Why the decision on an appeal cannot be measured from here; nothing where it can."""
        if self.run_id is None:
            return self.why
        held = [name for name in appeal.deliveries if name in self.deliveries]
        if held:
            return f"run {self.run_id}, the run before, already holds {', '.join(held)}"
        return None


def before(state: State, year: int, of_round: Spans, decisions: Sequence[Entry]) -> Before:
    """The run all decisions of a round are measured from."""
    runs = [each for each in state.standing(RUN, year) if each.body.get("as_known_on") is None]
    summary = next((each for each in of_round if each.code == SUMMARY), None)
    if summary:
        found = [each for each in runs if summary.ends and each.moment >= summary.ends][:1]
        why = "no run was entered after summary ended"
    else:
        found = [each for each in runs if decisions and each.seq < decisions[0].seq][-1:]
        why = "no run was entered before the first decision"
    if not found:
        return Before(None, why=why)
    return Before(found[0].body["id"], frozenset(found[0].body["deliveries"]))


def named(state: State, year: int, run_id: str) -> Before:
    """A run that somebody names as the one before; one made with --feeds holds no delivery."""
    return Before(run_id, frozenset(holdings(state, year, run_id) or ()))


def holdings(state: State, year: int, run_id: str | None) -> list[str] | None:
    """The deliveries a run was made from; nothing for one without an entry, made with --feeds."""
    entries = state.standing(RUN, year, id=run_id)
    return next((each.body["deliveries"] for each in entries), None)
