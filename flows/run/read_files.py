"""Read one feed of a delivery: every file in its folder, Parquet and CSV mixed as they come.

Whatever makes a feed unreadable as a whole is a refusal (`FeedRefused`): the folder or its files
absent, a file that cannot be read or decoded, a column missing, unknown or of another type.
A CSV cell that does not parse is one bad row's matter and is returned beside the frame.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandera.polars as pa
import polars as pl
import pyarrow as arrow
import pyarrow.csv
from polars.exceptions import PolarsError
from pyarrow import parquet

from flows.common.failures import FeedRefused

SUFFIXES = (".parquet", ".csv", ".csv.gz")
PARSE_FAILURES = {"index": pl.Int64, "column": pl.String, "check": pl.String, "value": pl.String}
PIECE_ROWS = 4_000_000
CSV_BLOCK_BYTES = 64 << 20
SMALL_CSV_BYTES = 1 << 16

# what a CSV cell must look like before it is read as its type: polars alone would accept more
SHAPES = {
    pl.Date: (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "date YYYY-MM-DD"),
    pl.Datetime: (
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?$",
        "time YYYY-MM-DDThh:mm:ss",
    ),
    pl.Int64: (r"^-?[0-9]+$", "whole number"),
    pl.Boolean: (r"^(true|false)$", "true or false"),
}


@dataclass(frozen=True)
class Delivered:
    """A piece of a file as read: rows in the model's types, and the cells that did not parse."""

    file: str
    rows: pl.DataFrame
    parse_failures: pl.DataFrame


def files_of(feeds: Path, feed: str) -> list[Path]:
    """The files of a feed in name order; raises FeedRefused when the folder or its files are absent."""
    folder = feeds / feed
    if not folder.is_dir():
        raise FeedRefused(
            f"{feed}: expected a folder {folder}, found none"
            " (an empty feed is a file with a header and no rows)"
        )
    files = sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.name.endswith(SUFFIXES) and not path.name.startswith(".")
    )
    if not files:
        found = ", ".join(sorted(path.name for path in folder.iterdir())[:5]) or "nothing"
        raise FeedRefused(
            f"{feed}: expected *.parquet, *.csv or *.csv.gz in {folder}, found {found}"
        )
    return files


def read(feed: str, path: Path, schema: pa.DataFrameSchema) -> Iterator[Delivered]:
    """One file, a large one in pieces, with the columns of the schema in its order and types.

    There is at least one piece.  Raises FeedRefused for a file that cannot be read or decoded.
    """
    types = pl.Schema({name: column.dtype.type for name, column in schema.columns.items()})
    reader = read_parquet if path.suffix == ".parquet" else read_csv
    try:
        yield from reader(feed, path, types)
    except (PolarsError, arrow.ArrowException, OSError, EOFError, UnicodeError) as error:
        expected = "a whole Parquet file" if path.suffix == ".parquet" else "CSV in UTF-8"
        raise FeedRefused(
            f"{feed}: {path.name}: expected {expected}, found {without_values(error)}"
        ) from None


def read_parquet(feed: str, path: Path, types: pl.Schema) -> Iterator[Delivered]:
    """A Parquet file by groups of rows, its texts as codes."""
    found = pl.read_parquet_schema(path)
    refuse_columns(feed, path, list(found), list(types))
    for name, wanted in types.items():
        if not fits(found[name], wanted):
            raise FeedRefused(
                f"{feed}: {path.name}: column {name}: expected {describe(wanted)},"
                f" found {found[name]}"
            )
    # Arrow hands over dictionaries as they lie in the file: a text is looked at once, not per row
    texts = [name for name in types if found[name] == pl.String]
    nothing = pl.DataFrame(schema=PARSE_FAILURES)
    with parquet.ParquetFile(path, read_dictionary=texts) as file:
        for groups in groups_of_rows(file):
            rows = pl.from_arrow(file.read_row_groups(groups, columns=list(types)), rechunk=False)
            assert isinstance(rows, pl.DataFrame)
            typed = rows.select(pl.col(name).cast(dtype) for name, dtype in types.items())
            yield Delivered(path.name, typed, nothing)


