"""Good rows between the exchange and their bucket: as they lie in memory, read once, then gone.

Listed codes go as the numbers they are kept as.  So do ID numbers and credit codes where one process
writes and reads, since as texts they cost as much as all other columns.  The numbers of another
process stand for other people: what it is to read has texts, and numbers it did not send it refuses.
"""

from functools import cache
from pathlib import Path

import polars as pl

from flows.common.by_name import named, read_rows
from flows.common.failures import StageFailed
from flows.run.buckets.places import whole
from flows.run.codes import coded
from flows.run.file_columns import types_of
from schemas.feeds import FEEDS

numbered_here: set[Path] = set()  # folders with ID numbers as this process knows them


@cache
def types(feed: str) -> pl.Schema:
    """The columns of good rows: the feed's own, listed codes as they are accepted, and positions."""
    rows = coded(feed, pl.DataFrame(schema=types_of(FEEDS[feed].schema())))
    return pl.Schema({"row": pl.UInt32(), **rows.schema})


def send(rows: pl.DataFrame, path: Path, *, as_texts: bool) -> None:
    """Leave rows for a bucket; this process alone may read them unless ID numbers go as texts."""
    kinds: tuple[type[pl.DataType], ...] = (pl.Enum,)
    if not as_texts:
        kinds = (pl.Enum, pl.Categorical)
        numbered_here.add(path.parent)
    numbers = [name for name, kind in rows.schema.items() if isinstance(kind, kinds)]
    with whole(path) as aside:
        rows.with_columns(pl.col(numbers).to_physical()).write_ipc_stream(
            named(aside), compression="lz4"
        )


def received(path: Path, feed: str) -> pl.DataFrame:
    """The rows that were left; raises StageFailed where ID numbers are those of another process."""
    rows, kinds = read_rows(path), types(feed)
    numbers = {name: kind for name, kind in kinds.items() if rows.schema[name] != kind}
    if pl.Categorical in numbers.values() and path.parent not in numbered_here:
        raise StageFailed(f"{feed}: expected ID numbers as texts, found those of another process")
    return rows.with_columns(pl.col(name).cat.to(kind) for name, kind in numbers.items())
