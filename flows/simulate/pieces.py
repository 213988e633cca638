"""A simulated delivery as departments bring it: in pieces, with notes, and corrected later.

What is known once all of them are taken in is the plain delivery, row for row: whom a correction is
about was wrong before, in rows that were missing, came alone, or were somebody else's (withdrawn).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import polars as pl

from flows.common.by_name import named, read_table
from flows.common.private_folder import private_folder
from flows.process.deliveries.note import ALL, PART, PEOPLE
from flows.process.deliveries.subjects import WITHDRAWN
from flows.process.deliveries.write_note import noted, write_note
from flows.run.delivery import Part, folder_of
from flows.run.known import subject_of
from flows.run.quarantine import IDENTITIES
from flows.run.screening import screen
from flows.simulate import simulate
from flows.simulate.write import Format, delivery, write
from schemas.feeds import FEEDS
from transforms.phases import in_beijing
from transforms.rounds import Round, load_round

CORRECTED, WRONGLY = 8, 3  # at most so many subjects of a feed are corrected, and withdrawn
PIECE = Fraction(3, 5)  # of the rows come first where one department delivers twice
MOST_BAD = Fraction(1, 20)
ORDER = "deliveries.csv"
WRONG_DISTRICT = pl.lit("000000").alias("district")
NOT_WITHDRAWN = {"applications", "employers"}  # nobody is in these at first who is not in the end


@dataclass(frozen=True)
class Piece:
    """One delivery of a feed."""

    feed: str
    scope: str
    department: str
    rows: pl.DataFrame
    withdrawn: pl.Series | None = None


@dataclass(frozen=True)
class Whole:
    """A feed as it is in the end: its rows as delivered, whether each is good, and whose all are."""

    feed: str
    rows: pl.DataFrame
    is_bad: pl.Series
    clean: pl.Series

    @property
    def subjects(self) -> pl.Series:
        """Whom each row is about, as it stands there."""
        return self.rows[subject_of(self.feed)]


def simulate_pieces(year: int, out: Path, *, data: Path, fmt: Format, **asked: Any) -> None:
    """Write a simulated delivery in pieces to `out`, which must not exist or be empty."""
    this_round = load_round(data / "rounds", year)
    with delivery(out) as folder, private_folder(folder.parent) as work:
        simulate(year, work / "feeds", data=data, fmt=fmt, **asked)
        write_pieces(work / "feeds", this_round, folder, fmt)


def write_pieces(feeds: Path, this_round: Round, out: Path, fmt: Format) -> int:
    """Write every feed of a plain delivery in pieces below `out`, in the order to take them in."""
    wholes = {feed: whole(feeds, feed, this_round) for feed in FEEDS}
    first = in_beijing(this_round.policy_date) + timedelta(hours=9)
    numbers = count(1)
    rows = []
    both = [(feed, list(pieces(wholes, feed))) for feed in FEEDS]
    ordered = [
        *((each, 0) for _, found in both for each in found if each.scope != PEOPLE),
        *((each, 1) for _, found in both for each in found if each.scope == PEOPLE),
    ]
    for piece, later in ordered:
        number = next(numbers)
        folder = f"{number:03}-{piece.feed}-{piece.scope}"
        at = first + timedelta(days=30 * later, minutes=number)
        put(piece, this_round.year, out / folder, number, at, fmt=fmt)
        rows.append((folder, piece.feed, piece.scope, piece.department, at.isoformat()))
    columns = ["folder", "feed", "scope", "department", "delivered_at"]
    pl.DataFrame(rows, columns, orient="row").write_csv(named(out / ORDER))
    return len(rows)


def put(piece: Piece, year: int, folder: Path, number: int, at: datetime, *, fmt: Format) -> None:
    """Write one piece: its file, who is withdrawn, and the note."""
    folder.mkdir()
    write(piece.rows, folder, "files", number, fmt)
    beside = folder / "withdrawn.csv" if piece.withdrawn is not None else None
    if beside and piece.withdrawn is not None:
        piece.withdrawn.alias(WITHDRAWN).to_frame().write_csv(named(beside))
    note = noted(
        *(year, piece.feed, [folder / "files"]),
        scope=piece.scope,
        department=piece.department,
        delivered_at=at,
        withdrawn=beside,
    )
    write_note(note, folder / "note.toml")


def whole(feeds: Path, feed: str, this_round: Round) -> Whole:
    """A feed as it was simulated, screened."""
    parts = folder_of(feeds, feed).parts
    found = screen(feed, parts, this_round.received_on, Fraction(1))
    frames = [raw(part).with_columns(pl.lit(part.name).alias("file")) for part in parts]
    rows = pl.concat(
        each.with_columns(row_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
        for each in frames
    )
    bad = found.rejects.select("file", "row_number").unique().with_columns(bad=pl.lit(value=True))
    flags = rows.join(bad, on=["file", "row_number"], how="left", maintain_order="left")
    of_bad = pl.concat(found.rejects[name].alias("subject") for name in IDENTITIES).drop_nulls()
    subjects = found.rows[subject_of(feed)].cast(pl.String).unique(maintain_order=True)
    return Whole(
        feed,
        rows.drop("file", "row_number"),
        flags["bad"].fill_null(value=False),
        subjects.filter(~subjects.is_in(of_bad.implode())),
    )


def raw(part: Part) -> pl.DataFrame:
    """A file as it stands there: of CSV every cell as text."""
    if part.is_parquet:
        return read_table(part.path)
    return pl.read_csv(part.path.read_bytes(), infer_schema=False)


def pieces(wholes: dict[str, Whole], feed: str) -> Iterator[Piece]:
    """The deliveries of a feed in order: all or parts of it, then a correction."""
    of = wholes[feed]
    departments = FEEDS[feed].department.split(", ")
    subjects = of.subjects.cast(pl.String)
    about = can_be_corrected(wholes, feed)
    is_corrected = subjects.is_in(about.head(CORRECTED).implode()).fill_null(value=False)
    right = of.rows.filter(is_corrected)
    wrong, withdrawn = came_wrong(wholes, feed, right)
    before = pl.concat([of.rows.filter(~is_corrected), wrong])
    bad = of.is_bad.filter(~is_corrected)
    split = shares(before, bad, departments)
    if len(departments) == 1 or len(split) == 1:
        scopes = [ALL, *[PART] * (len(split) - 1)]
    else:
        scopes = [PART] * len(split)
    for place, (scope, rows) in enumerate(zip(scopes, split, strict=True)):
        yield Piece(feed, scope, departments[place % len(departments)], rows)
    if right.height or withdrawn.len():
        some = withdrawn if withdrawn.len() else None
        yield Piece(feed, PEOPLE, departments[-1], right, some)


def can_be_corrected(wholes: dict[str, Whole], feed: str) -> pl.Series:
    """Subjects whose rows are all good and who stand where a correction's subjects have to."""
    clean = wholes[feed].clean
    there = [wholes[name].subjects.cast(pl.String) for name in ("applications", "employers")]
    return clean.filter(clean.is_in(pl.concat(each.alias("s") for each in there).implode()))


