"""Careers: social insurance month by month, from a plan's counts.

A career is laid out on a grid of persons and months: the seven years that must be insured, the
earlier months that count before them, gaps in between.  One insurance (the lead) carries the
counted months; the other four have fewer, so that it stays the one with the most.
"""

from dataclasses import dataclass

import numpy as np

from flows.simulate.arrays import Bools, Ints, Rng, chance, pick, ranges, up_to
from flows.simulate.plan import Plan
from flows.simulate.setting import Setting

NONE, PAID, BACK, AGENCY, LATE = 0, 1, 2, 3, 4  # LATE: paid, but recorded after the reference date

LONG_ENOUGH = 24  # months before the seven years, for another insurance to lead
LATEST_GAP = 6  # a gap needs more months before the seven years than these

# How a career fails the seven years, with shares.
SHORT, GAP, BACK_PAID, ONE_MISSING, RECORDED_LATE, NOT_INSURED_IN = range(6)
FAIL_SHARES = (0.50, 0.14, 0.14, 0.08, 0.04, 0.10)


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
    Who studied while insured gets the latest months, so that the study period is unbroken.
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


def early_months(rng: Rng, status: Ints, plan: Plan, s: Setting) -> Ints:
    """Lay the counted months before the seven years, with up to two gaps; the first column used."""
    n = len(plan)
    early = plan.counted - (status[:, s.window : s.last + 1] == PAID).sum(axis=1)
    room = s.window - s.first - early
    if (early < 0).any() or (room < 0).any():
        raise ValueError("a plan has more counted months than the round has months")
    gap_1 = np.minimum(up_to(rng, np.minimum(room // 2, 30)), 1 + up_to(rng, np.full(n, 40)))
    gap_1 = np.where(chance(rng, n, 0.45) & (early > LATEST_GAP) & (plan.study == 0), gap_1, 0)
    gap_2 = np.where(chance(rng, n, 0.4), np.minimum(gap_1, room - gap_1), 0)
    start = s.window - early - gap_1 - gap_2
    status |= (ranges(status.shape[1], start, np.full(n, s.window - 1)) * PAID).astype(np.int8)
    before_1 = 1 + up_to(rng, early // 2 - 1)
    before_2 = early // 2 + up_to(rng, early - early // 2)
    for gap, offset in ((gap_1, before_1), (gap_2, gap_1 + before_2)):
        first = start + offset
        filled = among_kinds(rng, (70, 0, 18, 6, 6), n)[:, None]
        mask = ranges(status.shape[1], first, first + gap - 1) & (gap > 0)[:, None]
        np.copyto(status, filled, where=mask)
    full = (start == s.first) & chance(rng, n, 0.5)
    before = np.where(full, s.first - up_to(rng, np.full(n, s.first)), s.first)
    status[ranges(status.shape[1], before, np.full(n, s.first - 1))] = PAID
    return np.asarray(np.minimum(start, before))


def among_kinds(rng: Rng, shares: tuple[int, ...], size: int) -> Ints:
    """A status for each, by shares."""
    return pick(rng, shares, size).astype(np.int8)


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
    n, cols = lead_status.shape
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
        cut = status[late]
        cut[ranges(cols, start[late], until[late])] = NONE
        status[late] = cut
        more = np.where(chance(rng, n, 0.06), up_to(rng, most - used), 0) * others
        rows = np.flatnonzero(more > 0)
        column = s.window + up_to(rng, np.full(len(rows), s.last - s.window - most))
        part = status[rows]
        block = ranges(cols, column, column + more[rows] - 1) & (part == PAID)
        part[block] = BACK
        status[rows] = part
        made.append(status)
    return made


def tie(rng: Rng, status: list[Ints], lead: Ints, s: Setting) -> None:
    """Give a few people a second insurance with as many counted months, but not the same ones.

    It is named after the lead, which therefore still decides; the months lie before
    the seven years.
    """
    second = len(status) - 1
    early = slice(s.first, s.window)
    missed = np.stack([m[:, early] for m in status]).max(axis=0)
    paid = status[0][:, early] == PAID
    gap = (status[0][:, early] != PAID) & (missed != LATE) & (np.cumsum(paid, axis=1) > 0)
    same = (status[0] == status[second]).all(axis=1)
    rows = np.flatnonzero((lead == 0) & same & gap.any(axis=1) & chance(rng, len(lead), 0.15))
    status[second][rows, s.first + gap[rows].argmax(axis=1)] = PAID
    status[second][rows, s.first + paid[rows].argmax(axis=1)] = NONE


def fail(rng: Rng, status: list[Ints], failing: Bools, s: Setting) -> None:
    """Break the seven years of those who are to fail, each in one way."""
    rule = s.values["social_insurance"]
    months, most = rule["months"], rule["back_paid_months_at_most"]
    shares = FAIL_SHARES if s.insured_in is not None else FAIL_SHARES[:NOT_INSURED_IN]
    rows = np.flatnonzero(failing)
    way = pick(rng, shares, len(rows))
    cols = status[0].shape[1]
    missing = 1 + up_to(rng, np.full(len(rows), months - 13))
    missing = np.where(chance(rng, len(rows), 0.1), 1, missing)
    blocks = {
        SHORT: (np.full(len(rows), 0), s.window + missing - 1, NONE),
        GAP: gap_block(rng, 1 + missing // 8, s, NONE),
        BACK_PAID: gap_block(rng, most + 1 + missing // 20, s, BACK),
        ONE_MISSING: gap_block(rng, 1 + missing // 20, s, NONE),
        RECORDED_LATE: (np.full(len(rows), s.last), np.full(len(rows), s.last), LATE),
        NOT_INSURED_IN: (*2 * (np.full(len(rows), s.insured_in or 0),), NONE),
    }
    one = rng.integers(0, len(status), len(rows))
    for kind, (first, last, filled) in blocks.items():
        of_kind = way == kind
        for place, matrix in enumerate(status):
            chosen = of_kind & (one == place) if kind in {BACK_PAID, ONE_MISSING} else of_kind
            part = matrix[rows[chosen]]
            part[ranges(cols, first[chosen], last[chosen])] = filled
            matrix[rows[chosen]] = part


def gap_block(rng: Rng, length: Ints, s: Setting, filled: int) -> tuple[Ints, Ints, int]:
    """A block of months inside the seven years."""
    first = s.window + up_to(rng, s.last - s.window - length)
    return first, np.minimum(first + length - 1, s.last), filled


def measured(plan: Plan, made: Careers, s: Setting) -> Plan:
    """The plan with the counts the careers really have: a broken career has fewer."""
    broken = np.flatnonzero(plan.failing("social_insurance"))
    if not len(broken):
        return plan
    paid = np.stack([status[broken, s.first : s.last + 1] == PAID for status in made.status])
    count = paid.sum(axis=2)
    best = count.argmax(axis=0)  # the first of equals, as the contract has it
    made.lead[broken] = best
    second = paid[best, np.arange(len(broken)), s.border - s.first :].sum(axis=1)
    arrays = dict(plan.arrays())
    for name, value in (("counted", count.max(axis=0)), ("uncounted_2", s.months_2 - second)):
        arrays[name] = arrays[name].copy()
        arrays[name][broken] = value
    return Plan(**arrays)
