"""Break lines where a reader of Chinese would: between any two characters, but not before a closing
mark or behind an opening one, and never inside a number or a word."""

import re

from rich.cells import cell_len

WIDE = r"[\u2e80-\ua4ff\uf900-\ufaff\ufe30-\uffef]"
CLOSING = "，。；：、！？）》」』”…%"
OPENING = "（《「『“"
TOKENS = re.compile(rf"{WIDE}|(?:(?!{WIDE})\S)+|\s+")


def wrapped(text: str, width: int) -> str:
    """A text in lines of at most so many cells."""
    return "\n".join(folded for line in text.split("\n") for folded in fold(line, width))


def fold(line: str, width: int) -> list[str]:
    """One line in as many as it takes; what is too long for a line stands in one of its own."""
    lines, now = [], ""
    for piece in pieces(line):
        if now.strip() and cell_len(now) + cell_len(piece.rstrip()) > width:
            lines.append(now.rstrip())
            now = ""
        now += piece if now or not lines else piece.lstrip()
    return [*lines, now.rstrip()]


def pieces(line: str) -> list[str]:
    """What may not be broken: a character or a word, with the marks that belong to it."""
    found: list[str] = []
    for token in TOKENS.findall(line):
        if found and (token in CLOSING or found[-1] in OPENING):
            found[-1] += token
        else:
            found.append(token)
    return found
