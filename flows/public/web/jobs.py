"""What the processes behind the pages do: texts in, answers out; nothing stays.

Each is a process of its own, so that a page is sent while somebody is scored.
"""

import json
import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from flows.common.failures import Failure
from flows.common.messages import message_without_values
from flows.common.rounds import known
from flows.common.workers import serve_parent
from flows.public.answer import answer, answers
from flows.public.facts import Facts, read_facts
from flows.public.faults import BadFacts
from flows.public.forward import forward
from flows.public.study_or_work import study_or_work
from flows.public.web.result_in_words import compared, explained
from transforms.policy import PolicyError

SCORED, UNFIT = 200, 422
Failed = Failure | PolicyError  # what a message without values is raised as
YEARS_SHOWN = 12  # after the round: a page may not keep anybody waiting


class Reply(NamedTuple):
    """The status and the JSON of an answer."""

    status: int
    body: bytes


def begin() -> None:
    """Get ready before anybody waits: ends with its parent, and has scored somebody once."""
    logging.disable()
    serve_parent()
    facts = {
        "round": known()[1],
        "application": {"birth_date": "1980-01-01", "retirement_class": "male_60"},
    }
    answer(read_facts(json.dumps(facts)))


def score_all(texts: Sequence[bytes]) -> list[Reply | Failed]:
    """The answers to people who asked at the same time, in their order.

    What fails about one of them in a way nobody foresaw stands in that one's place.
    """
    replies: list[Reply | Failed | None] = [None] * len(texts)
    rounds: dict[int, list[tuple[int, Facts]]] = {}
    for place, text in enumerate(texts):
        try:
            with message_without_values("score"):
                facts = read_facts(text)
            rounds.setdefault(facts.this_round.year, []).append((place, facts))
        except BadFacts as bad:
            replies[place] = Reply(UNFIT, to_json(for_machines(bad)))
        except (Failure, PolicyError) as failure:
            replies[place] = failure
    for people in rounds.values():
        for (place, _), reply in zip(people, together([each for _, each in people]), strict=True):
            replies[place] = reply
    return [each for each in replies if each is not None]


def together(people: Sequence[Facts]) -> list[Reply | Failed]:
    """The answers to people of one round; where scoring them together fails, each is scored alone."""
    try:
        with message_without_values("score"):
            return [Reply(SCORED, to_json(each)) for each in answers(people)]
    except (Failure, PolicyError) as failure:
        if len(people) == 1:
            return [failure]
        return [reply for each in people for reply in together([each])]


def for_machines(bad: BadFacts) -> dict[str, Any]:
    """Faults for machines."""
    return {
        "detail": str(bad).splitlines()[0],
        "faults": [
            {"path": each.path, "expected": each.expected, "came": each.came} for each in bad.faults
        ],
    }


def work_out(text: bytes, growth: int | None, parts: frozenset[str]) -> dict[str, Any]:
    """What a page shows of somebody: the answer, and of `choice` and `forward` what it asks for."""
    try:
        with message_without_values("score"):
            facts = read_facts(text)
            found = answer(facts)
            return {
                "answer": {name: each for name, each in found.items() if name != "receipt"},
                "explained": explained(facts, found),
                "choice": compared(study_or_work(facts)) if "choice" in parts else None,
                "forward": forward(facts, growth, YEARS_SHOWN) if "forward" in parts else None,
            }
    except BadFacts as bad:
        return {"faults": [(each.path, each.expected, each.came) for each in bad.faults]}


def to_json(content: Any) -> bytes:
    """JSON text in UTF-8."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
