"""What the page rests on: rows that were left out, the run, its receipt and the delivered files.

The page goes to one applicant: of a delivered file it shows the salted digest, see `kept/salts`.
"""

from typing import Any

from rich.table import Table
from rich.text import Text

from flows.explain.tables import REST, columns, rest, table, text
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
    headed = columns(words, of_feed=18, file=24, row=9, column=20, check=REST)
    return [text(words.say("review", "rejected"), width), table(headed, rows, width)]


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
    digest = min(SHA256, rest(width, FEED_CELLS, FILE_CELLS, ROWS_CELLS, 0))
    cells = {"of_feed": REST, "file": FILE_CELLS, "rows": ROWS_CELLS, "digest": digest}
    return [
        text(run, width),
        text(words.say("source", "receipt", **found), width),
        table(columns(words, "rows", **cells), rows, width),
    ]
