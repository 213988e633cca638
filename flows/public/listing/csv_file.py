"""The list as CSV, in UTF-8 with a mark by which Excel knows it.

A text that a spreadsheet would take for a formula has an apostrophe before it, and so has one that
begins with an apostrophe: taking one leading apostrophe off gives the text again.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable

from flows.common.points import in_text
from flows.public.listing.held_list import Listing, Row
from flows.public.listing.plain import UNSEEN

MARK, END = "\ufeff", "\r\n"
COLUMNS = ("公示编号", "姓名", "出生年月", "单位", "总积分")
FORMULA = re.compile("[=+@'\u2212-]")


def list_csv(listing: Listing, places: Iterable[int] | None = None) -> bytes:
    """A file of rows in their order; of all by serial where none are named."""
    if not is_quick(listing):
        listing.kept["csv"] = lines([[*COLUMNS, *listing.titles], *map(cells, listing.rows)])
    head, *all_lines = listing.kept["csv"]
    chosen = all_lines if places is None else [all_lines[place] for place in places]
    return "".join((MARK, head, *chosen)).encode()


def is_quick(listing: Listing) -> bool:
    """Whether a file of it takes a millisecond or two, since its lines were made already."""
    return "csv" in listing.kept


def cells(row: Row) -> list[str]:
    """A row as CSV has it; numbers as they are."""
    return [
        str(row.serial),
        *map(defused, (row.name, row.birth_month, row.employer)),
        *("" if each is None else in_text(each) for each in (row.total, *row.indicators)),
    ]


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    if text[:1].isalnum():
        return text
    shown = UNSEEN.sub("", unicodedata.normalize("NFKC", text)).lstrip()
    return f"'{text}" if FORMULA.match(shown) else text


def lines(rows: Iterable[Iterable[str]]) -> list[str]:
    """A line a row, quoted where it must be; no text has line breaks."""
    written = io.StringIO()
    csv.writer(written, lineterminator=END).writerows(rows)
    return [f"{line}{END}" for line in written.getvalue().split(END)[:-1]]
