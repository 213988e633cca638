"""Check characters of ID numbers (公民身份号码) and unified social credit codes (统一社会信用代码).

GB 11643: seventeen digits and a check character by ISO 7064 MOD 11-2.  GB 32100: seventeen of
thirty-one characters and a check character by MOD 31-3.  All of it is integer arithmetic on columns.
"""

import re
import unicodedata
from datetime import date

import polars as pl

from schemas.columns import CODES

ID_CHECKS = "10X98765432"
ID_WEIGHTS = [2**place % 11 for place in range(17, 0, -1)]
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_WEIGHTS = [3**place % 31 for place in range(17)]


def id_check_character(first_17: pl.Expr) -> pl.Expr:
    """The 18th character that belongs to the first seventeen digits of an ID number (String)."""
    number = first_17.cast(pl.Int64, strict=False)
    digits = (number // 10**place % 10 for place in range(16, -1, -1))
    weighted = pl.sum_horizontal(
        [digit * weight for digit, weight in zip(digits, ID_WEIGHTS, strict=True)],
        ignore_nulls=False,
    )
    return (weighted % 11).replace_strict(
        list(range(11)), list(ID_CHECKS), default=None, return_dtype=pl.String
    )


def credit_check_character(first_17: pl.Expr) -> pl.Expr:
    """The 18th character that belongs to the first seventeen of a credit code (String)."""
    values = list(range(len(CREDIT_ALPHABET)))
    weighted = pl.sum_horizontal(
        [
            first_17.str.slice(place, 1).replace_strict(
                list(CREDIT_ALPHABET), values, default=None, return_dtype=pl.Int64
            )
            * weight
            for place, weight in enumerate(CREDIT_WEIGHTS)
        ],
        ignore_nulls=False,
    )
    return ((31 - weighted % 31) % 31).replace_strict(
        values, list(CREDIT_ALPHABET), default=None, return_dtype=pl.String
    )


def is_id_number(text: pl.Expr) -> pl.Expr:
    """Whether a String is seventeen digits and the check character that belongs to them."""
    return text.str.contains(r"^[0-9]{17}[0-9X]$") & (
        id_check_character(text.str.slice(0, 17)) == text.str.slice(17)
    ).fill_null(value=False)


def is_credit_code(text: pl.Expr) -> pl.Expr:
    """Whether a String is seventeen characters of GB 32100 and their check character."""
    return text.str.contains(f"^[{CREDIT_ALPHABET}]{{18}}$") & (
        credit_check_character(text.str.slice(0, 17)) == text.str.slice(17)
    ).fill_null(value=False)


EIGHTEEN = re.compile(r"(?=([0-9]{17}[0-9X]))")  # at every place, so that they may overlap
FIFTEEN = re.compile(f"(?=((?:{'|'.join(CODES['province'])})[0-9]{{13}}))")


def characters(text: str) -> str:
    """The letters and digits of a text alone, as capitals and 0 to 9 of whatever script they are.

    So nothing hides a number: no blank, hyphen, dot or slash, nothing invisible, no width.
    """
    plain = (each for each in unicodedata.normalize("NFKC", text) if each.isalnum())
    return "".join(str(unicodedata.digit(each, each)) for each in plain).upper()


def holds_id_number(text: str) -> bool:
    """Whether a right ID number of eighteen characters stands in a text, however it is set."""
    return any(is_right(found[1]) for found in EIGHTEEN.finditer(characters(text)))


def holds_any_id_number(text: str) -> bool:
    """Whether a right ID number or what looks like one of fifteen digits stands in a text."""
    old = FIFTEEN.finditer(characters(text))
    return holds_id_number(text) or any(is_old_id_number(found[1]) for found in old)


def is_right(number: str) -> bool:
    """Whether eighteen characters are an ID number: a birth date and the right check character."""
    weighted = sum(
        int(digit) * weight for digit, weight in zip(number[:17], ID_WEIGHTS, strict=True)
    )
    return number[17] == ID_CHECKS[weighted % 11] and is_date(number[6:14])


def is_old_id_number(text: str) -> bool:
    """Whether a text is an ID number of fifteen digits: a province code, and yymmdd from place 7."""
    plain = characters(text)
    return len(plain) == 15 and bool(FIFTEEN.match(plain)) and is_date(f"19{plain[6:12]}")  # noqa: PLR2004


def is_date(text: str) -> bool:
    """Whether eight digits are a day of the calendar."""
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True
