"""Whom a delivery is about: the subjects of its rows and of its withdrawn file.

The subject of a feed is the person, of `employers` and `financings` the employer, of `sanctions`
whichever it names.  No subject ever stands in the ledger: it is read from the delivered files.
"""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from flows.common.failures import FeedRefused
from flows.ledger.entries import Entry
from flows.process.deliveries.held import Held
from flows.run.delivery import Part
from flows.run.known import REPLACED, subject_of
from flows.run.read_files import read
from schemas.feeds import FEEDS
from schemas.identifiers import is_credit_code, is_id_number

WITHDRAWN = "subject"  # the one column of a withdrawn file


def in_parts(feed: str, parts: Iterable[Part]) -> pl.Series:
    """The subjects of the rows of some files, each once; rows without one are about nobody."""
    name, schema = subject_of(feed), FEEDS[feed].schema()
    pieces = [
        piece.rows[name].unique().cast(pl.String).alias(WITHDRAWN)
        for part in parts
        for piece in read(part, schema)
    ]
    return pl.concat([pl.Series(WITHDRAWN, [], pl.String), *pieces]).drop_nulls().unique()


def in_withdrawn(path: Path) -> pl.Series:
    """The subjects of a withdrawn file; raises FeedRefused for a file that is none, quoting nothing."""
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise FeedRefused("withdrawn: expected CSV in UTF-8, found another encoding") from None
    cells = [line.strip() for line in lines]
    while cells and not cells[-1]:
        cells.pop()
    if not cells or cells[0].strip('"') != WITHDRAWN:
        raise FeedRefused(f"withdrawn: expected one column {WITHDRAWN}, found another header")
    found = pl.Series(WITHDRAWN, [each.strip('"') for each in cells[1:]], pl.String)
    column = pl.col(WITHDRAWN)
    bad = (
        found.to_frame()
        .with_row_index("row", offset=1)
        .filter(~(is_id_number(column) | is_credit_code(column)))["row"]
    )
    if bad.len():
        raise FeedRefused(
            f"withdrawn: expected an ID number or a credit code in every row, found another in"
            f" {bad.len():,} (first: row {bad[0]:,})"
        )
    if again := found.len() - found.n_unique():
        raise FeedRefused(f"withdrawn: expected every subject once, found {again:,} again")
    return found


def withdrawn_of(warehouse: Path, entry: Entry) -> pl.Series:
    """The subjects a recorded delivery withdrew."""
    name = entry.body["withdrawn_file"]
    return in_withdrawn(warehouse / name) if name else pl.Series(WITHDRAWN, [], pl.String)


def own_parts(warehouse: Path, entry: Entry) -> list[Part]:
    """The files of one recorded delivery."""
    return Held(entry.body["feed"], (entry,)).parts(warehouse)


def subjects_of(warehouse: Path, entry: Entry) -> pl.Series:
    """Everybody a recorded delivery is about."""
    rows = in_parts(entry.body["feed"], own_parts(warehouse, entry))
    return pl.concat([rows, withdrawn_of(warehouse, entry)]).unique()


def covers(warehouse: Path, entry: Entry, subject_id: str) -> bool:
    """Whether a subject stands in the rows of a recorded delivery or in its withdrawn file."""
    return subject_id in subjects_of(warehouse, entry)


def replaced(warehouse: Path, held: Held) -> pl.DataFrame:
    """Whose rows corrections took the place of, and in the files before which one.

    Of two corrections of one subject the later counts.
    """
    found = [pl.DataFrame(schema=REPLACED)]
    for entry, number in held.corrections():
        if number:
            people = subjects_of(warehouse, entry)
            found.append(pl.DataFrame({"subject": people, "before": number}, schema=REPLACED))
    return pl.concat(found).group_by("subject").agg(pl.col("before").max()).sort("subject")


def standing(warehouse: Path, held: Held) -> pl.Series:
    """The subjects that stand in the rows a feed holds, accepted or not."""
    found = [
        in_parts(held.feed, [part]).to_frame().with_columns(number=pl.lit(part.number, pl.Int64))
        for part in held.parts(warehouse)
    ]
    if not found:
        return pl.Series(WITHDRAWN, [], pl.String)
    return (
        pl.concat(found)
        .group_by(WITHDRAWN)
        .agg(pl.col("number").max())
        .join(replaced(warehouse, held), on=WITHDRAWN, how="left", validate="1:1")
        .filter(pl.col("number") >= pl.col("before").fill_null(0))[WITHDRAWN]
    )
