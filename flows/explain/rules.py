"""The conditions and the indicators of a receipt in tables: what came of each, why, and the clause."""

from typing import Any

from rich.table import Table

from flows.explain.checks import failed
from flows.explain.tables import DIM, STRONG, Cell, Column, Line, table
from flows.explain.words import Values, Words
from flows.explain.working import facts, nothing, working

TITLE_CELLS, RESULT_CELLS = 24, 7

Clauses = dict[str, str | None]  # by file name of the rule, in the language of the page


def conditions(
    receipt: dict[str, Any], found: Values, clauses: Clauses, words: Words, width: int
) -> Table:
    """Each condition, whether it is met and why."""
    rows: list[list[Cell]] = []
    for rule in receipt["conditions"].values():
        told = facts(rule, found, words) or [nothing(rule, found, words)]
        held = Line(words.shown("holds", rule["holds"]), "" if rule["holds"] else STRONG)
        unmet = [
            Line(words.say("page", "unmet", what=each), STRONG) for each in failed(rule, words)
        ]
        why = [*unmet, *map(Line, told), *law(rule, clauses, words)]
        rows.append([title(rule, words), [held], why])
    columns = headed(words, "condition", "held", "why")
    return table(columns, rows, width, ruled=True)


def indicators(
    receipt: dict[str, Any], found: Values, clauses: Clauses, words: Words, width: int
) -> Table:
    """Each indicator, its points and how they come about; the total."""
    rows: list[list[Cell]] = []
    for rule in receipt["indicators"].values():
        how = [*map(Line, working(rule, found, words)), *law(rule, clauses, words)]
        rows.append([title(rule, words), rule["points"], how])
    total = [Line(receipt["total"], STRONG)]
    rows.append([words.say("page", "total"), total, words.say("page", "plain_sum")])
    columns = headed(words, "indicator", "points", "how")
    columns[1] = columns[1]._replace(justify="right")
    return table(columns, rows, width, ruled=True)


def headed(words: Words, first: str, result: str, why: str) -> list[Column]:
    """Three columns: what, what came of it, why."""
    return [
        Column(words.say("page", first), TITLE_CELLS),
        Column(words.say("page", result), RESULT_CELLS),
        Column(words.say("page", why)),
    ]


def title(rule: dict[str, Any], words: Words) -> str:
    """A rule's title in the language of the page."""
    return str(rule["title_zh" if words.zh else "title"])


def law(rule: dict[str, Any], clauses: Clauses, words: Words) -> list[Line]:
    """The clause, if there is one in the language."""
    clause = clauses.get(rule["rule"])
    return [Line(words.say("page", "clause", clause=clause), DIM)] if clause else []
