"""Careers: social insurance month by month, from a plan's counts.

A career is laid out on a grid of persons and months: the seven years that must be insured, the
earlier months that count before them, gaps in between.  One insurance (the lead) carries the
counted months; the other four have fewer, so that it stays the one with the most.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flows.simulate.arrays import Bools, Ints, Rng, chance, pick, ranges, up_to
from flows.simulate.plan import Plan
from flows.simulate.setting import Setting

NONE, PAID, BACK, AGENCY, LATE = 0, 1, 2, 3, 4  # LATE: paid, but recorded after the reference date

LONG_ENOUGH = 24  # months before the seven years, for another insurance to lead
LATEST_GAP = 6  # a gap needs more months before the seven years than these

GAP_SHARES = (70, 0, 18, 6, 6)  # by status: what fills a gap


@dataclass(frozen=True)
class Careers:
    """Status by person and month: of the lead insurance, and of each of the five."""

    start: Ints  # column of the first month with a status
    lead: Ints
    status: list[Ints]

    def counted(self, s: Setting) -> Bools:
        """The counted months, by person and month."""
        found = np.zeros_like(self.status[0], dtype=bool)
        for place, status in enumerate(self.status):
            rows = self.lead == place
            found[rows, s.first : s.last + 1] = status[rows, s.first : s.last + 1] == PAID
        return found


def careers(rng: Rng, plan: Plan, s: Setting) -> Careers:
    """Lay out everybody's months."""
    n, cols = len(plan), s.grid_months
    lead_status = np.zeros((n, cols), dtype=np.int8)
    lead_status[:, s.window : s.last + 1] = PAID
    window_2 = max(s.border, s.window)
    studied = plan.study > 0
    uncount(rng, lead_status, studied, plan.uncounted_1, s, first=s.window, end=window_2)
    uncount(rng, lead_status, studied, plan.uncounted_2, s, first=window_2, end=s.last + 1)
    start = early_months(rng, lead_status, plan, s)
    after_reference(rng, lead_status, s)
    lead = np.where(s.window - start >= LONG_ENOUGH, pick(rng, (92, 3, 2, 2, 1), n), 0)
    status = other_insurances(rng, lead_status, lead, start, s)
    tie(rng, status, lead, s)
    fail(rng, status, plan.failing("social_insurance"), s)
    return Careers(start, lead, status)


def uncount(
    rng: Rng, status: Ints, studied: Bools, months: Ints, s: Setting, *, first: int, end: int
) -> None:
    """Turn that many of the columns first..end-1 of each row into months paid back.

    Of all of them at most the permitted number is `back_paid`; the agency's fault is not limited.
    Those who studied while insured get the latest months, so that the study period is unbroken.
    """
    most = s.values["social_insurance"]["back_paid_months_at_most"]
    rows = np.flatnonzero(months > 0)
    if not len(rows) or end <= first:
        return
    drawn = rng.random((len(rows), end - first))
    drawn = np.where(studied[rows][:, None], np.arange(end, first, -1), drawn)
    order = drawn.argsort(axis=1).argsort(axis=1)
    used = (status[rows] == BACK).sum(axis=1)
    back = np.minimum(most - used, up_to(rng, months[rows]))[:, None]
    part = status[rows, first:end]
    part[order < months[rows][:, None]] = AGENCY
    part[(order < back) & (part == AGENCY)] = BACK
    status[rows, first:end] = part


def fill(
    status: Ints, rows: Ints, first: Ints, last: Ints, value: Any, *, only: Any = None
) -> None:
    """Columns `first` to `last` of some rows become a value; with `only`, those that are this."""
    part = status[rows]
    block = ranges(part.shape[1], first, last)
    if only is not None:
        block &= part == only
    status[rows] = np.where(block, np.reshape(value, (-1, 1)), part)


