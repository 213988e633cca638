"""What may be shown of a text that somebody else wrote: its shape, or itself without what steers."""

import re

import polars as pl

from schemas.steering import STEERING

SHAPES = (
    (r"[0-9]", "9"),
    (r"[A-Z]", "A"),
    (r"[a-z]", "a"),
    (r"[^\x00-\x7F]", "字"),
    (r"[\x00-\x1F\x7F]", "?"),  # what could steer a terminal
)
SHAPE_CHARACTERS = 40


def shape(text: str) -> str:
    """The shape of a text: digits as 9, letters as A, a or 字, so that it cannot be read back."""
    cut = text[:SHAPE_CHARACTERS]
    for pattern, letter in SHAPES:
        cut = re.sub(pattern, letter, cut)
    return cut if len(text) <= SHAPE_CHARACTERS else f"{cut}..."


def mask(value: pl.Expr) -> pl.Expr:
    """The same of each value of a String column, without the mark of a cut."""
    masked = value.str.slice(0, SHAPE_CHARACTERS)
    for pattern, letter in SHAPES:
        masked = masked.str.replace_all(pattern, letter)
    return masked


def visible(text: str) -> str:
    """A text for a terminal or a page: control and bidirectional-control characters as a question mark."""
    return STEERING.sub("?", text)
