"""The smallest single change in words, and the other single changes that would have been enough."""

from decimal import Decimal
from typing import Any

from flows.common.points import in_text
from flows.explain.what_if import Change, Nearest, Reached
from flows.explain.what_if.plain_dates import first_day, runs
from flows.explain.words import Words
from transforms.months import number_of

AMOUNTS = "fen"


def sentences(found: Nearest, receipt: dict[str, Any], words: Words) -> list[str]:
    """What would have been enough; nothing for an applicant who settled."""
    if found.settled:
        return []
    if not found.places:
        return [words.say("change", "no_places")]
    if not found.reached:
        return [words.say("change", "nothing", tried=found.tried), *lacking(found, receipt, words)]
    first, *others = found.reached
    hindsight = words.say("change", "hindsight")
    lines = [hindsight, words.say("change", "smallest"), f"  {outcome(first, words)}"]
    if others:
        lines.append(words.say("change", "others"))
        lines += [f"  · {outcome(each, words)}" for each in others]
    return [*lines, words.say("change", "confirmed", tried=found.tried)]


def lacking(found: Nearest, receipt: dict[str, Any], words: Words) -> list[str]:
    """What keeps an applicant from settling: conditions that fail, points short of the line."""
    lines = []
    if found.failing:
        title = "title_zh" if words.zh else "title"
        names = words.listed(receipt["conditions"][name][title] for name in found.failing)
        lines.append(words.say("change", "failing", conditions=names))
    above = receipt["standing"]["above_line"]
    if found.line is not None and Decimal(above) < 0:
        lines.append(words.say("change", "short_by", distance=above.removeprefix("-")))
    return lines


def outcome(reached: Reached, words: Words) -> str:
    """A change, the total and the place it leads to."""
    total = in_text(reached.total)
    what = described(reached.change, words)
    return words.say("change", "outcome", what=what, total=total, rank=reached.rank)


def described(change: Change, words: Words) -> str:
    """A change in words."""
    shown = {
        name: value for name, value in change.facts.items() if not isinstance(value, dict | list)
    }
    if amounts := change.facts.get(AMOUNTS):
        shown["amounts"] = (
            words.listed(
                words.say("change", "year_amount", year=year, fen=fen)
                for year, fen in amounts.items()
            )
            if isinstance(amounts, dict)
            else amounts
        )
    if missing := change.facts.get("missing"):
        shown["missing"] = words.listed(words.shown("flag", each) for each in missing)
    months = spans(change, words)
    return words.say("change", change.kind, **{"units": change.units, "months": months, **shown})


def spans(change: Change, words: Words) -> str:
    """The insured months a change is about, as runs."""
    found = []
    for run in runs(number_of(month) for month in change.months):
        first, last = (words.shown("month", f"{first_day(each):%Y-%m}") for each in run)
        found.append(words.span(first, last))
    return words.listed(found)
