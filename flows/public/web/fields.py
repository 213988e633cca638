"""A field of the form: what somebody types as JSON has it, and back.

What cannot be read stays as it was typed, so that the rules of a row say what is wrong with it.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

MOST_TYPED = 60  # characters of one field
DAY = re.compile(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})日?")
MONTH = re.compile(r"(\d{4})\D?(\d{1,2})月?(?:\D?0?1日?)?")
ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
EIGHT_DIGITS, SIX_DIGITS = re.compile(r"\d{8}"), re.compile(r"\d{6}")
WHOLE = re.compile(r"-?\d{1,16}")
AMOUNT = re.compile(r"(-?)(\d{1,14})(?:\.(\d{1,2}))?")
YEAR = re.compile(r"\d{4}")
YES = {"yes": True, "no": False}


class Kind(NamedTuple):
    """How a value is read from text, and written as text."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]


def read_day(text: str) -> str:
    """A day as YYYY-MM-DD, however it is set."""
    if EIGHT_DIGITS.fullmatch(text):
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    found = DAY.fullmatch(text)
    return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" if found else text


def read_month(text: str) -> str:
    """The first day of a month."""
    if SIX_DIGITS.fullmatch(text):
        return f"{text[:4]}-{text[4:]}-01"
    found = MONTH.fullmatch(text)
    return f"{found[1]}-{int(found[2]):02}-01" if found else text


def write_day(value: Any) -> str:
    """A day as it is written in Chinese; a value that is no day stays as it came."""
    found = ISO.fullmatch(text_of(value))
    return f"{found[1]}年{int(found[2])}月{int(found[3])}日" if found else text_of(value)


def write_month(value: Any) -> str:
    """A month as it is written in Chinese, from its first day; a value that is none stays as it came."""
    written = write_day(value)
    return written.removesuffix("1日") if written.endswith("月1日") else written


def read_whole(text: str) -> int | str:
    """A whole number."""
    return int(text) if text.isascii() and WHOLE.fullmatch(text) else text


def read_hundredths(text: str) -> int | str:
    """A number with at most two decimals, in hundredths: yuan in fen, per cent in basis points."""
    found = AMOUNT.fullmatch(text.replace(",", "").replace("，", ""))
    if not found or not text.isascii():
        return text
    sign, whole, part = found[1], found[2], (found[3] or "").ljust(2, "0")
    return int(f"{sign}{whole}{part}")


def write_hundredths(value: Any) -> str:
    """Hundredths as a number; without decimals where they are zero."""
    if type(value) is not int:
        return text_of(value)
    whole, part = divmod(abs(value), 100)
    return f"{'-' if value < 0 else ''}{whole}" + (f".{part:02}" if part else "")


def text_of(value: Any) -> str:
    """A plain value as text; nothing of lists and objects."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, str | int) else ""


PLAIN = Kind(str, text_of)
KINDS = {
    "day": Kind(read_day, write_day),
    "month": Kind(read_month, write_month),
    "whole": Kind(read_whole, text_of),
    "round": Kind(read_whole, text_of),
    "yuan": Kind(read_hundredths, write_hundredths),
    "percent": Kind(read_hundredths, write_hundredths),
    "yes": Kind(lambda text: YES.get(text, text), text_of),
    "award_points": Kind(read_whole, text_of),
}


def kind_of(field: dict[str, Any]) -> Kind:
    """The kind of a field; text and codes are what they are."""
    return KINDS.get(field.get("codes", field["kind"]), KINDS.get(field["kind"], PLAIN))


def typed(text: Any) -> str:
    """What came in a field, without blanks around it."""
    return str(text).strip()[:MOST_TYPED] if isinstance(text, str) else ""
