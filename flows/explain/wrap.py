"""Break lines where a reader of Chinese would: between any two characters, but not before a closing
mark or behind an opening one, and never inside a number or a word."""

import re

from rich.cells import cell_len, chop_cells

WIDE = r"[\u2e80-\ua4ff\uf900-\ufaff\ufe30-\uffef]"
CLOSING = "，。；：、！？）》」』”…%"
OPENING = "（《「『“"
LATIN_CLOSING = ",.;:)"
TOKENS = re.compile(rf"[\d.,…-]+ {WIDE}|{WIDE}|(?:(?!{WIDE})\S)+|\s+")  # a number keeps its unit


def wrapped(text: str, width: int) -> str:
    """A text in lines of at most so many cells."""
    return "\n".join(folded for line in text.split("\n") for folded in fold(line, width))


def fold(line: str, width: int) -> list[str]:
    """One line in as many as it takes, behind its own indent; a word too long for a line is broken."""
    lead = min(len(line) - len(line.lstrip(" ")), width // 2)
    if lead:
        return [f"{' ' * lead}{each}" for each in fold(line.lstrip(" "), width - lead)]
    lines, now = [], ""
    for piece in (part for each in pieces(line) for part in chop_cells(each, width)):
        if now.strip() and cell_len(now) + cell_len(piece.rstrip()) > width:
            lines.append(now.rstrip())
            now = ""
        now += piece if now or not lines else piece.lstrip()
    return [*lines, now.rstrip()]


def pieces(line: str) -> list[str]:
    """What may not be broken: a character or a word, with the marks that belong to it."""
    found: list[str] = []
    for token in TOKENS.findall(line):
        closes = token in CLOSING or token[0] in LATIN_CLOSING
        if found and not found[-1].isspace() and (closes or found[-1][-1] in OPENING):
            found[-1] += token
        else:
            found.append(token)
    return found
