"""One feed from its files to good rows and rejects: read, check every row, drop repeats, count.

More than `max_rejects` of a feed quarantined refuses the feed: that is a broken delivery, not a few
bad rows.  Row numbers count data rows from 1 in each file; values in rejects are masked.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import pandera.polars as pa
import polars as pl

from flows.common.failures import FeedRefused
from flows.run.check_rows import failed_checks, schema_of, within_limits
from flows.run.codes import coded
from flows.run.delivered import Delivered
from flows.run.delivery import Part
from flows.run.drop_repeats import Repeats, repeated, without
from flows.run.known import REPLACED, left_out
from flows.run.quarantine import contradictions, described, located, too_many
from flows.run.read_files import read
from flows.run.refusal import refusal

BATCH_ROWS = 1_000_000
WORKERS = 2
MOST_POSITIONS = 2**32 - 2  # of a feed: a row is known by its position, a whole number of 32 bits
NOTHING_REPLACED = pl.DataFrame(schema=REPLACED)


@dataclass(frozen=True)
class Batch:
    """Files or pieces of a feed, checked together; `index` in parse_failures counts its rows."""

    rows: pl.DataFrame
    parse_failures: pl.DataFrame
    file_rows: dict[str, int]

    def files(self) -> pl.Series:
        """The number of the file of each row."""
        return pl.concat(
            pl.repeat(int(name.rpartition("-")[2]), rows, dtype=pl.Int64, eager=True)
            for name, rows in self.file_rows.items()
        )

    @classmethod
    def of(cls, parts: list[Delivered]) -> "Batch":
        """Several files as one batch."""
        parse_failures, start = [], 0
        file_rows: dict[str, int] = {}
        for part in parts:
            parse_failures.append(part.parse_failures.with_columns(pl.col("index") + start))
            start += part.rows.height
            file_rows[part.part] = file_rows.get(part.part, 0) + part.rows.height
        return cls(pl.concat(part.rows for part in parts), pl.concat(parse_failures), file_rows)


@dataclass(frozen=True)
class Checked:
    """A batch's good rows and rejects, both with positions in the feed; how many a file lost."""

    good: pl.DataFrame
    rejects: pl.DataFrame
    left_out: dict[str, int]
    file_rows: dict[str, int]
    start: int  # the position of its first row


@dataclass(frozen=True)
class Screened:
    """A feed's good rows in parts, which of them do not count, its rejects and its counts."""

    feed: str
    parts: list[pl.DataFrame]
    repeated: pl.Series
    rejects: pl.DataFrame
    file_rows: dict[str, int]
    quarantined: int
    duplicates: int
    left_out: dict[str, int]  # rows that a correction took the place of, by file

    @property
    def counted(self) -> int:
        """How many rows were read that a correction left."""
        return sum(self.file_rows.values()) - sum(self.left_out.values())

    @property
    def rows(self) -> pl.DataFrame:
        """The rows that count as one frame."""
        return without(pl.concat(self.parts), self.repeated)


def screen(
    feed: str,
    parts: list[Part],
    received_on: date | None,
    max_rejects: Fraction,
    replaced: pl.DataFrame = NOTHING_REPLACED,
) -> Screened:
    """Read and check the files of one feed; raises FeedRefused when it cannot be used.

    Rows that a later file took the place of (`replaced`) are read, and count for nothing.
    """
    done = [*checked(feed, parts, received_on, replaced)]
    screened = together(feed, done, repeated(feed, [each.good for each in done]))
    require_share(screened, max_rejects)
    return screened