def early_months(rng: Rng, status: Ints, plan: Plan, s: Setting) -> Ints:
    """Lay the counted months before the seven years, with up to two gaps; the first column used."""
    n = len(plan)
    everybody = np.arange(n)
    early = plan.counted - (status[:, s.window : s.last + 1] == PAID).sum(axis=1)
    room = s.window - s.first - early
    if (early < 0).any() or (room < 0).any():
        raise ValueError("a plan has more counted months than the round has months")
    gap_1 = np.minimum(up_to(rng, np.minimum(room // 2, 30)), 1 + up_to(rng, np.full(n, 40)))
    gap_1 = np.where(chance(rng, n, 0.45) & (early > LATEST_GAP) & (plan.study == 0), gap_1, 0)
    gap_2 = np.where(chance(rng, n, 0.4), np.minimum(gap_1, room - gap_1), 0)
    start = s.window - early - gap_1 - gap_2
    fill(status, everybody, start, np.full(n, s.window - 1), PAID)
    before_1 = 1 + up_to(rng, early // 2 - 1)
    before_2 = early // 2 + up_to(rng, early - early // 2)
    for gap, offset in ((gap_1, before_1), (gap_2, gap_1 + before_2)):
        rows = np.flatnonzero(gap > 0)
        first = (start + offset)[rows]
        fill(status, rows, first, first + gap[rows] - 1, pick(rng, GAP_SHARES, len(rows)))
    full = (start == s.first) & chance(rng, n, 0.5)
    before = np.where(full, s.first - up_to(rng, np.full(n, s.first)), s.first)
    fill(status, everybody, before, np.full(n, s.first - 1), PAID)
    return np.asarray(np.minimum(start, before))


def after_reference(rng: Rng, status: Ints, s: Setting) -> None:
    """Months of the application year: paid, few left out, never the month the round asks for."""
    part = status[:, s.last + 1 :]
    part[:] = PAID
    part[chance(rng, part.shape, 0.01)] = NONE
    if s.insured_in is not None:
        status[:, s.insured_in] = PAID


def other_insurances(
    rng: Rng, lead_status: Ints, lead: Ints, start: Ints, s: Setting
) -> list[Ints]:
    """The five insurances: the lead as laid out, the others started later or paid back more often.

    An insurance named before the lead has to have strictly fewer months, as it wins a tie.
    """
    n = len(lead)
    most = s.values["social_insurance"]["back_paid_months_at_most"]
    used = (lead_status[:, s.window : s.last + 1] == BACK).sum(axis=1)
    made = []
    for place in range(len(s.insurances)):
        others = lead != place
        delay = np.where(chance(rng, n, 0.25), up_to(rng, np.full(n, 30)), 0)
        delay = np.where(place < lead, np.maximum(delay, 1), delay) * others
        status = lead_status.copy()
        until = np.minimum(start + delay, s.window) - 1
        late = np.flatnonzero(until >= start)
        fill(status, late, start[late], until[late], NONE)
        more = np.where(chance(rng, n, 0.06), up_to(rng, most - used), 0) * others
        rows = np.flatnonzero(more > 0)
        column = s.window + up_to(rng, np.full(len(rows), s.last - s.window - most))
        fill(status, rows, column, column + more[rows] - 1, BACK, only=PAID)
        made.append(status)
    return made


def tie(rng: Rng, status: list[Ints], lead: Ints, s: Setting) -> None:
    """Give a few people a second insurance with as many counted months, but not the same ones.

    It is named after the lead, which therefore still decides; the months lie before
    the seven years.
    """
    early = slice(s.first, s.window)
    one, second = status[0][:, early], status[-1]
    gap = (one != PAID) & (np.cumsum(one == PAID, axis=1) > 0)
    gap &= np.max([each[:, early] for each in status], axis=0) != LATE
    same = (status[0] == second).all(axis=1)
    rows = np.flatnonzero((lead == 0) & same & gap.any(axis=1) & chance(rng, len(lead), 0.15))
    second[rows, s.first + gap[rows].argmax(axis=1)] = PAID
    second[rows, s.first + (one == PAID)[rows].argmax(axis=1)] = NONE


def fail(rng: Rng, status: list[Ints], failing: Bools, s: Setting) -> None:
    """Break the seven years of those who are to fail, each in one way, in all insurances or in one."""
    rule = s.values["social_insurance"]
    months, most = rule["months"], rule["back_paid_months_at_most"]
    rows = np.flatnonzero(failing)
    n = len(rows)
    missing = np.where(chance(rng, n, 0.1), 1, 1 + up_to(rng, np.full(n, months - 13)))

    def within(length: Ints) -> tuple[Ints, Ints]:
        """A block of months inside the seven years."""
        first = s.window + up_to(rng, s.last - s.window - length)
        return first, np.minimum(first + length - 1, s.last)

    all_five, one = np.full(n, -1), rng.integers(0, len(status), n)
    ways = [
        (0.50, all_five, (np.zeros(n, dtype=int), s.window + missing - 1), NONE),  # begun too late
        (0.14, all_five, within(1 + missing // 8), NONE),
        (0.14, one, within(most + 1 + missing // 20), BACK),
        (0.08, one, within(1 + missing // 20), NONE),
        (0.04, all_five, (np.full(n, s.last), np.full(n, s.last)), LATE),
    ]
    if s.insured_in is not None:
        asked = np.full(n, s.insured_in)
        ways.append((0.10, all_five, (asked, asked), NONE))
    way = pick(rng, [share for share, *_ in ways], n)
    for place, (_, which, (first, last), value) in enumerate(ways):
        for number, matrix in enumerate(status):
            at = np.flatnonzero((way == place) & ((which == number) | (which < 0)))
            fill(matrix, rows[at], first[at], last[at], value)


def measured(plan: Plan, made: Careers, s: Setting) -> Plan:
    """The plan with the counts the careers really have: a broken career has fewer."""
    broken = np.flatnonzero(plan.failing("social_insurance"))
    paid = np.stack([each[broken, s.first : s.last + 1] == PAID for each in made.status])
    count = paid.sum(axis=2)
    best = count.argmax(axis=0)  # the first of equals, as the contract has it
    made.lead[broken] = best
    second = paid[best, np.arange(len(broken)), s.border - s.first :].sum(axis=1)
    counted, uncounted_2 = plan.counted.copy(), plan.uncounted_2.copy()
    counted[broken], uncounted_2[broken] = count.max(axis=0), s.months_2 - second
    return replace(plan, counted=counted, uncounted_2=uncounted_2)
