"""The columns of a delivered file against those of its model.

What stands in a header came with the delivery and may be a person's row: it is counted, and shown by
place and shape.
"""

from collections import Counter

import pandera.polars as pa
import polars as pl

from flows.common.failures import FeedRefused
from flows.common.shapes import shape
from flows.run.delivery import Part
from flows.run.refusal import refusal

SHOWN = 3


def types_of(schema: pa.DataFrameSchema) -> pl.Schema:
    """The columns of a model with their types."""
    return pl.Schema({name: column.dtype.type for name, column in schema.columns.items()})


def refuse_columns(part: Part, found: list[str], expected: list[str]) -> None:
    """Raise FeedRefused when a column is missing, unknown or there twice; order does not matter."""
    count, wanted = Counter(found), set(expected)
    missing = [name for name in expected if name not in count]
    repeated = [name for name in expected if count[name] > 1]
    unknown = [(place, name) for place, name in enumerate(found, 1) if name not in wanted]
    problems = [
        f"missing column {', '.join(missing)}" if missing else "",
        f"repeated column {', '.join(repeated)}" if repeated else "",
        unknown_columns(unknown) if unknown else "",
    ]
    if any(problems):
        exactly = f"exactly the columns {', '.join(expected)}"
        raise FeedRefused(refusal(part.name, exactly, "; ".join(filter(None, problems))))


def unknown_columns(unknown: list[tuple[int, str]]) -> str:
    """How many columns are unknown, and the first of them by place and shape."""
    first = ", ".join(f"column {place} like {shape(name)!r}" for place, name in unknown[:SHOWN])
    plural = "s" if len(unknown) > 1 else ""
    return f"{len(unknown):,} unknown column{plural} ({first}{', ...' * (len(unknown) > SHOWN)})"


def refuse_types(part: Part, kinds: dict[str, pl.DataType], types: pl.Schema) -> None:
    """Raise FeedRefused for a Parquet column that a value would have to change to fit."""
    for name, wanted in types.items():
        if not fits(kind := kinds[name], wanted):
            expected = f"column {name} to be {describe(wanted)}"
            # by name alone: fields, categories and zones are a file's own text
            zone = " in a time zone" if isinstance(kind, pl.Datetime) and kind.time_zone else ""
            raise FeedRefused(refusal(part.name, expected, f"{type(kind).__name__}{zone}"))


def fits(found: pl.DataType, wanted: pl.DataType) -> bool:
    """Whether a Parquet column can be read as the wanted type without changing a value."""
    if found == pl.Null:
        return True  # a column without any value has no type of its own
    if wanted == pl.Int64:
        return found.is_integer() and found not in (pl.UInt64, pl.Int128, pl.UInt128)
    if isinstance(wanted, pl.Datetime):
        return isinstance(found, pl.Datetime) and found.time_zone is None
    if isinstance(wanted, (pl.Categorical, pl.String)):
        return isinstance(found, (pl.String, pl.Categorical, pl.Enum))
    return found == wanted


def describe(dtype: pl.DataType) -> str:
    """A column type in the words of the contract."""
    words = {pl.Date: "a date", pl.Int64: "a whole number", pl.Boolean: "true or false"}
    if isinstance(dtype, pl.Datetime):
        return "a time without a time zone"
    return words.get(type(dtype), "text")
