"""Months as spans: which count, which do not, and why; spans alike for a reader are shown as one."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from flows.explain.words import Values, Words
from flows.explain.working import named


class Span(NamedTuple):
    """Months that follow each other and count alike."""

    first: str
    last: str
    months: int
    counts_as: str | None
    why: str | None
    recorded_on: str | None = None


def insurance(facts: dict[str, Any]) -> list[Span]:
    """Insurance months, those out of the years that count as well."""
    outside, inside = facts["insurance_outside"], facts["insurance"]
    rows = sorted([*outside, *inside], key=lambda row: row["from"])
    return joined(
        Span(
            row["from"],
            row["to"],
            row["months"],
            "insurance" if row["counted"] else None,
            row["why"],
            row["recorded_on"] if row["why"] == "recorded_after_reference_date" else None,
        )
        for row in rows
    )


def homes(rule: dict[str, Any]) -> list[Span]:
    """Months of homes, as an indicator sees them."""
    return joined(
        Span(row["from"], row["to"], row["months"], row["counts_as"] or by_default(row), row["why"])
        for row in rule["months"]
    )


def by_default(row: dict[str, Any]) -> str | None:
    """What months without a home count as where insured months stand for rented ones."""
    return "default_early" if row["why"] == "counts_by_employment" else None


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans of the same kind that follow each other as one."""
    found: list[Span] = []
    for span in spans:
        if found and found[-1][3:] == span[3:]:
            before = found.pop()
            months = before.months + span.months
            found.append(span._replace(first=before.first, months=months))
        else:
            found.append(span)
    return found


def row(span: Span, found: Values, words: Words) -> tuple[str, str, str, str]:
    """A span in words: from and to, how many months, what they count as, why not."""
    run = words.span(*(words.shown("month", each) for each in (span.first, span.last)))
    name = "month_long" if span.months == 1 else "months_long"
    long = words.say("page", name, months=span.months)
    counted, filled = named(span.counts_as or "")
    counts_as = (
        words.say("counts_as", counted, **filled) if counted else words.say("page", "uncounted")
    )
    shown = {**found, "recorded_on": span.recorded_on}
    why = words.say("why", span.why, **shown) if span.why else ""
    return run, long, counts_as, why
