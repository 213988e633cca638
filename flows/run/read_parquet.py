"""Read a Parquet file by groups of rows, its texts as codes: a text is looked at once, not per row."""

from collections.abc import Iterator

import polars as pl
import pyarrow as arrow
from pyarrow import parquet

from flows.common.by_name import named
from flows.common.failures import FeedRefused
from flows.common.limits import MOST_ROWS
from flows.run.delivered import PARSE_FAILURES, Delivered, failures_of
from flows.run.delivery import Part
from flows.run.file_columns import refuse_columns, refuse_types
from flows.run.readable_text import readable_text
from flows.run.refusal import refusal

PIECE_ROWS = 4_000_000


def read_parquet(
    part: Part, types: pl.Schema, piece_rows: int | None = None
) -> Iterator[Delivered]:
    """A Parquet file whose columns were checked, in pieces; raises FeedRefused where rows are lost."""
    # Arrow hands over dictionaries as they lie in the file
    with parquet.ParquetFile(named(part.path), read_dictionary=texts_of(part, types)) as file:
        counted, rows = file.metadata.num_rows, 0
        for groups in groups_of_rows(file, piece_rows or PIECE_ROWS):
            table, unreadable = readable_text(file.read_row_groups(groups, columns=list(types)))
            typed, lost = in_types(table, types)
            rows += typed.height
            yield Delivered(part.name, typed, pl.concat([unreadable, *lost]))
    if rows != counted:
        found = f"{rows:,} read: rows were lost or doubled"
        raise FeedRefused(refusal(part.name, f"{counted:,} rows, as it says itself", found))


def in_types(table: arrow.Table, types: pl.Schema) -> tuple[pl.DataFrame, Iterator[pl.DataFrame]]:
    """The columns in the types of the model, in its order, and the cells that have no value in them."""
    coded = [
        with_codes(name, table.column(name), of)
        for name, of in types.items()
        if isinstance(of, pl.Categorical) and arrow.types.is_dictionary(table.field(name).type)
    ]
    read = pl.from_arrow(table.drop_columns([each.name for each in coded]), rechunk=False)
    assert isinstance(read, pl.DataFrame)
    others = read.select(
        pl.col(name).cast(types[name], strict=False) for name in types if name in read.columns
    )
    whole = pl.concat([others, pl.DataFrame(coded)], how="horizontal") if coded else others
    return whole.select(types.names()), valueless(read, others)


def with_codes(name: str, column: arrow.ChunkedArray, of: pl.DataType) -> pl.Series:
    """A column that comes as a dictionary: each of its texts is looked up once, then codes are exchanged.

    polars would look all of them up twice, and keep them for as long as the process lives.
    """
    chunks = [
        pl.Series(values=each.dictionary, dtype=pl.String).cast(of).gather(pl.Series(each.indices))
        for each in column.chunks
    ]
    return pl.concat([pl.Series([], dtype=of), *chunks]).alias(name)


def texts_of(part: Part, types: pl.Schema) -> list[str]:
    """The columns of codes, but those written as differences, which Arrow gives only as text."""
    footer = parquet.read_metadata(named(part.path))
    groups = [footer.row_group(place) for place in range(footer.num_row_groups)]
    chunks = [group.column(place) for group in groups for place in range(group.num_columns)]
    plain = {each.path_in_schema for each in chunks if "DELTA" in str(each.encodings)}
    return [
        name for name, of in types.items() if isinstance(of, pl.Categorical) and name not in plain
    ]


def checked_columns(part: Part, types: pl.Schema) -> None:
    """Raise FeedRefused unless each column fits the model, in a file that is not too long."""
    with parquet.ParquetFile(named(part.path)) as file:
        found, rows = file.schema_arrow, file.metadata.num_rows
    refuse_columns(part, found.names, list(types))
    kinds = {name: kind_of(found.field(name).type) for name in types}
    refuse_types(part, kinds, types)
    if rows > MOST_ROWS:
        raise FeedRefused(refusal(part.name, f"at most {MOST_ROWS:,} rows", f"{rows:,}"))


def kind_of(found: arrow.DataType) -> pl.DataType:
    """The polars type that a column of an Arrow type becomes."""
    empty = pl.from_arrow(arrow.table({"": arrow.array([], found)}))
    assert isinstance(empty, pl.DataFrame)
    return empty.dtypes[0]


def groups_of_rows(file: parquet.ParquetFile, piece_rows: int) -> list[list[int]]:
    """The row groups of a file in runs of about so many rows; one empty run for an empty file."""
    runs: list[list[int]] = [[]]
    rows = 0
    for group in range(file.metadata.num_row_groups):
        if rows >= piece_rows:
            runs.append([])
            rows = 0
        runs[-1].append(group)
        rows += file.metadata.row_group(group).num_rows
    return runs


def valueless(read: pl.DataFrame, typed: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Cells that have no value in the model's type: a time too far off for microseconds."""
    yield pl.DataFrame(schema=PARSE_FAILURES)
    for name in typed.columns:
        if typed[name].null_count() > read[name].null_count():
            cells = read.select(value=pl.col(name).to_physical()).with_row_index("index")
            lost = cells.filter(pl.col("value").is_not_null() & typed[name].is_null())
            yield lost.select(failures_of(name, "parse", pl.col("index"), pl.col("value")))
