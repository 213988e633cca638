"""Read one file of a delivery, Parquet or CSV, into rows of the model's types.

Whatever makes a file unreadable as a whole is a refusal (`FeedRefused`): it cannot be read or decoded,
a column is missing, unknown or of another type, a quote swallowed rows, rows were lost on the way.
A cell that does not parse, or text that is not UTF-8, is one bad row's matter and is returned beside.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pandera.polars as pa
import polars as pl
import pyarrow as arrow
from polars.exceptions import PanicException, PolarsError

from flows.common.failures import FeedRefused
from flows.run.csv_quotes import last_line, quotes_of
from flows.run.delivered import Delivered
from flows.run.delivery import Part
from flows.run.file_bytes import FileBytes, opened
from flows.run.file_columns import refuse_columns, types_of
from flows.run.file_kinds import GZIP, NOT_UTF_8, PARQUET, START_BYTES, kind_of
from flows.run.read_csv import header_of, read_csv
from flows.run.read_parquet import checked_columns, read_parquet
from flows.run.refusal import refusal

# what the readers raise for a file that is damaged; a panic of polars is no Exception
NOT_READ = (PolarsError, PanicException, arrow.ArrowException, OSError, EOFError, ValueError)
ONE_FIELD_EACH = "quotes around one field each"
FIELDS = re.compile("(?:Row #([0-9]+): )?Expected ([0-9]+) columns, got ([0-9]+)")  # Arrow's


def check_columns(part: Part, types: pl.Schema) -> None:
    """Look at a file's header alone; raises FeedRefused for columns that are not the model's."""
    with refused_if_unreadable(part):
        require_kind(part)
        if part.is_parquet:
            checked_columns(part, types)
        else:
            refuse_columns(part, header_of(part), list(types))


def require_kind(part: Part) -> None:
    """Raise FeedRefused for Parquet or gzip that is something else; `header_of` looks at CSV."""
    if part.is_parquet:
        wanted, expected = PARQUET, "a whole Parquet file"
    elif part.is_gzip:
        wanted, expected = GZIP, "CSV in UTF-8, compressed once"
    else:
        return
    with part.path.open("rb") as file:
        kind = kind_of(file.read(START_BYTES))
    if kind != wanted:
        raise FeedRefused(refusal(part.name, expected, kind))


def read(
    part: Part, schema: pa.DataFrameSchema, piece_rows: int | None = None
) -> Iterator[Delivered]:
    """One file, a large one in pieces, with the columns of the schema in its order and types.

    There is at least one piece.  Raises FeedRefused for a file that cannot be read or decoded.
    """
    reader = partial(read_parquet, piece_rows=piece_rows) if part.is_parquet else read_csv
    with refused_if_unreadable(part):
        before = part.path.stat()
        yield from reader(part, types_of(schema))
        after = part.path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        found = "one that changed while it was read"
        raise FeedRefused(refusal(part.name, "a file that is complete", found))


@contextmanager
def refused_if_unreadable(part: Part) -> Iterator[None]:
    """Turn what a reader raises for a damaged file into a refusal that quotes nothing of it."""
    try:
        yield
    except NOT_READ as error:
        if trouble := trouble_with_quotes(part):
            raise FeedRefused(refusal(part.name, ONE_FIELD_EACH, trouble)) from None
        expected = "a whole Parquet file" if part.is_parquet else "CSV in UTF-8"
        raise FeedRefused(refusal(part.name, *damage(error, expected))) from None


def require_all_rows(part: Part, rows: int, found: FileBytes | None) -> None:
    """Raise FeedRefused unless the rows read of a CSV file are its lines, quotes considered."""
    if found is None:
        raise FeedRefused(refusal(part.name, "a file to read twice", "one that cannot be"))
    if found.joined:
        raise FeedRefused(
            refusal(part.name, "one Parquet file", "two, one written after the other")
        )
    if part.is_parquet:  # counted against what it says of itself
        return
    line = last_line(found.end)
    if rows == found.lines - 1 and line is not None and b'"' not in line:
        return  # every line is a row: no quote reaches over a line end
    with opened(part) as file:
        quotes = quotes_of(file.read())
    if quotes.trouble:
        raise FeedRefused(refusal(part.name, ONE_FIELD_EACH, quotes.trouble))
    counted = found.lines - 1 - quotes.continuing - quotes.blank
    if rows != counted:
        lost = f"{rows:,} read: rows were lost or doubled"
        raise FeedRefused(refusal(part.name, f"{counted:,} rows, as counted in the file", lost))


def trouble_with_quotes(part: Part) -> str:
    """What a quote does to a CSV file that cannot be read; nothing when it is something else."""
    if part.is_parquet:
        return ""
    try:
        with opened(part) as file:
            return quotes_of(file.read()).trouble
    except NOT_READ:
        return ""


def damage(error: BaseException, expected: str) -> tuple[str, str]:
    """What was expected and what came, in our own words: an error's text may quote the file's values."""
    text = " ".join(str(error).split())
    if counted := FIELDS.search(text):
        row, wanted, got = counted.groups()
        where = f" in row {row}, the header counted" if row else ""
        return f"{wanted} fields in every row", f"{got}{where}"
    if "UTF8" in text or "UTF-8" in text or isinstance(error, UnicodeError):
        return expected, NOT_UTF_8
    return expected, "one that is damaged or cut short"
