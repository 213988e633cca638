"""What came out, in words: each condition and indicator with its clause and working, for a page.

Runs where somebody is scored, so that a page only has to be filled.
"""

from typing import Any

from flows.common.languages import Language
from flows.explain.law import law
from flows.explain.rules import failed, title
from flows.explain.working import facts as found_by
from flows.explain.working import named, nothing, working
from flows.public.facts import Facts
from flows.public.page import credential, said_of_all, words_of

Json = dict[str, Any]
BEYOND = "after_reference_date"


def explained(facts: Facts, answer: Json) -> Json:
    """Titles, points, working and clauses, by name of the rule."""
    words = words_of(Language.zh)
    receipt = answer["receipt"]
    found = said_of_all(facts, receipt, words)
    of_edition = law(facts.edition, words)
    rules = {}
    for name, rule in receipt["indicators"].items():
        rules[name] = {
            "title": title(rule, words),
            "points": rule["points"],
            "lines": working(rule, found, words),
            "clause": of_edition.clauses.get(rule["rule"]),
        }
    for name, rule in receipt["conditions"].items():
        rules[name] = {
            "title": title(rule, words),
            "holds": rule["holds"],
            "unmet": failed(rule, words),
            "lines": found_by(rule, found, words) or [nothing(rule, found, words)],
            "clause": of_edition.clauses.get(rule["rule"]),
        }
    return {
        "rules": rules,
        "act": of_edition.act,
        "conditions": list(receipt["conditions"]),
        "indicators": list(receipt["indicators"]),
        "reference_date": receipt["reference_date"],
        "beyond": beyond(receipt),
    }


def beyond(receipt: Json) -> int:
    """Insured months that were given and lie after the reference date."""
    spans = [*receipt["facts"]["insurance"], *receipt["facts"]["insurance_outside"]]
    return sum(each["months"] for each in spans if each["why"] == BEYOND)


def compared(choice: Json) -> Json:
    """Study compared with work, with credentials called by their names and months put together."""
    words = words_of(Language.zh)
    rows = [
        {**each, "title": credential(each, words), "spans": spans(each["months"])}
        for each in choice["credentials"]
    ]
    return {**choice, "credentials": rows}


def spans(months: list[Json]) -> list[Json]:
    """Months alike put together, in their order."""
    words = words_of(Language.zh)
    found: list[Json] = []
    for month in months:
        what = (month["employment"], month["residence"])
        if found and found[-1]["what"] == what:
            found[-1] |= {"to": month["month"], "months": found[-1]["months"] + 1}
        else:
            found.append({"what": what, "from": month["month"], "to": month["month"], "months": 1})
    for each in found:
        employed, home = each.pop("what")
        each["employment"] = "就业计分" if employed else "不计"
        name, filled = named(home or "")
        each["residence"] = words.say("counts_as", name, **filled) if home else "不计"
    return found
