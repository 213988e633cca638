"""Text in Parquet that is not UTF-8: the cell has no value, and its row is a bad one.

Nobody checks this while a file is read, and polars panics on it later.  Codes come as a dictionary,
of which each text is looked at once; other texts only become one where one of them is bad.
"""

from collections.abc import Iterator

import polars as pl
import pyarrow as arrow

from flows.run.delivered import PARSE_FAILURES, failures_of


def readable_text(table: arrow.Table) -> tuple[arrow.Table, pl.DataFrame]:
    """The table with null for text that is not UTF-8, and those cells as failed checks."""
    failures = [pl.DataFrame(schema=PARSE_FAILURES)]
    for place, name in enumerate(table.column_names):
        chunks = table.column(name).chunks
        if any(is_text(chunk.type) and not is_readable(chunk) for chunk in chunks):
            coded = [as_codes(chunk) for chunk in chunks]
            bad = [unreadable_codes(chunk) for chunk in coded]
            mended = [without(chunk, codes) for chunk, codes in zip(coded, bad, strict=True)]
            failures += list(cells(name, coded, bad))
            table = table.set_column(place, name, arrow.chunked_array(mended))
    return table, pl.concat(failures)


def is_text(kind: arrow.DataType) -> bool:
    """Whether a column holds text, as it is or as codes."""
    values = kind.value_type if arrow.types.is_dictionary(kind) else kind
    return values in {arrow.string(), arrow.large_string()}


def is_readable(chunk: arrow.Array) -> bool:
    """Whether all text of a chunk is UTF-8."""
    try:
        (chunk.dictionary if isinstance(chunk, arrow.DictionaryArray) else chunk).validate(
            full=True
        )
    except arrow.ArrowInvalid:
        return False
    return True


def as_codes(chunk: arrow.Array) -> arrow.DictionaryArray:
    """A chunk as a dictionary and codes."""
    return chunk if isinstance(chunk, arrow.DictionaryArray) else chunk.dictionary_encode()


def unreadable_codes(chunk: arrow.DictionaryArray) -> list[int]:
    """The codes whose text is not UTF-8."""
    texts = chunk.dictionary.cast(arrow.large_binary()).to_pylist()
    return [code for code, text in enumerate(texts) if text is not None and not decodes(text)]


def decodes(text: bytes) -> bool:
    """Whether bytes are UTF-8."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def without(chunk: arrow.DictionaryArray, bad: list[int]) -> arrow.DictionaryArray:
    """The chunk with null for some codes."""
    texts = chunk.dictionary.cast(arrow.large_binary()).to_pylist()
    kept = ["" if code in set(bad) else text.decode() for code, text in enumerate(texts)]
    codes = pl.Series(chunk.indices.to_pylist(), dtype=pl.Int64)
    masked = pl.select(pl.when(~codes.is_in(bad)).then(codes)).to_series()
    return arrow.DictionaryArray.from_arrays(
        masked.to_arrow().cast(arrow.int32()), arrow.array(kept, arrow.string())
    )


def cells(
    name: str, chunks: list[arrow.DictionaryArray], bad: list[list[int]]
) -> Iterator[pl.DataFrame]:
    """The cells whose text is not UTF-8, by place in the whole column."""
    start = 0
    for chunk, codes in zip(chunks, bad, strict=True):
        places = pl.DataFrame({"code": pl.Series(chunk.indices.to_pylist(), dtype=pl.Int64)})
        yield (
            places.with_row_index("index", offset=start)
            .filter(pl.col("code").is_in(codes))
            .select(failures_of(name, "utf_8", pl.col("index"), pl.lit("字")))
        )
        start += len(chunk)
