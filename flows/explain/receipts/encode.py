"""JSON as column expressions: one text an applicant, built side by side for all of them.

The canonical form is compact UTF-8, keys in the order written here: exactly what `json.dumps` of the
standard library gives, with `separators=(",", ":")` and `ensure_ascii=False`, for what it has read.
Columns put in here hold whole numbers, dates, flags and codes of this program's own lists, never a text that
would have to be escaped; texts of others go through `compact` one by one.
"""

import json
from collections.abc import Iterable
from typing import Any, TypeAlias

import polars as pl

Piece: TypeAlias = str | pl.Expr


class Pieces(list[Piece]):
    """JSON in order: texts that are the same for all, and columns of text."""


NULL = pl.lit("null")


def compact(value: Any) -> str:
    """A value in canonical form; a date as its ISO text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def plain(column: str | pl.Expr) -> pl.Expr:
    """Whole numbers and truth values."""
    return pl.coalesce(expression(column).cast(pl.String), NULL)


def quoted(column: str | pl.Expr) -> pl.Expr:
    """Codes and dates."""
    return pl.coalesce(
        pl.concat_str(pl.lit('"'), expression(column).cast(pl.String), pl.lit('"')), NULL
    )


def month(column: str | pl.Expr) -> pl.Expr:
    """Months from their number (year * 12 + month - 1), as YYYY-MM."""
    which = expression(column)
    text = pl.format("{}-{}", which // 12, (which % 12 + 1).cast(pl.String).str.zfill(2))
    return quoted(text)


def expression(column: str | pl.Expr) -> pl.Expr:
    """A column by its name, or the expression it is."""
    return pl.col(column) if isinstance(column, str) else column


def an_object(fields: dict[str, Any]) -> Pieces:
    """An object; a column of JSON text or pieces stand for themselves, all else is the same for all."""
    pieces = Pieces(["{"])
    for place, (name, value) in enumerate(fields.items()):
        pieces.append(f"{',' if place else ''}{compact(name)}:")
        pieces += as_pieces(value)
    return Pieces([*pieces, "}"])


def an_array(items: Iterable[Any]) -> Pieces:
    """An array of a known length."""
    pieces = Pieces(["["])
    for place, item in enumerate(items):
        pieces += [","] * bool(place)
        pieces += as_pieces(item)
    return Pieces([*pieces, "]"])


def as_pieces(value: Any) -> Pieces:
    """Pieces as they are, a column alone, or a value that is the same for all."""
    if isinstance(value, Pieces):
        return value
    return Pieces([value if isinstance(value, pl.Expr) else compact(value)])


def text(pieces: Pieces) -> pl.Expr:
    """The pieces as one column of text."""
    merged = Pieces()
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return pl.concat_str(pl.lit(each) if isinstance(each, str) else each for each in merged)


def listed(rows: pl.LazyFrame, fields: dict[str, Any], name: str) -> pl.LazyFrame:
    """Per applicant an array of objects, in the order of the rows; an applicant without rows is left out."""
    return arrays(rows.select("person", text(an_object(fields)).alias(name)), name)


def arrays(rows: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """Per applicant an array of the JSON texts of a column, in the order of the rows."""
    joined = pl.concat_str(pl.lit("["), pl.col(name).str.join(","), pl.lit("]"))
    return rows.group_by("person", maintain_order=True).agg(joined.alias(name))
