"""`sanction export`: findings for the public credit platform (信用信息平台), for its owner only.

It names people by ID number, which the platform knows them by; the ledger never does.
"""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

from flows.common.failures import BadUsage
from flows.common.files import may_become, written_aside
from flows.ledger.operations import SANCTION
from flows.ledger.state import State
from flows.process.deliveries.findings import subjects
from flows.process.places.bar import bar, years_after
from flows.process.read import looked_at

COLUMNS = ("subject", "found_on", "first_year", "last_year", "reason", "round", "application_no")


def export(
    warehouse: Path, data: Path, out: Path | None, say: Callable[[str], object] = lambda _: None
) -> int:
    """Write every finding that stands to a CSV file, complete or not at all; how many there are."""
    if out is None or not may_become(out):
        raise BadUsage("--out: expected a new file or a plain one, found something else")
    if not out.absolute().parent.is_dir():
        raise BadUsage(f"--out {out}: expected the folder {out.absolute().parent}, found none")
    state = looked_at(warehouse, data, say=say)
    found = sorted(row for year in state.rounds for row in findings(state, warehouse, data, year))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *found])
    with written_aside(out, private=True) as file:
        file.write(text.getvalue().encode())
    return len(found)


def findings(
    state: State, warehouse: Path, data: Path, year: int
) -> Iterator[tuple[str, str, int, int, str, int, str]]:
    """The findings of a round as the file has them; raises NotFound where nobody knows who it was."""
    entries = list(state.standing(SANCTION, year))
    if not entries:
        return
    years = years_after(warehouse, data, year)
    for subject, each in zip(subjects(warehouse, entries, state), entries, strict=True):
        _, first, last = bar(each, years)
        yield (
            *(subject, each.body["found_on"], first, last),
            *(each.body["reason"], year, each.body["application_no"] or ""),
        )
