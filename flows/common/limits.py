"""How much is read of a file that somebody else made; more is refused, and the message says the limit.

A few kilobytes may stand for hundreds of millions of rows, or for a date in the year 5,000,000.  What a
file would come to is known from its footer and its size, before one row of it is in memory.  The limits
are some fourteen times what the largest round there has been comes to (17 million rows of insurance).
"""

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from flows.common.by_name import schema_of
from flows.common.failures import TooLarge

if TYPE_CHECKING:
    import pyarrow as arrow

MOST_JSON = 16 << 20  # bytes
MOST_ROWS = 250_000_000  # of a table
MOST_IN_MEMORY = 12 << 30  # bytes of a table, read
MOST_FOOTER = 16 << 20  # bytes of a Parquet file that say what is in it
MOST_COLUMNS = 1_000
TAIL = 8  # the length of the footer and four letters
WIDTH_OF_TEXT = 16  # bytes of a view; the text itself is counted by the uncompressed size


def require_size(path: Path, most: int) -> None:
    """Raise TooLarge for a file of more bytes; OSError where there is none."""
    if (size := path.stat().st_size) > most:
        raise TooLarge(f"{path}: expected at most {most:,} bytes, found {size:,}: not read")


def parquet_problem(path: Path) -> str | None:
    """Why a Parquet file is not read, known from its footer alone; nothing for one that may be.

    Nothing also for a file that is no Parquet file: its reader reports that.
    """
    import pyarrow as arrow  # a third of a second, and most commands read no such file
    from pyarrow import parquet

    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - TAIL, 0))
        length = int.from_bytes(file.read(TAIL)[:4], "little")
    if length > MOST_FOOTER:
        return None if length > size else f"expected at most {MOST_FOOTER:,} bytes of footer"
    try:
        footer = parquet.read_metadata(path)
        schema = footer.schema.to_arrow_schema()
    except (arrow.ArrowException, OSError):
        return "expected a footer that Arrow reads too" if polars_reads(path) else None
    groups = [footer.row_group(place) for place in range(footer.num_row_groups)]
    rows = max(footer.num_rows, sum(group.num_rows for group in groups))
    if rows > MOST_ROWS:
        return f"expected at most {MOST_ROWS:,} rows, found {rows:,}"
    if footer.num_columns > MOST_COLUMNS:
        return f"expected at most {MOST_COLUMNS:,} columns, found {footer.num_columns:,}"
    memory = rows * sum(map(width, schema.types)) + sum(group.total_byte_size for group in groups)
    if memory > MOST_IN_MEMORY:
        return f"expected at most {MOST_IN_MEMORY:,} bytes once it is read, found {memory:,}"
    return None


def polars_reads(path: Path) -> bool:
    """Whether the other reader takes it for a Parquet file."""
    try:
        schema_of(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return False
    return True


def width(kind: "arrow.DataType") -> int:
    """The bytes a value takes in memory, at least."""
    try:
        return int(kind.bit_width) // 8 + 1
    except ValueError:
        return WIDTH_OF_TEXT
