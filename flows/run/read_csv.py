"""Read a CSV file block by block; each cell is text until it has the shape of its column's type."""

import csv
from collections.abc import Iterator

import polars as pl
import pyarrow as arrow
import pyarrow.csv

from flows.common.by_name import named
from flows.common.failures import FeedRefused
from flows.run.delivered import PARSE_FAILURES, Delivered, failures_of
from flows.run.delivery import Part
from flows.run.file_bytes import opened
from flows.run.file_kinds import BYTE_ORDER_MARK, EMPTY, START_BYTES, TEXT, kind_of
from flows.run.refusal import refusal

BLOCK_BYTES = 64 << 20
SMALL_BYTES = 1 << 16
# what a CSV cell must look like before it is read as its type: polars alone would accept more
SHAPES = {
    pl.Date: (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "date YYYY-MM-DD"),
    pl.Datetime: (
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-5][0-9](\.[0-9]{1,6})?)?$",
        "time YYYY-MM-DDThh:mm:ss",
    ),
    pl.Int64: (r"^-?[0-9]+$", "whole number"),
    pl.Boolean: (r"^(true|false)$", "true or false"),
}


def read_csv(part: Part, types: pl.Schema) -> Iterator[Delivered]:
    """A CSV file whose columns were checked, in pieces, the first of them empty."""
    yield Delivered(part.name, pl.DataFrame(schema=types), pl.DataFrame(schema=PARSE_FAILURES))
    for block in csv_blocks(part, types):
        rows = block.select(parsed(name, dtype) for name, dtype in types.items())
        yield Delivered(part.name, rows, pl.concat(unparsed(block, rows, types)))


def header_of(part: Part) -> list[str]:
    """The names in the header; raises FeedRefused where the file cannot begin so."""
    with opened(part) as file:
        start = file.read(START_BYTES)
    if (kind := kind_of(start)) != TEXT:
        once = ", compressed once" * part.is_gzip
        expected = "a header line" if kind == EMPTY else f"CSV in UTF-8{once}"
        raise FeedRefused(refusal(part.name, expected, kind))
    line = start.removeprefix(BYTE_ORDER_MARK).lstrip(b"\r\n").splitlines()[0]
    if line.count(b'"') % 2:
        raise FeedRefused(refusal(part.name, "a header line", "a quote in it that never closes"))
    # Arrow takes quotes off as Python does
    names = next(csv.reader([line.decode("utf-8", errors="replace")]))
    if len(line) > START_BYTES // 2:
        found = f"a first line of {len(line):,} bytes or more, with {len(names):,} fields"
        raise FeedRefused(refusal(part.name, "a header line", found))
    return names


def csv_blocks(part: Part, types: pl.Schema) -> Iterator[pl.DataFrame]:
    """Blocks of a CSV file as text columns, an empty cell as null."""
    source = arrow.input_stream(named(part.path), compression="gzip" if part.is_gzip else None)
    if part.path.stat().st_size < SMALL_BYTES:  # a lone header may lack its line end
        source = arrow.BufferReader(source.read() + b"\n")
    with arrow.csv.open_csv(
        source,
        # one thread, so that an error can name the row
        read_options=arrow.csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
        parse_options=arrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow.csv.ConvertOptions(
            column_types={name: arrow.string() for name in types},
            include_columns=list(types),
            null_values=[""],
            strings_can_be_null=True,
        ),
    ) as reader:
        for batch in reader:
            block = pl.from_arrow(batch)
            assert isinstance(block, pl.DataFrame)
            yield block


def parsed(name: str, dtype: pl.DataType) -> pl.Expr:
    """A text column as its type; null where the text has not the shape of the type."""
    text = pl.col(name)
    if type(dtype) not in SHAPES:
        return text.cast(dtype)
    shaped = pl.when(text.str.contains(SHAPES[type(dtype)][0])).then(text)
    if dtype == pl.Boolean:
        return (shaped == "true").alias(name)
    if isinstance(dtype, pl.Datetime):
        return (
            shaped.str.replace(" ", "T", literal=True)
            .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
            .fill_null(
                shaped.str.replace(" ", "T", literal=True).str.to_datetime(
                    "%Y-%m-%dT%H:%M", time_unit="us", strict=False
                )
            )
            .alias(name)
        )
    if dtype == pl.Date:
        return shaped.str.to_date("%Y-%m-%d", strict=False).alias(name)
    return shaped.cast(dtype, strict=False).alias(name)


def unparsed(text: pl.DataFrame, rows: pl.DataFrame, types: pl.Schema) -> Iterator[pl.DataFrame]:
    """The cells that hold text and yet have no value after parsing, one frame a column."""
    yield pl.DataFrame(schema=PARSE_FAILURES)
    for name, dtype in types.items():
        if type(dtype) in SHAPES:
            lost = (
                text.select(value=pl.col(name))
                .with_row_index("index")
                .filter(pl.col("value").is_not_null() & rows[name].is_null())
            )
            yield lost.select(failures_of(name, "parse", pl.col("index"), pl.col("value")))
