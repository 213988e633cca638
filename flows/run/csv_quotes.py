"""Quotes in CSV that swallow rows (data contract 1, bad input).

A quoted field may hold a line break.  It swallowed rows, though, when two or more of the lines it
touches have as many fields as the header, quotes ignored or each line read on its own (a name may
hold a comma); and a quote that is never closed swallows all that follows.  Asked only where the lines
of a file and the rows of its reader do not agree.
"""

import re
from dataclasses import dataclass

from flows.run.file_kinds import BYTE_ORDER_MARK

# in one step: plain text, a quote inside a field (which is text), quoted fields without a line break
TO_NEXT_OPEN = re.compile(rb'(?:[^"]++|(?<=[^,\r\n])"|"(?:[^"\r\n]|"")*+")*+')
CLOSING = re.compile(rb'(?:[^"]++|"")*+')
QUOTED = re.compile(rb'"[^"]*"')
LINE_END = re.compile(rb"\r\n|\n|\r")
LINE_ENDS = re.compile(rb"(?:\r\n|\n|\r){2,}+")


@dataclass(frozen=True)
class Quotes:
    """The lines that are no rows of their own, and what a quote did, in words; nothing if no harm."""

    continuing: int
    blank: int
    trouble: str


def quotes_of(content: bytes) -> Quotes:
    """Walk the quoted fields of a CSV file that hold a line break."""
    content = content.removeprefix(BYTE_ORDER_MARK)
    begins = len(content) - len(content.lstrip(b"\r\n"))
    fields = fields_of(LINE_END.split(content[begins:], maxsplit=1)[0])
    continuing, blank, place = 0, len(LINE_END.findall(content, 0, begins)), begins
    while True:
        start = end_of(TO_NEXT_OPEN, content, place)
        blank += blank_lines(content, place, start)
        if start == len(content):
            return Quotes(continuing, blank, "")
        end = end_of(CLOSING, content, start + 1)
        touched = lines_touched(content, start, end)
        whole = sum(
            fields in {fields_of(line), fields_of(QUOTED.sub(b"", line))} for line in touched
        )
        if end == len(content) or whole > 1:
            opens = f"a quote that opens in line {line_of(content, start):,}"
            harm = "never closes" if end == len(content) else f"swallows {whole:,} whole lines"
            return Quotes(continuing, blank, f"{opens} and {harm}")
        continuing += len(touched) - 1
        place = end + 1


def end_of(pattern: re.Pattern[bytes], content: bytes, place: int) -> int:
    """Where a pattern that also matches nothing ends."""
    found = pattern.match(content, place)
    return found.end() if found else place


def blank_lines(content: bytes, start: int, end: int) -> int:
    """How many lines between two places hold nothing."""
    runs = LINE_ENDS.finditer(content, start, end)
    return sum(len(LINE_END.findall(each[0])) - 1 for each in runs)


def line_of(content: bytes, place: int) -> int:
    """The number of the physical line a place lies in; the header is line 1."""
    return len(LINE_END.findall(content, 0, place)) + 1


def lines_touched(content: bytes, start: int, end: int) -> list[bytes]:
    """The whole lines that the bytes from start to end lie in."""
    after_feed = content.rfind(b"\n", 0, start) + 1
    first = max(after_feed, content.rfind(b"\r", after_feed, start) + 1)
    after = LINE_END.search(content, end)
    return LINE_END.split(content[first : after.start() if after else len(content)])


def fields_of(line: bytes) -> int:
    """How many fields a line has, quotes ignored."""
    return line.count(b",") + 1


def last_line(end: bytes) -> bytes | None:
    """The last line of a file by its last bytes; nothing where they do not hold all of it."""
    lines = LINE_END.split(end.rstrip(b"\r\n"))
    return lines[-1] if len(lines) > 1 else None
