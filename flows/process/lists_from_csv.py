"""A list that a clerk hands in as CSV, for an operation on many: read whole, or refused with one line.

A value is never repeated in a message: it may be somebody's name or ID number in the wrong column.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flows.common.failures import BadUsage, Failure
from flows.common.limits import MOST_JSON, require_size

FIRST_ROW = 1  # rows are counted as in the feeds: the first after the header


def read_list(
    path: Path, columns: Sequence[str], optional: Sequence[str] = ()
) -> list[dict[str, str]]:
    """The rows of a CSV file in UTF-8 with these columns, in whatever order; an absent one is empty."""
    if not path.is_file():
        raise BadUsage(f"--from {path}: expected a CSV file, found none")
    require_size(path, MOST_JSON)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except UnicodeDecodeError:
        raise BadUsage(f"--from {path}: expected UTF-8, found other bytes") from None
    except csv.Error as error:
        raise BadUsage(f"--from {path}: expected CSV, found: {error}") from None
    header = lines[0] if lines else []
    names = [*columns, *optional]
    if len(set(header)) < len(header) or not set(columns) <= set(header) <= set(names):
        also = f" and perhaps {', '.join(optional)}" if optional else ""
        raise BadUsage(
            f"--from {path}: expected the columns {', '.join(columns)}{also}, found a header of"
            f" {len(header)} fields that are others"
        )
    rows = []
    for number, fields in enumerate((each for each in lines[1:] if each), FIRST_ROW):
        if len(fields) != len(header):
            raise BadUsage(
                f"--from {path}: row {number}: expected {len(header)} fields, found {len(fields)}"
            )
        rows.append(dict.fromkeys(names, "") | dict(zip(header, fields, strict=True)))
    if not rows:
        raise BadUsage(f"--from {path}: expected at least one row, found none")
    return rows


@contextmanager
def message_with_row(path: Path | None, number: int) -> Iterator[None]:
    """Say which row of a list a refusal is about; nothing is added where there is no list."""
    try:
        yield
    except Failure as failure:
        if path is None:
            raise
        raise type(failure)(f"--from {path}: row {number}: {failure}") from None
