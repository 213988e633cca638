"""From the plans of a part to its seventeen feeds."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from flows.simulate import (
    careers,
    employers,
    firms,
    homes,
    insurance,
    money,
    people,
    records,
    schooling,
)
from flows.simulate.arrays import Ints, Rng
from flows.simulate.employers import Jobs
from flows.simulate.feeds import Feeds
from flows.simulate.plan import Plan, points_of
from flows.simulate.setting import Setting
from schemas.results import INDICATORS

PEOPLE_PER_STRANGER = 50


@dataclass(frozen=True)
class Part:
    """The feeds of a part, and the plans they follow, in the order of the ID numbers."""

    feeds: Feeds
    plan: Plan
    ids: pl.Series
    jobs: Jobs
    strangers: pl.Series  # ID numbers of people who did not apply


def build(rng: Rng, planned: Plan, numbers: Ints, s: Setting, *, part: int, parts: int) -> Part:
    """Build the records of a part's people, whose application numbers are given.

    The plan handed back holds what the records really contain: a career broken on purpose has
    fewer months than planned.  Raises ValueError where a listed row could not be met.
    """
    made = people.make_people(rng, planned, part, parts, s)
    order = made["person_id"].arg_sort().to_numpy()
    planned, made = planned.take(order), made[order]
    ids = made["person_id"]
    career = careers.careers(rng, planned, s)
    plan = careers.measured(planned, career, s)
    jobs = employers.make_jobs(rng, plan, career.start, part, s)
    ways = firms.ways(rng, plan, jobs)
    graduated, study = schooling.graduation(rng, plan, career.counted(s), s)
    plan = replace(plan, study=study)
    require_met(planned, plan, s)
    education, claims = schooling.rows(rng, ids, plan, graduated, s)
    filed_by = jobs.codes.gather(jobs.applies_by)
    feeds = {
        "applications": people.applications(
            rng, made, numbers, s, employers=filed_by, claims=claims
        ),
        "residence_permits": people.permits(rng, ids, plan, s),
        "social_insurance": insurance.rows(rng, ids, plan, s, career=career, jobs=jobs),
        "employers": employers.rows(rng, jobs, firms.technology(ways, jobs), s),
        "housing": homes.all_rows(rng, ids, plan, s),
        "education": education,
        **money.all_rows(rng, ids, plan, s),
        **firms.all_rows(rng, ids, plan, s, jobs=jobs, way=ways),
        **records.all_rows(rng, ids, plan, jobs, s),
    }
    birth = made["birth_date"].to_numpy()[: 1 + len(plan) // PEOPLE_PER_STRANGER]
    strangers = people.id_numbers(rng, birth, np.arange(len(birth)) % 2 == 0, parts, parts)
    return Part(feeds, plan, ids, jobs, strangers)


def require_met(planned: Plan, plan: Plan, s: Setting) -> None:
    """Raise for the first listed row whose records would give other points."""
    listed = planned.row > 0
    wanted, given = points_of(planned, s), points_of(plan, s)
    for name in INDICATORS:
        wrong = np.flatnonzero(listed & (wanted[name] != given[name]))
        if len(wrong):
            raise ValueError(f"row {planned.row[wrong[0]]}: {name} has no records that give it")
