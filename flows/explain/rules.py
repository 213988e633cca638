"""The conditions and the indicators of a receipt in tables: what came of each, why, and the clause."""

from typing import Any

from rich.console import RenderableType

from flows.explain.text_tables import DIM, REST, STRONG, Cell, Line, columns, table
from flows.explain.words import Values, Words
from flows.explain.working import facts, nothing, working

TITLE_CELLS, RESULT_CELLS = 24, 7

OF_INSURANCE = ("months_back_paid", "months")  # checks made of each insurance, named for it

Clauses = dict[str, str | None]  # by file name of the rule, in the language of the page


def conditions(
    receipt: dict[str, Any], found: Values, clauses: Clauses, words: Words, width: int
) -> RenderableType:
    """Each condition, whether it is met and why."""
    rows: list[list[Cell]] = []
    for rule in receipt["conditions"].values():
        lines = facts(rule, found, words) or [nothing(rule, found, words)]
        held = Line(words.shown("holds", rule["holds"]), "" if rule["holds"] else STRONG)
        unmet = [
            Line(words.say("page", "unmet", what=each), STRONG) for each in failed(rule, words)
        ]
        why = [*unmet, *map(Line, lines), *law(rule, clauses, words)]
        rows.append([title(rule, words), [held], why])
    headed = columns(words, condition=TITLE_CELLS, held=RESULT_CELLS, why=REST)
    return table(headed, rows, width, ruled=True)


def indicators(
    receipt: dict[str, Any], found: Values, clauses: Clauses, words: Words, width: int
) -> RenderableType:
    """Each indicator, its points and how they come about; the total."""
    rows: list[list[Cell]] = []
    for rule in receipt["indicators"].values():
        how = [*map(Line, working(rule, found, words)), *law(rule, clauses, words)]
        rows.append([title(rule, words), rule["points"], how])
    total = [Line(receipt["total"], STRONG)]
    rows.append([words.say("page", "total"), total, words.say("page", "plain_sum")])
    headed = columns(words, "points", indicator=TITLE_CELLS, points=RESULT_CELLS, how=REST)
    return table(headed, rows, width, ruled=True)


def failed(rule: dict[str, Any], words: Words) -> list[str]:
    """The failed checks of a condition in sentences, the same one of several insurances together."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for check in rule["checks"]:
        if not check["holds"]:
            name, insurance = kind_of(check["check"])
            asked = {key: value for key, value in check.items() if key != "check"}
            groups.setdefault((name, tuple(asked.items())), []).append(insurance)
    return [
        words.say(
            "check",
            name,
            **dict(asked),
            insurances=words.listed(words.shown("insurance", each) for each in of if each),
        )
        for (name, asked), of in groups.items()
    ]


def kind_of(check: str) -> tuple[str, str]:
    """The name of a check without the insurance it is about, and the insurance."""
    for prefix in OF_INSURANCE:
        if check.startswith(f"{prefix}_"):
            return prefix, check.removeprefix(f"{prefix}_")
    return check, ""


def title(rule: dict[str, Any], words: Words) -> str:
    """A rule's title in the language of the page."""
    return str(rule["title_zh" if words.zh else "title"])


def law(rule: dict[str, Any], clauses: Clauses, words: Words) -> list[Line]:
    """The clause, if there is one in the language."""
    clause = clauses.get(rule["rule"])
    return [Line(words.say("page", "clause", clause=clause), DIM)] if clause else []
