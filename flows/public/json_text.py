"""JSON that can be read in one way only, and not too much of it."""

import json
from typing import Any

from flows.public.faults import BadFacts, Fault, key, shown

MOST_BYTES = 1 << 20
WHOLE = "facts"


def parsed(text: bytes | str) -> Any:
    """The value a text stands for; raises BadFacts for none, for a name twice, for too much."""
    octets = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(octets) > MOST_BYTES:
        raise refused(f"at most {MOST_BYTES:,} bytes", "more")
    try:
        return json.loads(
            octets.decode("utf-8-sig"), object_pairs_hook=once, parse_constant=constant
        )
    except UnicodeDecodeError:
        raise refused("JSON in UTF-8", "other bytes") from None
    except RecursionError:
        raise refused("lists and objects a few deep", "hundreds within each other") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise refused("JSON", f"something else at {where}: {error.msg}") from None
    except ValueError:  # a number of thousands of digits
        raise refused("numbers that fit", "one of thousands of digits") from None


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names stand once each."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadFacts([Fault(key(twice), "a name once in an object", "it twice")])
    return found


def constant(name: str) -> None:
    """NaN and Infinity are no JSON."""
    raise refused("JSON", shown(name))


def refused(expected: str, came: str) -> BadFacts:
    """The one thing wrong with the whole."""
    return BadFacts([Fault(WHOLE, expected, came)])
