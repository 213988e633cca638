"""What was decided of an applicant and why, in sentences; no number says anything about anybody else."""

from decimal import Decimal
from typing import Any, NamedTuple

from flows.explain.rules import failed, title
from flows.explain.words import Words
from flows.process.places.bar import Bar
from flows.public.letters.common import Common, words_of_letters
from flows.public.letters.round_state import (
    CANCELLED,
    ENTITLED,
    PENDING,
    PUBLISHED,
    REGISTERED,
    Appeal,
    Place,
)
from schemas.columns import INSURANCES

Receipt = dict[str, Any]
NOT_BARRED, RETIREMENT = "not_barred", "retirement_age"
WINDOW = "window_from"  # where the months begin that must all be insured
MONTH = len("2021-06")


class Verdict(NamedTuple):
    """The result in one line, the conditions that are not met, why, and what comes next."""

    line: str
    unmet: list[str]
    because: list[str]
    next: list[str]


def verdict(
    receipt: Receipt, common: Common, place: Place | None, bar: Bar | None, words: Words
) -> Verdict:
    """What came of an application."""
    of = receipt["standing"]
    came = "ineligible" if not of["eligible"] else "settled" if of["settled"] else "unsettled"
    line = words.say("verdict", f"{common.state}_{came}", round=common.round)
    ended = place if place and place.status != ENTITLED else None
    if ended:
        line = words.say("place", ended.status, round=common.round, since=ended.since)
    return Verdict(
        line,
        [
            words.say("because", "unmet", title=title(rule, words), what=each)
            for rule in receipt["conditions"].values()
            for each in unmet(rule, receipt, words)
        ],
        because(receipt, words),
        [
            *coming(receipt, common, came, ended, words),
            *false_material(receipt, common, bar, words),
        ],
    )


def unmet(rule: dict[str, Any], receipt: Receipt, words: Words) -> list[str]:
    """What is lacking of a condition; of insurance also in which months."""
    lines = failed(rule, words)
    if lines and WINDOW in rule["evidence"]:
        lacking = months_without(receipt, rule["evidence"][WINDOW][:MONTH])
        if lacking:
            lines.append(words.say("because", "missing_months", months=words.listed(lacking)))
    return lines


def months_without(receipt: Receipt, first: str) -> list[str]:
    """The months from the first on in which one of the five insurances at least has no record, as spans."""
    words, spans = words_of_letters(), list[tuple[str, str]]()
    goes_on = False
    for row in receipt["facts"]["insurance"]:
        late = row["recorded_on"] is not None
        lacks = row["to"] >= first and (late or any(row[name] is None for name in INSURANCES))
        if lacks and goes_on:
            spans[-1] = (spans[-1][0], row["to"])
        elif lacks:
            spans.append((max(row["from"], first), row["to"]))
        goes_on = lacks
    return [words.span(*(words.shown("month", each) for each in span)) for span in spans]


def because(receipt: Receipt, words: Words) -> list[str]:
    """Why: place and total against the line, and how the line comes about."""
    of, say = receipt["standing"], words.say
    if not of["eligible"]:
        return [say("because", "not_ranked")]
    quota, line = receipt["quota"], of["line"]
    ranked = say("because", "ranked", rank=of["rank"])
    if line is None:
        return [ranked, say("because", "no_line" if quota else "no_places")]
    above = Decimal(of["above_line"])
    few = quota > of["ranked"]
    side = "above" if above > 0 else "below" if above < 0 else "equal"
    if side == "equal" and of["tied_at_line"] > 1 and not few:
        side = "tied"
    compared = say("because", side, total=receipt["total"], line=line, distance=str(abs(above)))
    return [ranked, compared, say("because", "places_left" if few else "line", quota=f"{quota:,}")]


def coming(
    receipt: Receipt, common: Common, came: str, ended: Place | None, words: Words
) -> list[str]:
    """What happens next, and what the addressee has to do."""
    kinds = words.listed(common.kinds.values())
    failing = {name for name, rule in receipt["conditions"].items() if not rule["holds"]}
    is_final = common.state == PUBLISHED
    name = f"{common.state}_{came}"
    if ended:
        own = ended.status in {REGISTERED, CANCELLED}
        name = f"published_{ended.status if own else 'place'}"
    elif is_final and RETIREMENT in failing:
        name = "published_retired"
    more = {
        "review": receipt["needs_review"] and not is_final,
        "retired": RETIREMENT in failing and not is_final,
        "barred": NOT_BARRED in failing,
    }
    return [
        words.say("next", name, kinds=kinds, **common.times),
        *(words.say("next", each) for each, holds in more.items() if holds),
    ]


def false_material(receipt: Receipt, common: Common, bar: Bar | None, words: Words) -> list[str]:
    """For which rounds a finding of this round bars the addressee, and by which clause."""
    if bar is None:
        return []
    clause = common.clauses[receipt["conditions"][NOT_BARRED]["rule"]]
    return [words.say("next", "false_material", **bar._asdict()) + (clause or "")]


def appeals(filed: tuple[Appeal, ...], receipt: Receipt, common: Common, words: Words) -> list[str]:
    """What the addressee contested, and what came of it."""
    titles = {
        name: title(rule, words)
        for of in ("conditions", "indicators")
        for name, rule in receipt[of].items()
    }
    lines = [
        words.say(
            "appeal",
            "filed",
            filed_on=each.filed_on,
            subject=titles.get(each.subject, each.subject),
            kind=common.kinds[each.kind],
            appeal_id=each.appeal_id,
            status=words.say("appeal", each.status, decided_on=each.decided_on),
        )
        for each in filed
    ]
    if any(each.status == PENDING for each in filed):
        lines.append(words.say("appeal", "open"))
    return lines
