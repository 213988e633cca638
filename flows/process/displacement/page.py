"""Displacement for people and for machines: a block a decision, and why a figure is not there."""

from collections.abc import Iterator, Sequence
from typing import Any

from flows.common.points import in_text
from flows.process.displacement.rows import Decided, in_points

NONE = "-"


def lines(found: Sequence[Decided]) -> Iterator[str]:
    """A block a decision."""
    if not found:
        yield "no decision upheld an appeal"
    for each in found:
        row = each.row
        yield f"{row['appeal_id']}  application {row['application_no']}"
        yield f"  total    {change(row, 'total', points)}"
        yield f"  rank     {change(row, 'rank', whole)}"
        yield f"  settled  {change(row, 'settled', yes_or_no)}"
        yield f"  line     {points(row['line'])}, without {points(row['line_without'])}"
        yield f"  tied     {whole(row['tied'])}, without {whole(row['tied_without'])}"
        yield f"  settle   {whole(row['settled'])}, without {whole(row['settled_without'])}"
        if row["together"]:
            yield "  together: of several decisions on this applicant, or all applicants of an employer"
        if each.why:
            yield f"  why: {each.why}"


def change(row: dict[str, Any], name: str, show: Any) -> str:
    """A figure before and after."""
    return f"{show(row[f'{name}_before'])} -> {show(row[f'{name}_after'])}"


def points(centipoints: int | None) -> str:
    """Points, or that there are none."""
    return NONE if centipoints is None else in_text(centipoints)


def whole(number: int | None) -> str:
    """A number, or that there is none."""
    return NONE if number is None else f"{number:,}"


def yes_or_no(flag: bool | None) -> str:  # noqa: FBT001 (a cell)
    """A flag in words."""
    return NONE if flag is None else "yes" if flag else "no"


def as_content(found: Sequence[Decided]) -> list[dict[str, Any]]:
    """For machines: points as text with two decimals, exactly."""
    return [
        {
            name: f"{value}" if name.startswith(("total_", "line")) and value is not None else value
            for name, value in in_points(each.row).items()
        }
        | {"why": each.why}
        for each in found
    ]
