"""A receipt as a page a citizen understands: conditions, points, months, records, the change, sources.

It shows what the receipt holds and works nothing out again.  On a terminal it is as wide as that,
within limits; in a pipe it has one width, so that equal results are equal texts.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from flows.explain.change import sentences
from flows.explain.months import Span, homes, insurance, row
from flows.explain.records import records
from flows.explain.rules import Clauses, conditions, indicators, title
from flows.explain.sources import made_from, review
from flows.explain.tables import REST, STRONG, columns, table, text
from flows.explain.what_if import Nearest
from flows.explain.words import Values, Words

NARROWEST, WIDTH = 100, 118

Receipt = dict[str, Any]


def show(receipt: Receipt, nearest: Nearest, clauses: Clauses, words: Words) -> None:
    """Print the page."""
    console = Console(highlight=False, markup=False, emoji=False)
    width = min(max(console.width, NARROWEST), WIDTH) if console.is_terminal else WIDTH
    console.width = width
    found = said_of_all(receipt, words)
    console.print(Text(words.say("page", "title"), STRONG))
    console.print(text(words.say("page", "about", **found), width))
    console.print(Text(text(standing(receipt, words), width).plain, STRONG))
    change = "\n".join(sentences(nearest, receipt, words))
    of_records = columns(words, record=24, details=REST)
    sections: dict[str, list[RenderableType]] = {
        "conditions": [conditions(receipt, found, clauses, words, width)],
        "indicators": [indicators(receipt, found, clauses, words, width)],
        "months": months(receipt, words, width),
        "records": [table(of_records, list(records(receipt, words)), width)],
        "change": [text(change, width)],
        "review": [*review(receipt, words, width)],
        "made_from": [*made_from(receipt, found, words, width)],
    }
    shown = [name for name, content in sections.items() if content]
    for numeral, name in zip(words.tree["page"]["numerals"], shown, strict=False):
        heading = words.say("page", "heading", numeral=numeral, heading=words.say("page", name))
        console.print(Text(f"\n{heading}", STRONG))
        console.print(*sections[name], sep="\n")


def said_of_all(receipt: Receipt, words: Words) -> Values:
    """What any sentence of the page may name: the round, its dates, the edition, whose it is."""
    names = ("round", "application_no", "run_id", "policy_date", "reference_date", "permit_date")
    return {
        **{name: receipt[name] for name in (*names, "insured_in", "sha256")},
        "edition": words.tree["edition"].get(receipt["edition"], receipt["edition"]),
        **{f"year_{back}": receipt["round"] - back for back in range(1, 4)},
        "claims_education": receipt["facts"]["claims_education"],
    }


def standing(receipt: Receipt, words: Words) -> str:
    """Total, place and distance to the line."""
    said, say = receipt["standing"], words.say
    unmet = [title(each, words) for each in receipt["conditions"].values() if not each["holds"]]
    if unmet:
        place = say("standing", "ineligible", conditions=words.listed(unmet))
    else:
        place = say("standing", "settled" if said["settled"] else "unsettled", **said)
    line = say("standing", "no_line")
    if said["line"] is not None:
        above = Decimal(said["above_line"])
        side = "above" if above > 0 else "below" if above < 0 else "equal"
        line = say("standing", side, line=said["line"], distance=str(abs(above)))
    tied = say("standing", "tied", **said) if said["tied_at_line"] > 1 else ""
    return f"{say('standing', 'total', total=receipt['total'])}{place}{line}{tied}".strip()


def months(receipt: Receipt, words: Words, width: int) -> list[RenderableType]:
    """Every month, counted or not, and why: of insurance, and of homes as two indicators see them."""
    rules = receipt["indicators"]
    content: list[RenderableType] = [
        Text(words.say("page", "insurance", **receipt["counted_months"])),
        spans(insurance(receipt["facts"]), words, width),
    ]
    for name, heading in (("residence", "homes"), ("job_housing", "job_housing")):
        if "months" in rules[name]:
            content.append(Text(words.say("page", heading)))
            content.append(spans(homes(rules[name]), words, width))
    return content


def spans(found: Iterable[Span], words: Words, width: int) -> Table:
    """Spans of months in a table."""
    headed = columns(words, "how_many", span=26, how_many=6, counts=26, why=REST)
    return table(headed, [row(each, words) for each in found], width)
