"""What an operation makes is called by year, kind and number, as `2021-appeal-0007`.

A number is used once: what was retracted keeps its own.
"""

import re
from collections.abc import Iterator
from itertools import count

from flows.common.failures import BadUsage, Failure, NotFound, ProcessRefused
from flows.ledger.state import State

DIGITS, MOST_DIGITS = 4, 9  # with more it may be an ID number


def new_ids(state: State, operation: str, year: int, kind: str) -> Iterator[str]:
    """The next ids of what an operation makes in a round."""
    for number in count(len(state.made(operation, year)) + 1):
        yield f"{year}-{kind}-{number:0{DIGITS}}"


def year_of(name: str, kind: str) -> int:
    """The round an id belongs to; raises BadUsage for what is none.

    The text itself is not repeated: somebody may have given a name.
    """
    found = re.fullmatch(rf"([0-9]{{4}})-{kind}-[0-9]{{{DIGITS},{MOST_DIGITS}}}", name, re.ASCII)
    if not found:
        raise BadUsage(
            f"expected the id of an {kind}, say 2021-{kind}-0001, found {len(name)} characters of"
            " another form"
        )
    return int(found[1])


def no_such(state: State, operation: str, name: str, kind: str) -> Failure:
    """Why nothing of an id stands: it was retracted, or never made."""
    year = year_of(name, kind)
    made = state.made(operation, year)
    for each in made:
        if each.body["id"] == name:
            return ProcessRefused(f"{name}: was retracted by entry {state.retracted[each.seq].seq}")
    return NotFound(
        f"{name}: expected one of the {len(made):,} {kind}s of round {year}, found none"
    )
