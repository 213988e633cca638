"""Applicants below a published line, drawn from the model."""

from dataclasses import replace

import numpy as np

from flows.simulate.arrays import Rng
from flows.simulate.model import draw
from flows.simulate.plan import FAILS, Plan, joined, people, points_of
from flows.simulate.setting import Setting

DRAWS = 40


def below(rng: Rng, n: int, line: int, s: Setting) -> Plan:
    """So many people: whoever is eligible stays strictly below the line."""
    made = people(0, s)
    for _ in range(DRAWS):
        if len(made) >= n:
            return made.take(slice(0, n))
        plan = draw(rng, n - len(made), s)
        stays = (points_of(plan, s)["total"] < line) | (plan.fails > 0)
        made = joined(made, plan.take(np.flatnonzero(stays)))
    plan = draw(rng, n - len(made), s)  # a line that nobody eligible is below
    return joined(made, replace(plan, fails=plan.fails | FAILS["criminal_record"]))
