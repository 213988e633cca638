"""Text as a department may deliver it (data contract 1, bad input).

No control or bidirectional-control character (a name or title may hold a line break or a tab), a name
or title neither blank nor too long, and no ID number where one does not belong.
"""

from collections.abc import Callable

import polars as pl

from schemas.columns import LIMITS
from schemas.identifiers import holds_id_number, is_old_id_number

BIDIRECTIONAL = r"\x{061C}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2066}-\x{2069}"
CONTROL = rf"[\x00-\x1F\x7F-\x{{9F}}{BIDIRECTIONAL}]"
CONTROL_BUT_LINES = rf"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{{9F}}{BIDIRECTIONAL}]"
# what shows nothing: separators, marks without a letter, what takes no room, the fillers of Hangul
BLANKS = r"^[\s\p{Z}\p{M}\p{Cf}\x{115F}\x{1160}\x{3164}\x{FFA0}\x{2800}]+$"
NUMBER_OF_APPLICATION = rf"^[A-Za-z0-9\-_]{{1,{LIMITS['longest_application_no']}}}$"
SEVENTEEN_DIGITS = r"(?:\p{N}[^\p{L}\p{N}]*){17}"
DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
LIKE_ID_NUMBER = rf"[0-9]{{10}}{DAY}[0-9]{{3}}[0-9X]"
LIKE_OLD_ID_NUMBER = rf"^[0-9]{{8}}{DAY}[0-9]{{3}}$"


def is_plain(text: pl.Expr) -> pl.Expr:
    """Whether a String holds no control character at all."""
    return ~text.str.contains(CONTROL)


def is_plain_with_lines(text: pl.Expr) -> pl.Expr:
    """Whether a String holds no control character but line breaks and tabs."""
    return ~text.str.contains(CONTROL_BUT_LINES)


def is_not_blank(text: pl.Expr) -> pl.Expr:
    """Whether a String shows anything; an empty one is another check's matter."""
    return ~text.str.contains(BLANKS)


def is_not_too_long(text: pl.Expr) -> pl.Expr:
    """Whether a name or title has at most 200 characters."""
    return text.str.len_chars() <= pl.lit(LIMITS["longest_name"])


def is_without_id_number(text: pl.Expr) -> pl.Expr:
    """Whether a name or title holds no right ID number, however it is set."""
    return ~asked(text, text.str.contains(SEVENTEEN_DIGITS), holds_id_number)


def is_application_no(text: pl.Expr) -> pl.Expr:
    """Whether a String is 1 to 32 of A-Z a-z 0-9 - _ and no ID number, new or old."""
    plain = text.str.replace_all(r"[\-_]", "").str.to_uppercase()
    return (
        text.str.contains(NUMBER_OF_APPLICATION)
        & ~asked(text, plain.str.contains(LIKE_ID_NUMBER), holds_id_number)
        & ~asked(text, plain.str.contains(LIKE_OLD_ID_NUMBER), is_old_id_number)
    )


def asked(text: pl.Expr, suspected: pl.Expr, question: Callable[[str], bool]) -> pl.Expr:
    """A slow question about a String, put only where it is suspected."""
    return (
        pl.when(suspected)
        .then(text)
        .map_elements(question, return_dtype=pl.Boolean)
        .fill_null(value=False)
    )
