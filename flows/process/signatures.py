"""Who signs: two names that are two people's, and texts that an entry may hold.

Two names are different once blanks and invisible characters are removed, case folded, NFKC applied.
They are declarations: nobody here proves who somebody is.
"""

import os
import pwd
import unicodedata
from collections.abc import Iterable

from flows.common.failures import BadUsage, ProcessRefused
from schemas.identifiers import holds_any_id_number
from schemas.steering import STEERING

LONGEST_NAME, LONGEST_TEXT = 100, 2000  # characters
UNSEEN = {"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"}
# shows nothing, though its category is that of a letter, a mark, a sign or of none yet
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0")
SELECTORS = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF))


def folded(name: str) -> str:
    """What is left of a name when names are compared."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(each for each in plain if is_seen(each))


def is_seen(character: str) -> bool:
    """Whether a character shows something."""
    place = ord(character)
    return (
        unicodedata.category(character) not in UNSEEN
        and character not in BLANK
        and not any(first <= place <= last for first, last in SELECTORS)
    )


def are_same(one: str | None, other: str | None) -> bool:
    """Whether two names are one person's."""
    return one is not None and other is not None and folded(one) == folded(other)


def name(text: str | None, option: str = "--by") -> str:
    """A name as it is recorded; raises BadUsage where there is none."""
    found = free_text(text, option, LONGEST_NAME) if text is not None else ""
    if not folded(found):
        raise BadUsage(f"{option}: expected a name, found none")
    return found


def free_text(text: str, option: str, longest: int = LONGEST_TEXT) -> str:
    """A text as it is recorded, in one line and without an ID number; raises BadUsage."""
    found = " ".join(text.split())
    try:
        found.encode()
    except UnicodeEncodeError:
        raise BadUsage(f"{option}: expected text in UTF-8, found other bytes") from None
    if not folded(found) or len(found) > longest:
        raise BadUsage(
            f"{option}: expected 1 to {longest} characters that show something, found {len(found)}"
        )
    if STEERING.search(found) or "\x00" in found:
        raise BadUsage(f"{option}: expected a text without control characters, found one")
    if any(map(holds_any_id_number, (found, in_digits(found)))):
        raise BadUsage(
            f"{option}: expected a text without an ID number, found one: people are named by round"
            " and application number"
        )
    return found


def in_digits(text: str) -> str:
    """What is seen of a text, with numerals written as words (一二三) as digits."""
    return "".join(
        f"{int(value)}"
        if (value := unicodedata.numeric(each, -1)) in range(10) and not each.isdigit()
        else each
        for each in folded(text)
    )


def require_others(by: str, among: Iterable[str], what: str) -> None:
    """Raise ProcessRefused where somebody would decide on what they did themselves."""
    if any(are_same(by, each) for each in among):
        raise ProcessRefused(f"expected somebody else: whoever {what} may not decide it")


def user() -> str:
    """The operating system's user, by the process itself and not by what a variable says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # an account without a name
        return f"user {os.getuid()}"
