"""What the page rests on: rows that were left out, the run, its receipt and the delivered files.

The page goes to one applicant: of a delivered file it shows the salted digest, see `kept/salts`.
"""

from typing import Any

from rich.table import Table
from rich.text import Text

from flows.explain.tables import Column, rest, table, text
from flows.explain.words import Values, Words
from flows.kept.salts import SALTED

DIGEST = 16  # characters of a digest that only has to be told from others
SHA256 = 64
FEED_CELLS, FILE_CELLS, ROWS_CELLS = 14, 17, 9


def review(receipt: dict[str, Any], words: Words, width: int) -> list[Text | Table]:
    """Rows that were left out; nothing when the application needs no review."""
    if not receipt["needs_review"]:
        return []
    if not receipt["rejects"]:
        return [text(words.say("review", "of_others"), width)]
    rows = [
        [
            words.say("feed", each["feed"]),
            each["file"],
            str(each["row_number"]),
            words.listed(words.say("column", name) for name in each["column_name"].split(", ")),
            words.say("expected", each["check_name"]),
        ]
        for each in receipt["rejects"]
    ]
    headings = ("of_feed", "file", "row", "column", "check")
    widths = (18, 24, 9, 20, 0)
    columns = [Column(words.say("page", name), w) for name, w in zip(headings, widths, strict=True)]
    return [text(words.say("review", "rejected"), width), table(columns, rows, width)]


def made_from(
    receipt: dict[str, Any], found: Values, words: Words, width: int
) -> list[Text | Table]:
    """Edition, run and receipt, and the salted digest of every delivered file."""
    code = receipt["made_from"]["code"]
    version = {"version": code["version"], "code": code["digest"][:DIGEST]}
    run = words.say("source", "run", **found, **version)
    rows = [
        [words.say("feed", feed), file, words.shown("rows", each["rows"]), each[SALTED]]
        for feed, delivered in receipt["delivered"].items()
        for file, each in delivered["files"].items()
    ]
    beside = (FEED_CELLS, FILE_CELLS, ROWS_CELLS)
    columns = [
        Column(words.say("page", "of_feed")),
        Column(words.say("page", "file"), FILE_CELLS),
        Column(words.say("page", "rows"), ROWS_CELLS, "right"),
        Column(words.say("page", "digest"), min(SHA256, rest(width, *beside, 0))),
    ]
    return [
        text(run, width),
        text(words.say("source", "receipt", **found), width),
        table(columns, rows, width),
    ]
