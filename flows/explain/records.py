"""Everything on record in sentences: the facts of a receipt, feed by feed."""

from collections.abc import Iterator
from typing import Any

from flows.explain.words import Words
from schemas.words import meaning_of

# shown month by month, or with the conditions
ELSEWHERE = ("birth_date", "retirement_class", "claims_education", "insurance", "insurance_outside")


def records(receipt: dict[str, Any], words: Words) -> Iterator[tuple[str, str]]:
    """Feed and sentence of each record."""
    districts = receipt["indicators"]["job_housing"]["values"]
    for feed, rows in receipt["facts"].items():
        if feed in ELSEWHERE:
            continue
        name = words.say("feed", feed)
        for row in rows:
            # an employer is shown in full by the condition about it, unless there is more to show
            more = feed != "employers" or row["sanctions"] or row["financings"]
            if not more and row["filed_application"]:
                continue
            values = row if isinstance(row, dict) else {"day": row}
            yield name, words.say("record", feed, **shown(values, districts, words))


def shown(row: dict[str, Any], districts: dict[str, Any], words: Words) -> dict[str, Any]:
    """A record with its district in words and its lists as texts."""
    found = dict(row)
    if "district" in row:
        found["district"] = district(row["district"], districts, words)
    for name in ("sanctions", "financings"):
        if name in row:
            found[name] = words.listed(item(each, words) for each in row[name]) or None
    return found


def item(value: Any, words: Words) -> str:
    """One of several things in a record: a day, or money received on one."""
    if isinstance(value, dict):
        return words.say("record", "financing", **value)
    return words.shown("day", value)


def district(code: int, values: dict[str, Any], words: Words) -> str:
    """Where a home lies, as the rules see it."""
    beijing = values["beijing_districts"]["value"]
    if code in values["six_districts"]["value"]:
        place = "inside"
    elif beijing["first"] <= code <= beijing["last"]:
        place = "outside"
    else:
        place = "elsewhere"
    return words.say("district", place, district=called(code, words))


def called(code: int, words: Words) -> str:
    """A district by its name, `Chaoyang (朝阳区)` in the dictionary; one beyond Beijing by its number."""
    english, _, rest = meaning_of("district", code).partition(" (")
    return rest.partition(")")[0] or english if words.zh else english
