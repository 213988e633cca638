"""What the page rests on: rows that were left out, the run, and the receipt that says it all."""

from typing import Any

from rich.console import RenderableType
from rich.text import Text

from flows.explain.text_tables import REST, columns, table, text
from flows.explain.words import Values, Words


def review(receipt: dict[str, Any], words: Words, width: int) -> list[RenderableType]:
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


def made_from(found: Values, words: Words, width: int) -> list[Text]:
    """The run, and that there is a receipt."""
    return [text(words.say("source", name, **found), width) for name in ("run", "receipt")]
