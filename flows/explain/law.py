"""What a result rests on, in the language of the page: the act by its full name, and the clause of each rule.

The clauses are those the run pinned.
"""

from typing import NamedTuple

from flows.explain.words import Words
from transforms.policy import Edition


class Law(NamedTuple):
    """The act with its number, and the clauses by file name of the rule, none where there is none."""

    act: str
    clauses: dict[str, str | None]


def law(edition: Edition, words: Words) -> Law:
    """The law of an edition; one that has no words is shown as its list of rules cites it."""
    rules = (*edition.conditions.values(), *edition.indicators.values())
    act = words.tree["edition"].get(edition.name)
    return Law(
        act
        or words.say("page", "unnamed_edition", name=edition.name, cite=edition.cite.split(";")[0]),
        {rule.name: rule.clause_zh if words.zh else rule.clause for rule in rules},
    )
