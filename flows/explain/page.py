"""A receipt as a page a citizen understands: conditions, points, months, records, the change, sources.

It shows what the receipt holds and works nothing out again.  On a terminal it is never wider than that;
in a pipe it has one width, so that equal results are equal texts, unless COLUMNS asks for another.
"""

import os
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from rich.console import Console, RenderableType

from flows.explain.law import Law
from flows.explain.months import Span, homes, insurance, row
from flows.explain.records import records
from flows.explain.rules import conditions, indicators, title
from flows.explain.smallest_change import sentences
from flows.explain.sources import made_from, review
from flows.explain.text_tables import REST, columns, strong, table, text
from flows.explain.what_if import Nearest
from flows.explain.words import Values, Words

NARROWEST, WIDEST = 20, 118
IN_A_PIPE = 80

Receipt = dict[str, Any]


def show(receipt: Receipt, nearest: Nearest, law: Law, words: Words) -> None:
    """Print the page."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.width = width = width_of(console)
    found = said_of_all(receipt)
    console.print(strong(words.say("page", "title"), width))
    console.print(text(words.say("page", "about", **found), width))
    console.print(text(words.say("page", "act", edition=law.act), width))
    console.print(strong(standing(receipt, words), width))
    change = sentences(nearest, receipt, words)
    of_records = columns(words, record=24, details=REST)
    sections: dict[str, list[RenderableType]] = {
        "conditions": [conditions(receipt, found, law.clauses, words, width)],
        "indicators": [indicators(receipt, found, law.clauses, words, width)],
        "months": months(receipt, words, width),
        "records": [table(of_records, list(records(receipt, words)), width)],
        "change": [text("\n".join(change), width)] if change else [],
        "review": [*review(receipt, words, width)],
        "made_from": [*made_from(found, words, width)],
    }
    shown = [name for name, content in sections.items() if content]
    for numeral, name in zip(words.tree["page"]["numerals"], shown, strict=False):
        heading = words.say("page", "heading", numeral=numeral, heading=words.say("page", name))
        console.print(strong(f"\n{heading}", width))
        console.print(*sections[name], sep="\n")


def width_of(console: Console) -> int:
    """How many cells a line of the page may have."""
    asked = console.is_terminal or os.environ.get("COLUMNS", "").isdigit()
    return min(max(console.width, NARROWEST), WIDEST) if asked else IN_A_PIPE


def said_of_all(receipt: Receipt) -> Values:
    """What any sentence of the page may name: the round, its dates, the edition, whose it is."""
    names = ("round", "application_no", "run_id", "policy_date", "reference_date", "permit_date")
    return {
        **{name: receipt[name] for name in (*names, "insured_in")},
        "version": receipt["made_from"]["code"]["version"],
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
    more = ""
    if said["settled"] and receipt["quota"] > said["ranked"]:
        more = say("standing", "places_left")
    elif said["settled"] and said["tied_at_line"] > 1 and not Decimal(said["above_line"]):
        more = say("standing", "tied", **said)
    return f"{say('standing', 'total', total=receipt['total'])}{place}{line}{more}".strip()


def months(receipt: Receipt, words: Words, width: int) -> list[RenderableType]:
    """Every month, counted or not, and why: of insurance, and of homes as two indicators see them."""
    rules, found = receipt["indicators"], said_of_all(receipt)
    content: list[RenderableType] = [
        text(words.say("page", "insurance", **receipt["counted_months"]), width),
        spans(insurance(receipt["facts"]), found, words, width),
    ]
    for name, heading in (("residence", "homes"), ("job_housing", "job_housing")):
        if "months" in rules.get(name, {}):
            content.append(text(words.say("page", heading), width))
            content.append(spans(homes(rules[name]), found, words, width))
    return content


def spans(of: Iterable[Span], found: Values, words: Words, width: int) -> RenderableType:
    """Spans of months in a table."""
    headed = columns(words, "how_many", span=24, how_many=10, counts=22, why=REST)
    return table(headed, [row(each, found, words) for each in of], width)
