"""Split the rows of a feed into good and bad (data contract 1, bad input).

Every check of the feed's pandera model runs on collected rows; a failed check is one line of
`rejects` with a masked value, and the rest of the feed counts.  Then equal rows of a keyed feed
collapse to one, and rows that share a key and differ are all quarantined: nobody guesses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from flows.common.failures import ValidatorBroken

OF_PERSON_AND_MONTH = ("person_id", "month")
FAILURES = {"index": pl.Int64, "column": pl.String, "check": pl.String, "value": pl.String}

# pandera's names for its own checks, in the words of what was expected
EXPECTED = {
    "not_nullable": "not_null",
    "isin": "known_value",
    "str_length": "not_empty",
    "greater_than": "positive",
}


@dataclass(frozen=True)
class Repeats:
    """Positions of rows that do not count, how many only repeat another, and those that contradict."""

    gone: pl.Series
    dropped: int
    conflicting: pl.DataFrame


def failures(rows: pl.DataFrame, schema: pa.DataFrameSchema) -> pl.DataFrame:
    """Every failed check: index (row position), column, check, value (as text, not yet masked).

    Raises ValidatorBroken when given anything but collected rows (pandera looks at names and types
    only of a LazyFrame) and when a check itself fails to run.
    """
    if not isinstance(rows, pl.DataFrame):
        raise ValidatorBroken(
            f"rows must be collected before validation, found {type(rows).__name__}"
        )
    try:
        schema.validate(rows, lazy=True)
    except SchemaErrors as errors:
        cases: pl.DataFrame = errors.failure_cases
        if cases["index"].null_count():
            # never quote the failure: it may hold somebody's ID or name
            broken = cases.filter(pl.col("index").is_null()).select("column", "check").rows()
            raise ValidatorBroken(f"checks that could not run: {broken}") from None
        return cases.select(
            pl.col("index").cast(pl.Int64),
            "column",
            check=pl.col("check").str.extract(r"^([a-z_]+)").replace(EXPECTED),
            value=pl.col("failure_case").cast(pl.String),
        )
    return pl.DataFrame(schema=FAILURES)


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


def mask(value: pl.Expr) -> pl.Expr:
    """The shape of a value: digits as 9, letters as A, a or 字, so that no value can be read back."""
    return (
        value.str.slice(0, 40)
        .str.replace_all("[0-9]", "9")
        .str.replace_all("[A-Z]", "A")
        .str.replace_all("[a-z]", "a")
        .str.replace_all(r"[^\x00-\x7F]", "字")
    )
