"""The folder of letters: for its owner only, with one file an applicant, named by application number.

It replaces nothing but an empty folder or earlier letters of the same round, known by a mark in each page.
"""

import os
import re
from pathlib import Path

from flows.common.access import OWN_FILE
from flows.common.appearing import is_there
from flows.common.failures import BadUsage, CheckFailed

NAME = re.compile(r"[A-Za-z0-9_-]{1,32}\.html", re.ASCII)
LEFT = re.compile(
    r"\.[A-Za-z0-9_-]{1,32}\.html\.[0-9a-f]{16}\.partial", re.ASCII
)  # by a killed command
MARK = '<meta name="luohu-letter" content="{}">'
HEAD = 256  # bytes of a page in which the mark stands


def file_of(application_no: str) -> str:
    """The name of a letter; raises CheckFailed for what cannot be one, before any path is made of it."""
    name = f"{application_no}.html"
    if not NAME.fullmatch(name):
        raise CheckFailed("expected an application number of A-Z a-z 0-9 - _, found another")
    return name


def put(folder: Path, application_no: str, page: bytes) -> None:
    """Write one letter into a folder that nobody sees yet."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with open(os.open(folder / file_of(application_no), flags, OWN_FILE), "wb") as file:  # noqa: PTH123
        file.write(page)


def require_place(target: Path, year: int) -> None:
    """Raise BadUsage where letters of a round may not be put; nothing of what is there is named."""
    if not is_there(target, "letters"):
        return
    if others := sum(not is_letter(each, year) for each in os.scandir(target)):
        raise BadUsage(
            f"--out: expected a new or empty folder, or earlier letters of round {year}, found in"
            f" {target} what is none: {others:,} of its entries"
        )


def holds_letters(target: Path) -> bool:
    """Whether a folder that may be replaced has anything in it."""
    return target.is_dir() and any(target.iterdir())


def is_letter(entry: os.DirEntry[str], year: int) -> bool:
    """Whether an entry of a folder is a letter of a round."""
    if LEFT.fullmatch(entry.name):
        return True
    if not NAME.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False):
        return False
    with open(entry.path, "rb") as file:  # noqa: PTH123 (a hundred thousand of them)
        return MARK.format(year).encode() in file.read(HEAD)
