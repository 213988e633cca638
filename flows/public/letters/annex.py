"""What the points rest on in full: months counted or not, all that is on record, what was left out."""

from collections import Counter
from typing import Any, NamedTuple

from flows.explain.months import homes, insurance, row
from flows.explain.records import records
from flows.explain.words import Values, Words

Receipt = dict[str, Any]
HOMES = ("residence", "job_housing")  # indicators that look at the months of a home


class Months(NamedTuple):
    """Months of one kind: a heading, and spans from and to, how many, as what they count, why not."""

    heading: str
    rows: list[tuple[str, str, str, str]]


def months(receipt: Receipt, found: Values, words: Words) -> list[Months]:
    """Insurance, and homes as two indicators see them."""
    say, rules = words.say, receipt["indicators"]
    tables = [(say("page", "insurance", **receipt["counted_months"]), insurance(receipt["facts"]))]
    for name, heading in zip(HOMES, ("homes", "job_housing"), strict=True):
        if "months" in rules.get(name, {}):
            tables.append((say("page", heading), homes(rules[name])))
    return [
        Months(heading, [row(each, found, words) for each in spans]) for heading, spans in tables
    ]


def on_record(receipt: Receipt, words: Words) -> list[tuple[str, str]]:
    """Feed and sentence of each record."""
    return [*records(receipt, words)]


def left_out(receipt: Receipt, state: str, words: Words) -> list[str]:
    """Rows that were not used: what is said of them first; nothing where no review is needed."""
    if not receipt["needs_review"]:
        return []
    if not receipt["rejects"]:
        return [words.say("left_out", f"{state}_employer")]
    found = Counter(
        words.say(
            "left_out",
            "record",
            feed=words.say("feed", each["feed"]),
            column=words.listed(
                words.say("column", name) for name in each["column_name"].split(", ")
            ),
            check=words.say("expected", each["check_name"]),
        )
        for each in receipt["rejects"]
    )
    return [
        words.say("left_out", f"{state}_own"),
        *(
            words.say("left_out", "several", record=record, rows=rows) if rows > 1 else record
            for record, rows in found.items()
        ),
    ]
