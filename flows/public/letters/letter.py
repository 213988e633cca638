"""One letter: everything its page shows, put together from a receipt; nothing is worked out again."""

from typing import Any

from flows.explain.page import said_of_all
from flows.explain.rules import title
from flows.explain.words import Values
from flows.explain.working import facts, nothing, working
from flows.process.places.bar import Bar
from flows.public.letters.addressees import Addressee
from flows.public.letters.annex import left_out, months, on_record
from flows.public.letters.common import Common, words_of_letters
from flows.public.letters.round_state import PUBLISHED, Appeal, Place
from flows.public.letters.verdict import appeals, unmet, verdict

Receipt = dict[str, Any]


def letter(
    receipt: Receipt,
    addressee: Addressee,
    common: Common,
    *,
    filed: tuple[Appeal, ...],
    place: Place | None,
    bar: Bar | None = None,
) -> dict[str, Any]:
    """What a page shows of one application."""
    words = words_of_letters()
    found = said_of_all(receipt)
    rules = {**receipt["conditions"], **receipt["indicators"]}
    return {
        "addressee": addressee,
        "common": common,
        "final": common.state == PUBLISHED,
        "state": words.say("state", common.state, published_on=common.published_on),
        "reference_date": words.shown("day", receipt["reference_date"]),
        "total": receipt["total"],
        "line": receipt["standing"]["line"],
        "serial": receipt["standing"]["serial"],
        "verdict": verdict(receipt, common, place, bar, words),
        "short": words.say("contest", common.state),
        "review": left_out(receipt, common.state, words),
        "appeals": appeals(filed, receipt, common, words),
        "conditions": [
            condition(rules[name], name, receipt, found, common) for name in receipt["conditions"]
        ],
        "indicators": [
            indicator(rules[name], name, found, common) for name in receipt["indicators"]
        ],
        "months": months(receipt, found, words),
        "records": on_record(receipt, words),
        "made_from": [words.say("source", name, **found) for name in ("run", "receipt")],
        "over": words.say("contest", "over", kinds=words.listed(common.kinds.values())),
    }


def condition(
    rule: dict[str, Any], name: str, receipt: Receipt, found: Values, common: Common
) -> dict[str, Any]:
    """A condition: whether it is met, the facts, the department, the clause."""
    words = words_of_letters()
    return {
        "title": title(rule, words),
        "holds": rule["holds"],
        "unmet": unmet(rule, receipt, words),
        "lines": facts(rule, found, words) or [nothing(rule, found, words)],
        "clause": common.clauses[rule["rule"]],
        "source": common.sources[name],
    }


def indicator(rule: dict[str, Any], name: str, found: Values, common: Common) -> dict[str, Any]:
    """An indicator: its points and their working, the department, the clause."""
    words = words_of_letters()
    return {
        "title": title(rule, words),
        "points": rule["points"],
        "lines": working(rule, found, words),
        "clause": common.clauses[rule["rule"]],
        "source": common.sources[name],
    }
