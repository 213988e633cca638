"""The rows of displacement: one a decision, from the runs before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from flows.process.appeals.standing import Appeal
from flows.process.displacement.before import Before
from flows.process.displacement.line import Line, Ranked, put_back, ranked

IN_POINTS = ("total_before", "total_after", "line", "line_without")
NO_RUN = "the round has no run after it yet"


@dataclass(frozen=True)
class Decided:
    """What a decision came to: a row in centipoints, and why its columns of before are null."""

    row: dict[str, Any]
    why: str | None


def decided(
    appeals: Sequence[Appeal],
    was: Before,
    after: str | None,
    runs: Mapping[str, Path],
    covered: Mapping[str, frozenset[str]],
) -> list[Decided]:
    """A row a decision; `covered` says, by appeal, who is put back beside its applicant."""
    if was.run_id and was.run_id not in runs:
        was = Before(None, why=f"run {was.run_id}, the run before, is not in the warehouse")
    if after and after not in runs:
        after = None
    why_not = {each.id: was.why_not(each) for each in appeals}
    groups: dict[str, set[str]] = {}  # of decisions that can be measured, by applicant
    several: dict[str, int] = {}
    for each in appeals:
        if why_not[each.id] is None:
            group = groups.setdefault(each.application_no, {each.application_no})
            group |= covered.get(each.id, frozenset())
            several[each.application_no] = several.get(each.application_no, 0) + 1
    wanted = sorted({each.application_no for each in appeals}.union(*groups.values()))
    now = ranked(runs[after], wanted) if after else None
    then = ranked(runs[was.run_id], wanted) if was.run_id and now and groups else None
    line = now.line() if now else None
    without = {
        number: put_back(now, then, sorted(group))
        for number, group in groups.items()
        if now and then
    }
    return [
        Decided(
            {
                "round": each.filed.round,
                "appeal_id": each.id,
                "decision": each.decision.seq if each.decision else None,
                "application_no": each.application_no,
                **of_applicant(each.application_no, now, "after"),
                **of_applicant(each.application_no, None if why_not[each.id] else then, "before"),
                **of_line(line, ""),
                **of_line(
                    None if why_not[each.id] else without.get(each.application_no), "_without"
                ),
                "together": why_not[each.id] is None
                and (several[each.application_no] > 1 or len(groups[each.application_no]) > 1),
                "run_before": was.run_id,
                "run_after": after,
            },
            why_not[each.id] or (None if now else NO_RUN),
        )
        for each in appeals
    ]


def of_applicant(number: str, run: Ranked | None, when: str) -> dict[str, Any]:
    """How an applicant stands in a run; null without one, or where the run has them not."""
    standing = run.standings.get(number) if run else None
    return {
        f"total_{when}": standing.total if standing else None,
        f"rank_{when}": standing.rank if standing else None,
        f"settled_{when}": (standing.settled if standing else False) if run else None,
    }


def of_line(line: Line | None, suffix: str) -> dict[str, Any]:
    """A line in its three columns."""
    return {
        f"line{suffix}": line.line if line else None,
        f"tied{suffix}": line.tied if line else None,
        f"settled{suffix}": line.settled if line else None,
    }


def in_points(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its centipoints as points, exactly."""
    points = {
        name: None if row[name] is None else Decimal(row[name]).scaleb(-2) for name in IN_POINTS
    }
    return row | points
