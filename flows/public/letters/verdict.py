"""What was decided of an applicant and why, in sentences; no number tells anything about somebody else."""

from decimal import Decimal
from typing import Any, NamedTuple

from flows.explain.rules import failed, title
from flows.explain.words import Words
from flows.public.letters.common import Common
from flows.public.letters.standing import ENTITLED, PENDING, PUBLISHED, REGISTERED, Appeal, Place

Receipt = dict[str, Any]
NOT_BARRED, RETIREMENT = "not_barred", "retirement_age"


class Verdict(NamedTuple):
    """The result in one line, the conditions that are not met, why, and what comes next."""

    line: str
    unmet: list[str]
    because: list[str]
    next: list[str]


def verdict(receipt: Receipt, common: Common, place: Place | None, words: Words) -> Verdict:
    """What came of an application."""
    of = receipt["standing"]
    came = "ineligible" if not of["eligible"] else "settled" if of["settled"] else "unsettled"
    line = words.say("verdict", f"{common.state}_{came}", round=common.round)
    ended = place if place and place.status != ENTITLED else None
    if ended:
        line = words.say("place", ended.status, round=common.round, since=ended.since)
    unmet = [
        words.say("because", "unmet", title=title(rule, words), what=each)
        for rule in receipt["conditions"].values()
        if not rule["holds"]
        for each in failed(rule, words)
    ]
    return Verdict(
        line,
        unmet,
        because(receipt, words),
        coming(receipt, common, came, ended, words),
    )


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
        name = "published_registered" if ended.status == REGISTERED else "published_place"
    elif is_final and RETIREMENT in failing:
        name = "published_retired"
    more = {
        "review": receipt["needs_review"] and not is_final,
        "retired": RETIREMENT in failing and not is_final,
        "barred": NOT_BARRED in failing,
    }
    return [
        words.say("next", name, kinds=kinds),
        *(words.say("next", each) for each, holds in more.items() if holds),
    ]


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
