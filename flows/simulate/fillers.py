"""Applicants below a published line: drawn from the model, or settled careers cut short."""

from dataclasses import replace

import numpy as np

from flows.simulate.arrays import Bools, Ints, Rng, chance
from flows.simulate.model import draw, draw_fails
from flows.simulate.plan import FAILS, Plan, joined, people, points_of
from flows.simulate.setting import Setting

NEAR = 1.3  # copies for each listed person within one point of the line ...
GAP = 260.0  # ... who end up this far below it on average (centipoints)
DRAWS = 40
YEAR = 12  # months


def below(rng: Rng, n: int, line: int, listed: Plan, s: Setting, *, near: int) -> Plan:
    """So many people: whoever is eligible stays strictly below the line."""
    made = cut_short(rng, min(near, n // 2), line, listed, s)
    for _ in range(DRAWS):
        if len(made) >= n:
            break
        plan = draw(rng, n - len(made), s)
        made = joined(made, plan.take(np.flatnonzero(is_below(plan, line, s) | (plan.fails > 0))))
    if len(made) < n:  # a line nobody eligible is below
        plan = draw(rng, n - len(made), s)
        made = joined(made, replace(plan, fails=plan.fails | FAILS["criminal_record"]))
    return made.take(slice(0, n))


def is_below(plan: Plan, line: int, s: Setting) -> Bools:
    """Whose total is below the line."""
    return np.asarray(points_of(plan, s)["total"] < line)


def near_line(listed_total: Ints) -> int:
    """How many copies make the points below the line as crowded as those above it."""
    return round(NEAR * int((listed_total < listed_total.min() + 100).sum()))


def cut_short(rng: Rng, n: int, line: int, listed: Plan, s: Setting) -> Plan:
    """Settled careers with so many months less that the total is below the line."""
    plan = listed.take(rng.integers(0, len(listed), n))
    fails = np.where(chance(rng, n, 0.2), draw_fails(rng, n, s), 0) & ~FAILS["retirement_age"]
    plan = replace(plan, row=np.zeros(n, dtype=np.int64), fails=fails)
    target = line - 1 - rng.exponential(GAP, n).astype(np.int64)
    year = people(1, s, counted=np.array([YEAR]), own_1=np.array([YEAR]))
    month = sum(points_of(year, s, "employment", "residence").values()) // YEAR
    for _ in range(DRAWS):
        over = points_of(plan, s)["total"] - target
        if not (over > 0).any():
            break
        plan = shortened(plan, np.maximum(0, -(over // -month)), s)
    return plan.take(np.flatnonzero(is_below(plan, line, s)))


def shortened(plan: Plan, months: Ints, s: Setting) -> Plan:
    """Plans with fewer counted months, and homes that still fit; seven years remain."""
    least = s.values["social_insurance"]["months"] - plan.uncounted_1 - plan.uncounted_2
    counted = np.maximum(plan.counted - months, np.minimum(least, plan.counted))
    lost = plan.counted - counted
    own_1 = plan.own_1 - lost * plan.own_1 // np.maximum(plan.counted, 1)
    own_1 = np.clip(np.minimum(own_1, counted - plan.own_2), 0, s.months_1)
    own_2 = np.minimum(plan.own_2, counted)
    away = np.minimum(plan.away, np.minimum(own_1, s.away_months_1) + own_2)
    away_job = np.minimum(plan.away_job, away)
    return replace(plan, counted=counted, own_1=own_1, own_2=own_2, away=away, away_job=away_job)
