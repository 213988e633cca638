"""Screen a delivery at once, by the rules of contract 1: a department hears of bad rows the same day.

Beside its own rows, rows that are known and share a key with one of them are looked at, and no other:
however large a feed is, a correction of it is screened in the time it takes to look for those.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path

import pandera.polars as pa
import polars as pl

from flows.process.deliveries.held import Held
from flows.run.check_rows import schema_of
from flows.run.delivery import Part
from flows.run.drop_repeats import repeats
from flows.run.known import left_out
from flows.run.quarantine import contradictions, located
from flows.run.read_files import read
from flows.run.screening import Batch, Screened, check, require_share, screen
from schemas.feeds import FEEDS

ALL_OF_THEM = Fraction(1)


@dataclass(frozen=True)
class Found:
    """What screening a delivery came to."""

    rows: int
    quarantined: int
    rejects: pl.DataFrame  # with people in it: it is counted and never shown as it is

    @property
    def accepted(self) -> int:
        """Rows without a failed check."""
        return self.rows - self.quarantined

    def by_check(self) -> list[tuple[str, str, int]]:
        """How many rows failed each check of each column."""
        return (
            self.rejects.group_by("column_name", "check_name")
            .agg(pl.len())
            .sort("column_name", "check_name")
            .rows()
        )


def screened(
    parts: list[Part],
    received_on: date | None,
    max_rejects: Fraction,
    *,
    feed: str,
    known: Held,
    replaced: pl.DataFrame,
    warehouse: Path,
) -> Found:
    """Screen new files of a feed beside what it holds; raises FeedRefused for too many bad rows.

    `replaced` says whose known rows do not count, those this delivery replaces included.
    """
    if not parts:
        return Found(0, 0, pl.DataFrame(schema={"column_name": pl.String, "check_name": pl.String}))
    own = screen(feed, parts, received_on, ALL_OF_THEM)
    against = conflicts(own, known, replaced, warehouse, received_on)
    rejects = pl.concat([own.rejects, against])
    quarantined = rejects.select("file", "row_number").n_unique()
    rows = own.counted
    require_share(
        Screened(
            *(feed, own.parts, own.repeated, rejects, own.file_rows, quarantined, own.duplicates),
            left_out={},
        ),
        max_rejects,
    )
    return Found(rows, quarantined, rejects)


def conflicts(
    own: Screened, known: Held, replaced: pl.DataFrame, warehouse: Path, received_on: date | None
) -> pl.DataFrame:
    """The rows of a delivery that share a key with a known row and differ from it, as rejects."""
    keys = FEEDS[own.feed].keys
    mine = own.rows
    rejects = own.rejects.clear()
    if not keys or not known.parts(warehouse) or mine.is_empty():
        return rejects
    schema = schema_of(own.feed, received_on)
    theirs = list(sharing(mine, known.parts(warehouse), schema, replaced))
    known_rows = sum(each.height for each in theirs)
    if not known_rows:
        return rejects
    # the known row comes first, as it does in a run
    both = [*theirs, mine.with_columns(pl.col("row") + known_rows)]
    found = repeats(pl.concat(both), keys).conflicting
    new = found.filter(pl.col("row") >= known_rows).with_columns(pl.col("row") - known_rows)
    return located(own.feed, contradictions(own.feed, new), own.file_rows)


def sharing(
    mine: pl.DataFrame, parts: list[Part], schema: pa.DataFrameSchema, replaced: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    """Good rows that are known and have the first column of a key in common with a new one."""
    start, feed = 0, parts[0].feed
    named = {key[0]: mine[key[0]].unique() for key in FEEDS[feed].keys}
    for part in parts:
        for piece in read(part, schema):
            number = pl.repeat(part.number, piece.rows.height, dtype=pl.Int64, eager=True)
            gone = left_out(feed, piece.rows, number, replaced)
            rows = piece.rows.with_row_index("index")
            near = rows.filter(
                pl.any_horizontal(
                    pl.col(name).is_in(values.cast(rows.schema[name]).implode())
                    for name, values in named.items()
                ),
                ~pl.col("index").is_in(gone.cast(pl.UInt32).implode()),
            )
            if near.is_empty():
                continue
            failed = piece.parse_failures.join(
                near.select(pl.col("index").cast(pl.Int64), place=pl.int_range(pl.len())),
                on="index",
            )
            failed = failed.select(pl.col("place").alias("index"), *failed.columns[1:-1])
            batch = Batch(near.drop("index"), failed, {part.name: near.height})
            yield check(feed, batch, schema, start).good
            start += near.height
