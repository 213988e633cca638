"""`luohu score`: the points of one person, who need not exist."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.messages import one_message, print_json
from flows.common.languages import Language

STANDARD_INPUT = "-"


def score(
    facts: Annotated[
        str, typer.Argument(metavar="FACTS.json", help="The facts; - reads them from stdin.")
    ],
    lang: Annotated[Language, typer.Option(help="Language of the page.")] = Language.en,
    as_json: Annotated[
        bool, typer.Option("--json", help="Points, conditions, receipt and lines, for machines.")
    ] = False,
) -> None:
    """Work out one person's points by the rules of the annual run.

    Nothing is stored or logged, and nobody is named: a birth date, and rows as departments have them.
    Facts that cannot be scored are listed with their place, one line each.

    [bold]Examples[/]

      luohu score facts.json
      luohu score facts.json --lang zh                 中文
      luohu score - --json < facts.json | jq .indicators
    """
    with one_message():
        from flows.common.messages import message_without_values
        from flows.public.answer import answer
        from flows.public.facts import read_facts

        person = read_facts(content(facts))
        with message_without_values("score"):
            found = answer(person)
            if as_json:
                print_json(found)
                return
            from flows.public.page import show
            from flows.public.study_or_work import study_or_work

            choice = study_or_work(person) if person.rows["education"] else None
            show(person, found, choice, lang)


def content(name: str) -> bytes:
    """What a file or stdin holds, as far as anybody reads."""
    from flows.public.json_text import MOST_BYTES

    if name == STANDARD_INPUT:
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    with Path(name).open("rb") as file:
        return file.read(MOST_BYTES + 1)