def checked(
    feed: str,
    parts: list[Part],
    received_on: date | None,
    replaced: pl.DataFrame,
    keep: Callable[[Checked], Checked] = lambda batch: batch,
    *,
    piece_rows: int | None = None,
) -> Iterator[Checked]:
    """The files of a feed, batch by batch in order; `keep` gets each where it was checked.

    Several batches are in memory at a time, so smaller pieces of large files take less of it.
    """
    schema = schema_of(feed, received_on)

    def check_and_keep(batch: Batch, start: int) -> Checked:
        return keep(check(feed, batch, schema, start, replaced))

    waiting: deque[Future[Checked]] = deque()
    start = 0
    with ThreadPoolExecutor(WORKERS) as pool:
        for batch in batches(parts, schema, piece_rows):
            require_countable(feed, start + batch.rows.height)
            if len(waiting) > WORKERS:  # a few batches in memory, not all
                yield waiting.popleft().result()
            waiting.append(pool.submit(check_and_keep, batch, start))
            start += batch.rows.height
        yield from (each.result() for each in waiting)


def together(feed: str, done: list[Checked], found: Repeats) -> Screened:
    """A feed of its batches and of the repeats among them."""
    file_rows, lost = dict[str, int](), Counter[str]()
    for each in done:
        lost.update(each.left_out)
        for file, rows in each.file_rows.items():
            file_rows[file] = file_rows.get(file, 0) + rows
    require_countable(feed, sum(file_rows.values()))
    rejects = [*(each.rejects for each in done), contradictions(feed, found.conflicting)]
    rejects_ = located(feed, pl.concat(rejects), file_rows)
    return Screened(
        feed=feed,
        parts=[each.good for each in done],
        repeated=found.gone,
        rejects=rejects_,
        file_rows=file_rows,
        quarantined=rejects_.select("file", "row_number").n_unique(),
        duplicates=found.dropped,
        left_out=dict(lost),
    )


def require_countable(feed: str, rows: int) -> None:
    """Raise FeedRefused where positions would not fit: they would begin again at 0, and nobody would see."""
    if rows > MOST_POSITIONS:
        raise FeedRefused(refusal(feed, f"at most {MOST_POSITIONS:,} rows", "more"))


def require_share(screened: Screened, max_rejects: Fraction) -> None:
    """Raise FeedRefused where more than a share of the rows that count is bad."""
    bad, rows = screened.quarantined, screened.counted
    if bad > max_rejects * rows:
        raise FeedRefused(too_many(screened.feed, screened.rejects, bad, rows, max_rejects))


def batches(
    parts: list[Part], schema: pa.DataFrameSchema, piece_rows: int | None
) -> Iterator[Batch]:
    """A feed in order, small files together: a check costs time even on few rows."""
    waiting: list[Delivered] = []
    for part in parts:
        for piece in read(part, schema, piece_rows):
            waiting.append(piece)
            if sum(each.rows.height for each in waiting) >= BATCH_ROWS:
                yield Batch.of(waiting)
                waiting = []
    if waiting:
        yield Batch.of(waiting)


def check(
    feed: str,
    batch: Batch,
    schema: pa.DataFrameSchema,
    start: int,
    replaced: pl.DataFrame = NOTHING_REPLACED,
) -> Checked:
    """One batch split into good rows, as they are accepted, and rejects, with positions in the feed."""
    rows, beyond = within_limits(batch.rows)
    without_value = pl.concat([batch.parse_failures, beyond])
    bad = failed_checks(rows, without_value, schema)
    lost = Counter[str]()
    gone = pl.Series("index", [], pl.UInt32)
    if replaced.height:
        files = batch.files()
        gone = left_out(feed, batch.rows, files, replaced)
        lost = Counter(f"{feed}/part-{number}" for number in files.gather(gone))
        bad = bad.filter(~pl.col("index").is_in(gone.cast(pl.Int64).implode()))
    out = pl.concat([bad["index"].unique(), gone.cast(pl.Int64)])
    good = without(rows.with_row_index("row", offset=start), out + start)
    return Checked(
        good=coded(feed, good),
        rejects=described(rows, bad, start),
        left_out=dict(lost),
        file_rows=batch.file_rows,
        start=start,
    )
