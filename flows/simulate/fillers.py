"""Applicants below a published line: drawn from the model, or settled careers cut short."""

from dataclasses import replace

import numpy as np

from flows.simulate.arrays import Ints, Rng, chance
from flows.simulate.model import draw, draw_fails
from flows.simulate.plan import FAILS, Plan, joined, points_of
from flows.simulate.setting import Setting

NEAR = 1.3  # copies for each listed person within one point of the line ...
GAP = 260.0  # ... who end up this far below it on average (centipoints)
DRAWS = 40


def below(rng: Rng, n: int, line: int, listed: Plan, s: Setting, *, near: int) -> Plan:
    """So many people: whoever is eligible stays strictly below the line."""
    copies = cut_short(rng, min(near, n // 2), line, listed, s)
    made = copies
    for _ in range(DRAWS):
        if len(made) >= n:
            break
        plan = draw(rng, n - len(made), s)
        made = joined(made, plan.take(np.flatnonzero(stays_below(plan, line, s))))
    if len(made) < n:  # a line nobody eligible is below
        plan = draw(rng, n - len(made), s)
        made = joined(made, replace(plan, fails=plan.fails | FAILS["criminal_record"]))
    return made.take(slice(0, n))


def stays_below(plan: Plan, line: int, s: Setting) -> Ints:
    """Who cannot settle."""
    return np.asarray((points_of(plan, s)["total"] < line) | (plan.fails > 0))


def near_line(listed_total: Ints) -> int:
    """How many copies make the points below the line as crowded as those above it."""
    return round(NEAR * int((listed_total < listed_total.min() + 100).sum()))


def cut_short(rng: Rng, n: int, line: int, listed: Plan, s: Setting) -> Plan:
    """Settled careers with so many months less that the total is below the line."""
    plan = listed.take(rng.integers(0, len(listed), n))
    fails = np.where(chance(rng, n, 0.2), draw_fails(rng, n), 0) & ~FAILS["retirement_age"]
    plan = replace(plan, row=np.zeros(n, dtype=np.int64), fails=fails)
    target = line - 1 - rng.exponential(GAP, n).astype(np.int64)
    month = s.values["employment"]["centipoints_per_month"]
    month += s.values["residence"]["kinds"][0]["centipoints_per_year"] // 12
    for _ in range(DRAWS):
        over = points_of(plan, s)["total"] - target
        if not (over > 0).any():
            break
        plan = shortened(plan, np.maximum(0, -(over // -month)), s)
    return plan.take(np.flatnonzero(points_of(plan, s)["total"] < line))


def shortened(plan: Plan, months: Ints, s: Setting) -> Plan:
    """Plans with fewer counted months, and homes that still fit; seven years remain."""
    least = s.values["social_insurance"]["months"] - plan.uncounted_1 - plan.uncounted_2
    counted = np.maximum(plan.counted - months, np.minimum(least, plan.counted))
    lost = plan.counted - counted
    own_1 = np.minimum(
        plan.own_1 - lost * plan.own_1 // np.maximum(plan.counted, 1), counted - plan.own_2
    )
    own_1 = np.clip(own_1, 0, s.months_1)
    own_2 = np.minimum(plan.own_2, counted)
    away = np.minimum(plan.away, np.minimum(own_1, s.away_months_1) + own_2)
    return replace(
        plan,
        counted=counted,
        own_1=own_1,
        own_2=own_2,
        away=away,
        away_job=np.minimum(plan.away_job, away),
    )
