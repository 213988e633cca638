"""What a comparison prints: what differs, the line, the counts, causes, then who moved and why."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from rich.cells import cell_len

from flows.audit.diff import LINE, NUMBER, Diff, Side
from flows.audit.diff.attribution import FLAGS
from flows.audit.diff.moves import PLACE, affected, by_cause, counts, moved, plain, points, why
from flows.common.vocabulary import FIGURES
from flows.kept.integrity import short

WIDTH = 60  # a longer value is cut
CHANGES = 12  # so many of one cause are shown; the JSON has all
GAP = "  "  # fields are parted by two blanks or more, for grep and awk
COUNTS = {
    "moved": "moved",
    "more_points": "more points",
    "fewer_points": "fewer points",
    "became_eligible": "became eligible",
    "no_longer_eligible": "no longer eligible",
    "crossed_upward": "crossed the line upward",
    "crossed_downward": "crossed the line downward",
    "came_in": "came in",
    "came_in_settled": "  of them settled",
    "dropped_out": "dropped out",
    "dropped_out_settled": "  of them had settled",
    "other_rank_only": "same points, other rank",
}


def lines(found: Diff, first: int | None) -> Iterator[str]:
    """The comparison for people, with so many of those who moved, or all of them."""
    yield from heads(found.a, found.b)
    yield ""
    yield from differing(found)
    yield ""
    yield from table(
        [
            ("", "then", "now"),
            *(
                (FIGURES[name], number(found.a.line[name]), number(found.b.line[name]))
                for name in LINE
            ),
        ],
        right={1, 2},
    )
    yield ""
    counted = counts(found)
    yield from table([(title, f"{counted[name]:,}") for name, title in COUNTS.items()], right={1})
    if found.shares.height:
        yield ""
        yield from causes(found)
    otherwise = sum(counted[name] for name in ("moved", "came_in", "dropped_out"))
    if otherwise:
        yield ""
        yield from movers(found, first, otherwise)


def heads(a: Side, b: Side) -> Iterator[str]:
    """Which runs are compared."""
    for name, side in (("then", a), ("now ", b)):
        code = side.run.manifest["code"]
        yield (
            f"{name}{GAP}round {side.run.year}{GAP}run {side.run.run_id}{GAP}luohu"
            f" {code.get('version')}, code {short(code.get('digest'))}{GAP}{side.run.directory}"
        )


def differing(found: Diff) -> Iterator[str]:
    """What the runs were made from, where it differs."""
    changes = found.causes.changes
    rows = [("cause", "what differs", "then", "now")]
    for cause, group in groupby(changes, key=lambda change: change.cause):
        each = list(group)
        rows += [(cause, *(cut(cell) for cell in change[1:])) for change in each[:CHANGES]]
        if len(each) > CHANGES:
            rows.append((cause, f"and {len(each) - CHANGES:,} more (--json has all)", "", ""))
    if changes:
        yield from table(rows)
    else:
        yield "made from the same data, policy, decision and code"
    for note in found.notes:
        yield f"note: {note}"


def causes(found: Diff) -> Iterator[str]:
    """What every cause did, measure by measure."""
    reach = affected(found)
    rows = [("cause", "measure", "applications", "gained", "lost")]
    for cause, group in groupby(by_cause(found).iter_rows(), key=lambda row: row[0]):
        rows.append((cause, "any", f"{reach[cause]:,}", "", ""))
        for _, measure, applications, gained, lost in group:
            is_flag = measure in FLAGS
            both = (f"{each:,}" if is_flag else grouped(each) for each in (gained, lost))
            rows.append((cause, measure, f"{applications:,}", *both))
    yield from table(rows, right={2, 3, 4})


def movers(found: Diff, first: int | None, of: int) -> Iterator[str]:
    """Who moved, came in or dropped out, and why."""
    shown = moved(found, first)
    reasons = why(found, shown)
    rows = [("application", "total", "now", "rank", "now", "settled", "now", "why")]
    for row in shown.iter_rows(named=True):
        pairs = [
            number(row[f"{name}_{when}"])
            for name in ("total", "rank", "settled")
            for when in ("then", "now")
        ]
        rows.append((row[NUMBER], *pairs, because(reasons[row[PLACE]])))
    yield from table(rows, right={1, 2, 3, 4})
    if of > shown.height:
        yield f"and {of - shown.height:,} more (--all lists them, --out FILE writes them)"


def because(shares: list[dict[str, Any]]) -> str:
    """Shares in words, the total left out: it is the sum of the indicators."""
    reasons = []
    for cause, group in groupby(shares, key=lambda share: share["cause"]):
        each = [
            f"{share['measure']} {share['amount']}"
            for share in group
            if share["measure"] != "total"
        ]
        reasons.append(f"{cause}: {', '.join(each)}")
    return "; ".join(reasons)


def table(rows: Sequence[Sequence[str]], right: set[int] | None = None) -> Iterator[str]:
    """Aligned cells, a Chinese character two wide."""
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = []
        for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
            blank = " " * (width - cell_len(cell))
            cells.append(f"{blank}{cell}" if column in (right or ()) else f"{cell}{blank}")
        yield GAP.join(cells).rstrip()


def number(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else f"{plain(value)}"


def grouped(centipoints: int) -> str:
    """Points with their sign, thousands parted."""
    sign, whole, cents = points(centipoints)[0], abs(centipoints) // 100, points(centipoints)[-3:]
    return f"{sign}{whole:,}{cents}"


def cut(text: str) -> str:
    """A text that leaves room for others."""
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."
