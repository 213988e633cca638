"""Split the rows of a feed into good and bad (data contract 1, bad input).

Every check of the feed's pandera model runs on collected rows; a failed check is one line of
`rejects` with a masked value, and the rest of the feed counts.  Then equal rows of a keyed feed
collapse to one, and rows that share a key and differ are all quarantined: nobody guesses.
"""

from dataclasses import dataclass

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from flows.failures import ValidatorBroken

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
class Deduplicated:
    """Rows with each key once, how many equal rows were dropped, and the rows that contradict."""

    rows: pl.DataFrame
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


def without_repeats(rows: pl.DataFrame, keys: tuple[tuple[str, ...], ...]) -> Deduplicated:
    """Collapse equal rows that share a key; take out rows that share a key and differ.

    `rows` has a column `row` (position) beside the feed's own; the first of equal rows stays.
    """
    if not keys:
        return Deduplicated(rows, 0, rows.clear())
    sharing = pl.concat(sharing_key(rows, key) for key in keys).unique("row").sort("row")
    if sharing.is_empty():
        return Deduplicated(rows, 0, sharing)
    content = [name for name in rows.columns if name != "row"]
    once = sharing.unique(content, keep="first", maintain_order=True)
    doubtful = pl.any_horizontal(pl.struct(key).is_duplicated() for key in keys)
    conflicting = once.filter(doubtful)
    gone = sharing.join(once.filter(~doubtful), on="row", how="anti")
    return Deduplicated(
        without(rows, gone["row"]),
        sharing.height - once.height,
        conflicting,
    )


def without(rows: pl.DataFrame, positions: pl.Series) -> pl.DataFrame:
    """Rows less those at some positions: few against many, so a look-up beats a join."""
    if positions.is_empty():
        return rows
    return rows.filter(~pl.col("row").is_in(positions.cast(pl.UInt32).implode()))


def sharing_key(rows: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """The rows whose key stands in another row too."""
    if key != OF_PERSON_AND_MONTH:
        return rows.filter(pl.struct(key).is_duplicated())
    suspects = loosely_ordered(rows).sort(pl.col(*key).to_physical())  # equal ones together
    as_before = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in key)
    as_after = pl.all_horizontal(pl.col(name) == pl.col(name).shift(-1) for name in key)
    return suspects.filter((as_before | as_after).fill_null(value=False))


def loosely_ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of persons whose months do not come in one rising run: only they can repeat a month.

    Departments deliver a person's months together and in order, so this leaves few of millions.
    """
    person, month = OF_PERSON_AND_MONTH
    same = pl.col(person) == pl.col(person).shift()
    not_rising = rows.lazy().filter(same & (pl.col(month) <= pl.col(month).shift()))
    runs = rows.select(pl.col(person).rle().struct.field("value"))
    loose = pl.concat(
        [
            not_rising.select(person).collect(),
            runs.filter(pl.col("value").is_duplicated()).rename({"value": person}),
        ]
    )
    return rows.filter(pl.col(person).is_in(loose[person].unique().implode()))


def mask(value: pl.Expr) -> pl.Expr:
    """The shape of a value: digits as 9, letters as A, a or 字, so that no value can be read back."""
    return (
        value.str.slice(0, 40)
        .str.replace_all("[0-9]", "9")
        .str.replace_all("[A-Z]", "A")
        .str.replace_all("[a-z]", "a")
        .str.replace_all(r"[^\x00-\x7F]", "字")
    )
