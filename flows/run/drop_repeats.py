"""Equal rows of a keyed feed collapse to one; rows that share a key and differ are all quarantined:
nobody guesses (data contract 1, bad input).  A row is named by its position in the feed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from schemas.feeds import FEEDS

OF_PERSON_AND_MONTH = ("person_id", "month")


@dataclass(frozen=True)
class Repeats:
    """Positions of rows that do not count, how many only repeat another, and those that contradict."""

    gone: pl.Series
    dropped: int
    conflicting: pl.DataFrame


def repeated(feed: str, parts: list[pl.DataFrame]) -> Repeats:
    """The repeats among all parts; the largest feed is never copied to look for them."""
    keys = FEEDS[feed].keys
    by_person = keys == (OF_PERSON_AND_MONTH,)
    apart = suspects(parts) if by_person else [pl.concat(parts)]
    return together([repeats(rows, keys) for rows in apart])


def repeats(rows: pl.DataFrame, keys: tuple[tuple[str, ...], ...]) -> Repeats:
    """Equal rows that share a key, of which one counts, and rows that share a key and differ.

    `rows` has a column `row` (position) beside the feed's own; the first of equal rows stays.
    """
    shared = pl.any_horizontal(
        pl.lit(value=False), *(pl.struct(key).is_duplicated() for key in keys)
    )
    sharing = rows.filter(shared).sort("row")
    content = [name for name in rows.columns if name != "row"]
    once = sharing.unique(content, keep="first", maintain_order=True)
    stays = once.filter(~shared)
    return Repeats(
        gone=sharing.join(stays, on="row", how="anti")["row"],
        dropped=sharing.height - once.height,
        conflicting=once.filter(shared),
    )


def together(found: Sequence[Repeats]) -> Repeats:
    """The repeats among rows that share no key with each other."""
    return Repeats(
        gone=pl.concat(each.gone for each in found),
        dropped=sum(each.dropped for each in found),
        conflicting=pl.concat(each.conflicting for each in found),
    )


def without(rows: pl.DataFrame, positions: pl.Series) -> pl.DataFrame:
    """Rows less those at some positions: few against many, so a look-up beats a join."""
    if positions.is_empty():
        return rows
    return rows.filter(~pl.col("row").is_in(positions.cast(pl.UInt32).implode()))


def suspects(parts: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The rows of persons who may have a month twice, some persons at a time; no other row repeats one.

    Departments deliver a person's months together and rising.  Who stands in two parts, or whose
    months do not come in one rising run, is looked at; that leaves few of millions.
    """
    person = OF_PERSON_AND_MONTH[0]
    people = pl.concat(part.select(pl.col(person).unique()) for part in parts)
    in_two = pl.col(person).is_in(people.filter(people.is_duplicated())[person].unique().implode())
    yield pl.concat(part.filter(in_two) for part in parts)
    for part in parts:
        loose = pl.col(person).is_in(loosely_ordered(part)[person].unique().implode())
        yield part.filter(loose & ~in_two)


def loosely_ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """The persons whose months do not come in one rising run."""
    person, month = OF_PERSON_AND_MONTH
    same = pl.col(person) == pl.col(person).shift()
    not_rising = rows.lazy().filter(same & (pl.col(month) <= pl.col(month).shift()))
    runs = rows.select(pl.col(person).rle().struct.field("value"))
    return pl.concat(
        [
            not_rising.select(person).collect(),
            runs.filter(pl.col("value").is_duplicated()).rename({"value": person}),
        ]
    )