def groups_of_rows(file: parquet.ParquetFile) -> list[list[int]]:
    """The row groups of a file in runs of about PIECE_ROWS rows; one empty run for an empty file."""
    runs: list[list[int]] = [[]]
    rows = 0
    for group in range(file.metadata.num_row_groups):
        if rows >= PIECE_ROWS:
            runs.append([])
            rows = 0
        runs[-1].append(group)
        rows += file.metadata.row_group(group).num_rows
    return runs


def read_csv(feed: str, path: Path, types: pl.Schema) -> Iterator[Delivered]:
    """A CSV file block by block; each cell is text until its shape is known."""
    yield Delivered(path.name, pl.DataFrame(schema=types), pl.DataFrame(schema=PARSE_FAILURES))
    for block in csv_blocks(feed, path, types):
        rows = block.select(parsed(name, dtype) for name, dtype in types.items())
        yield Delivered(path.name, rows, pl.concat(unparsed(block, rows, types)))


def csv_blocks(feed: str, path: Path, types: pl.Schema) -> Iterator[pl.DataFrame]:
    """Blocks of a CSV file as text columns, an empty cell as null."""
    source = arrow.input_stream(str(path), compression="detect")
    if path.stat().st_size < SMALL_CSV_BYTES:
        text = source.read()
        if not text.strip():
            raise FeedRefused(f"{feed}: {path.name}: expected a header line, found an empty file")
        source = arrow.BufferReader(text + b"\n")  # a lone header may lack its line end
    with arrow.csv.open_csv(
        source,
        # one thread, so that an error can name the row
        read_options=arrow.csv.ReadOptions(block_size=CSV_BLOCK_BYTES, use_threads=False),
        parse_options=arrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow.csv.ConvertOptions(
            column_types={name: arrow.string() for name in types},
            null_values=[""],
            strings_can_be_null=True,
        ),
    ) as reader:
        refuse_columns(feed, path, reader.schema.names, list(types))
        for batch in reader:
            block = pl.from_arrow(batch)
            assert isinstance(block, pl.DataFrame)
            yield block.select(list(types))


def refuse_columns(feed: str, path: Path, found: list[str], expected: list[str]) -> None:
    """Raise FeedRefused when a column is missing, unknown or there twice; order does not matter."""
    problems = {
        "missing": [name for name in expected if name not in found],
        "unknown": [name for name in found if name not in expected],
        "repeated": sorted({name for name in found if found.count(name) > 1}),
    }
    told = [f"{kind} column {', '.join(names)}" for kind, names in problems.items() if names]
    if told:
        raise FeedRefused(
            f"{feed}: {path.name}: {'; '.join(told)}; expected exactly {', '.join(expected)}"
        )


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
    words = {pl.Date: "date", pl.Int64: "whole number", pl.Boolean: "true or false"}
    if isinstance(dtype, pl.Datetime):
        return "time without a time zone"
    return words.get(type(dtype), "text")


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


def unparsed(text: pl.DataFrame, rows: pl.DataFrame, types: pl.Schema) -> list[pl.DataFrame]:
    """The cells that hold text and yet have no value after parsing, one frame a column."""
    return [pl.DataFrame(schema=PARSE_FAILURES)] + [
        text.select(value=pl.col(name))
        .with_row_index("index")
        .filter(pl.col("value").is_not_null() & rows[name].is_null())
        .select(
            pl.col("index").cast(pl.Int64),
            column=pl.lit(name),
            check=pl.lit("parse"),
            value="value",
        )
        for name, dtype in types.items()
        if type(dtype) in SHAPES
    ]


def without_values(error: Exception) -> str:
    """What went wrong, in words of ours or up to where the error would quote the file's values."""
    text = " ".join(str(error).split()) or type(error).__name__
    if "UTF8" in text or "UTF-8" in text or isinstance(error, UnicodeError):
        return "bytes that are not UTF-8 (GBK, perhaps: save the file again as UTF-8)"
    if counted := re.search(r"(Row #[0-9]+: )?Expected [0-9]+ columns, got [0-9]+", text):
        return counted[0]
    return text.split(" near ")[0][:200]
