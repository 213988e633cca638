"""Measure what each differing cause does: the first run with it alone, the second run without it.

With two causes these are the same combinations, with three or more twice as many as causes.  Causes
that do not fit without each other, a new rule and the code of it, are measured as one.
"""

from collections.abc import Callable
from typing import NamedTuple

from flows.audit.diff.attribution import Effect, Results, Span
from flows.audit.diff.causes import CODE, DATA, DECISION, LIBRARIES, POLICY, Causes
from flows.audit.diff.mixed import Combination, Mixer
from flows.audit.own_code import CannotBeRepeated
from flows.kept.known_code import what_it_does

MISFITS = (CODE, POLICY, DECISION, DATA)  # what a cause most likely does not fit, first
NOTHING: Combination = frozenset()

Group = tuple[str, ...]  # causes measured as one
Combine = Callable[[Combination], Results]


class Measured(NamedTuple):
    """What distinguishes the causes, and what has to be said about it."""

    span: Span
    effects: list[Effect]
    notes: list[str]


def measured(mixer: Mixer, found: Causes, then: Results, now: Results) -> Measured:
    """The effect of every differing cause; nothing is recomputed where only one thing differs."""
    apart = [CODE] * (not mixer.kept) + [LIBRARIES] * mixer.other_libraries
    aside = f"{' or '.join(apart)} (remainder)" if apart else "unexplained"
    as_one = [Effect(named(found.differing), alone=now, without=then)]
    as_written = Span(then, start=then, end=now, now=now, aside=aside)
    if len(found.differing) == 1 and LIBRARIES not in {each.cause for each in found.changes}:
        return Measured(as_written, as_one, [])
    groups: list[Group] = [
        (cause,)
        for cause in found.differing
        if mixer.kept or cause != CODE or CODE in found.rows_with
    ]
    if not groups:
        return Measured(as_written._replace(end=then), [], [])
    for other in found.rows_with[1:]:
        groups = bound(groups, found.rows_with[:1], (other,))
    whole = frozenset(cause for group in groups for cause in group)
    try:
        start = then if mixer.as_then[0] else mixer.results(NOTHING)
        end = now if mixer.as_then[1] else mixer.results(whole)
    except CannotBeRepeated as failure:
        message = f"a run cannot be recomputed from its own inputs ({failure}): measured as one"
        return Measured(as_written, as_one, [message])
    ends = {NOTHING: start, whole: end}

    def combine(from_b: Combination) -> Results:
        return ends[from_b] if from_b in ends else mixer.results(from_b)

    notes = said(mixer)
    effects = effects_of(combine, groups, notes)
    return Measured(Span(then, start, end, now, aside), effects, notes)


def effects_of(combine: Combine, groups: list[Group], notes: list[str]) -> list[Effect]:
    """The effects of groups of causes; groups that do not fit without each other become one."""
    whole = frozenset(cause for group in groups for cause in group)
    effects = []
    for group in groups:
        own = frozenset(group)
        try:
            effects.append(Effect(named(group), combine(own), combine(whole - own)))
        except CannotBeRepeated as failure:
            partner = next(
                other for cause in MISFITS for other in groups if cause in other and other != group
            )
            notes.append(
                f"{named(group)} and {named(partner)} do not fit without each other ({failure}):"
                " measured as one"
            )
            return effects_of(combine, bound(groups, group, partner), notes)
    return effects


def bound(groups: list[Group], one: Group, other: Group) -> list[Group]:
    """The groups with two of them made one, in the place of the first."""
    return [(*one, *other) if group == one else group for group in groups if group != other]


def named(group: Group) -> str:
    """The name of causes measured as one."""
    return " with ".join(group)


def said(mixer: Mixer) -> list[str]:
    """What has to be said about how the causes are measured."""
    notes = []
    remainder = (
        "the other causes are measured with one code for both runs, and what code does is the"
        " remainder"
    )
    for archive, digest in mixer.unknown.items():
        notes.append(
            f"the code in {archive} is not known here and was not run: {remainder}."
            f"  --trust-code {what_it_does(archive, digest)}"
        )
    if not mixer.kept and not mixer.unknown:
        notes.append(f"the code of a run older than kept code is not there: {remainder}")
    if mixer.other_libraries:
        notes.append(
            "recomputed with today's Python and libraries, which are others than a run had: what"
            " they do is the remainder"
        )
    return notes