def came_wrong(
    wholes: dict[str, Whole], feed: str, right: pl.DataFrame
) -> tuple[pl.DataFrame, pl.Series]:
    """What came at first in place of the right rows, and who has to be withdrawn again."""
    column = subject_of(feed)
    once = right.unique(column, keep="first", maintain_order=True)
    # of every second subject one row came, of the others none; an employer has to stand there
    alone = once.with_columns(WRONG_DISTRICT) if feed == "employers" else once.gather_every(2)
    others = "employers" if column == "employer_id" else "applications"
    nobody = wholes[others].clean.clear()
    if feed in NOT_WITHDRAWN or once.is_empty():
        return alone, nobody
    there = wholes[feed].subjects.cast(pl.String).drop_nulls()
    free = wholes[others].clean
    withdrawn = free.filter(~free.is_in(there.implode())).head(min(WRONGLY, once.height))
    taken = once.head(withdrawn.len()).with_columns(
        withdrawn.cast(once.schema[column]).alias(column)
    )
    return pl.concat([alone, taken]), withdrawn


def shares(rows: pl.DataFrame, bad: pl.Series, departments: list[str]) -> list[pl.DataFrame]:
    """The rows in as many pieces as there are departments, or two; one where a piece were refused."""
    number = max(len(departments), 2)
    cut = [rows.height * place // number for place in range(number + 1)]
    if len(departments) == 1:
        cut[1] = int(rows.height * PIECE)
    found = [rows[start:end] for start, end in pairwise(cut)]
    wrong = [bad[start:end].sum() for start, end in pairwise(cut)]
    too_many = any(
        not part.height or count_bad > MOST_BAD * part.height
        for part, count_bad in zip(found, wrong, strict=True)
    )
    return [rows] if too_many else found
