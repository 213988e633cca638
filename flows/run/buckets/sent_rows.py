"""Good rows between the exchange and their bucket: as they lie in memory, read once, then gone.

Listed codes go as the numbers they are kept as.  So do ID numbers and credit codes where one process
writes and reads, since as texts they cost as much as all other columns.  The numbers of another
process stand for other people: what it is to read has texts, and numbers it did not send it refuses.
"""

from functools import cache
from pathlib import Path
from threading import Lock

import polars as pl

from flows.common.by_name import named, read_rows
from flows.common.failures import StageFailed
from flows.run.buckets.layout import whole
from flows.run.codes import coded, held
from flows.run.file_columns import types_of
from schemas.feeds import FEEDS


class Numbered:
    """Files with ID numbers as this process knows them.

    While there are any, a column with codes is held: without one, polars gives the codes to others.
    """

    def __init__(self) -> None:
        self.paths: set[Path] = set()
        self.held: pl.Series | None = None
        self.lock = Lock()

    def add(self, path: Path) -> None:
        """Add a file that is there, before its rows are let go."""
        with self.lock:
            self.paths.add(path)
            if self.held is None:
                self.held = held()

    def has(self, path: Path) -> bool:
        """Whether a file is one of them."""
        return path in self.paths

    def forget_gone(self) -> None:
        """Forget those that are gone: accepted, or of a run that failed."""
        with self.lock:
            self.paths = {each for each in self.paths if each.exists()}
            if not self.paths:
                self.held = None


sent = Numbered()


@cache
def types(feed: str) -> pl.Schema:
    """The columns of good rows: the feed's own, listed codes as they are accepted, and positions."""
    rows = coded(feed, pl.DataFrame(schema=types_of(FEEDS[feed].schema())))
    return pl.Schema({"row": pl.UInt32(), **rows.schema})


def send(rows: pl.DataFrame, path: Path, *, as_texts: bool) -> None:
    """Leave rows for a bucket; this process alone may read them unless ID numbers go as texts."""
    kinds = (pl.Enum,) if as_texts else (pl.Enum, pl.Categorical)
    numbers = [name for name, kind in rows.schema.items() if isinstance(kind, kinds)]
    with whole(path) as aside:
        rows.with_columns(pl.col(numbers).to_physical()).write_ipc_stream(
            named(aside), compression="lz4"
        )
    if not as_texts:
        sent.add(path)


def received(path: Path, feed: str) -> pl.DataFrame:
    """The rows that were left; raises StageFailed where ID numbers are those of another process."""
    rows, kinds = read_rows(path), types(feed)
    numbers = {name: kind for name, kind in kinds.items() if rows.schema[name] != kind}
    if pl.Categorical in numbers.values() and not sent.has(path):
        raise StageFailed(f"{feed}: expected ID numbers as texts, found those of another process")
    return rows.with_columns(pl.col(name).cat.to(kind) for name, kind in numbers.items())
