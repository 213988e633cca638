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

    Departments deliver a person's months together and rising.  Only persons who stand in two parts, or
    whose months do not come in one rising run, are looked at: few of millions.
    """
    person = pl.col(OF_PERSON_AND_MONTH[0])
    runs = [part.select(person.filter(person.ne_missing(person.shift()))) for part in parts]
    people = pl.concat(each.unique() for each in runs)
    in_two = among(people.filter(people.is_duplicated()))
    yield pl.concat(part.filter(in_two) for part in parts)
    for part, run in zip(parts, runs, strict=True):
        loose = pl.concat([not_rising(part), run.filter(run.is_duplicated())])
        yield part.filter(among(loose) & ~in_two)


def not_rising(rows: pl.DataFrame) -> pl.DataFrame:
    """The persons with a month that does not come after the one in the row before."""
    person, month = map(pl.col, OF_PERSON_AND_MONTH)
    same = person == person.shift()
    return rows.lazy().filter(same & (month <= month.shift())).select(person).collect()


def among(people: pl.DataFrame) -> pl.Expr:
    """Whether a row is about one of them."""
    person = OF_PERSON_AND_MONTH[0]
    return pl.col(person).is_in(people[person].unique().implode())
