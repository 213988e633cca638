"""The answer to one person as a page: total and gap first, then conditions, points, study, lines, months.

Conditions, points and months look as on the page of `luohu explain`, which shows the same for a run.
"""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from flows.common.languages import Language
from flows.explain.law import law
from flows.explain.page import months, width_of
from flows.explain.rules import conditions, indicators, title
from flows.explain.text_tables import REST, Column, strong, table, text
from flows.explain.words import Values, Words
from flows.public.distances import distances
from flows.public.facts import Facts

WORDS = Path(__file__).parent / "words"
# what explain's page may name beside the months of a receipt
OF_NO_RUN = {"application_no": "", "run_id": "", "made_from": {"code": {"version": ""}}}

Answer = dict[str, Any]


def words_of(language: Language) -> Words:
    """The words of explain's page, and those of this one."""
    words = Words(language)
    words.tree |= tomllib.loads((WORDS / f"{language}.toml").read_text(encoding="utf-8"))
    return words


def show(facts: Facts, answer: Answer, choice: Answer | None, language: Language) -> None:
    """Print the page; `choice` compares study with work, where there is a credential."""
    words = words_of(language)
    console = Console(highlight=False, markup=False, emoji=False)
    console.width = width = width_of(console)
    receipt, found = answer["receipt"], said_of_all(facts, answer["receipt"], words)
    console.print(strong(words.say("score", "title"), width))
    console.print(text(words.say("score", "about", **found), width))
    if answer["assumed"]:
        console.print(text(words.say("score", "assumed"), width))
    console.print(text(words.say("score", "disclaimer"), width))
    console.print(strong(result(answer, words), width))
    clauses = law(facts.edition, words).clauses
    sections: dict[str, list[RenderableType]] = {
        "conditions": [conditions(receipt, found, clauses, words, width)],
        "indicators": [indicators(receipt, found, clauses, words, width)],
        "choice": choices(choice, words, width) if choice else [],
        "lines": [lines(answer, words, width)] if answer["lines"] else [],
        "months": months({**receipt, **OF_NO_RUN}, words, width),
    }
    shown = [name for name, content in sections.items() if content]
    for numeral, name in zip(words.tree["page"]["numerals"], shown, strict=False):
        heading = words.say("score", "heading", numeral=numeral, heading=words.say("score", name))
        console.print(strong(f"\n{heading}", width))
        console.print(*sections[name], sep="\n")


def said_of_all(facts: Facts, receipt: dict[str, Any], words: Words) -> Values:
    """What any sentence of the page may name."""
    names = ("round", "policy_date", "reference_date", "permit_date", "insured_in")
    return {
        **{name: receipt[name] for name in names},
        "edition": law(facts.edition, words).act,
        **{f"year_{back}": receipt["round"] - back for back in range(1, 4)},
        "claims_education": facts.application["claims_education"],
    }


def result(answer: Answer, words: Words) -> str:
    """The total, the conditions that fail, and how far the newest line is."""
    unmet = [
        title(each, words) for each in answer["receipt"]["conditions"].values() if not each["holds"]
    ]
    name = "ineligible" if unmet else "eligible"
    message = words.say("score", name, points=answer["total"], conditions=words.listed(unmet))
    if answer["gap"] is None:
        return message
    gap, newest = Decimal(answer["gap"]), answer["lines"][-1]
    side = "above" if gap > 0 else "below" if gap < 0 else "equal"
    distance = words.say(
        "score", side, year=newest["year"], line=newest["line"], distance=str(abs(gap))
    )
    return f"{message}\n{distance}"


def choices(choice: Answer, words: Words, width: int) -> list[RenderableType]:
    """Each credential claimed and not."""
    names = ("credential", "with", "gained", "deducted", "better")
    cells = dict(zip(names, (20, 12, 8, 8, REST), strict=True))
    rows = [
        [
            credential(each, words),
            *(each[name] for name in ("with", "gained", "deducted")),
            words.say(
                "score", "same" if each["better"] == "equal" else each["better"], by=each["by"]
            ),
        ]
        for each in choice["credentials"]
    ]
    without = text(words.say("score", "without", points=choice["without"]), width)
    return [without, table(headed(cells, words), rows, width)]


def credential(row: dict[str, Any], words: Words) -> str:
    """A level and what is held of it."""
    both = row["has_diploma"] and row["has_degree"]
    held = "both" if both else "diploma" if row["has_diploma"] else "degree"
    return f"{words.shown('level', row['level'])} · {words.shown('certificates', held)}"


def lines(answer: Answer, words: Words, width: int) -> RenderableType:
    """The official lines, and how far the total is from each."""
    rows = [[str(each["year"]), each["line"], each["gap"]] for each in distances(answer)]
    return table(headed({"year": 12, "line": 14, "gap": REST}, words), rows, width)


def headed(cells: dict[str, int], words: Words) -> list[Column]:
    """Columns by name, numbers to the right where a width is given."""
    return [
        Column(words.say("score", f"{name}_column"), width, "right" if width and place else "left")
        for place, (name, width) in enumerate(cells.items())
    ]
