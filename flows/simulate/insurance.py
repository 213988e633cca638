"""Social insurance: careers as the rows that are delivered."""

import numpy as np
import polars as pl

from flows.simulate.arrays import Ints, Rng, among, chance, days_between, first_days
from flows.simulate.careers import AGENCY, BACK, LATE, NONE, PAID, Careers
from flows.simulate.employers import Jobs, jobs_at
from flows.simulate.feeds import frame
from flows.simulate.homes import away_ranges
from flows.simulate.plan import Plan
from flows.simulate.setting import Setting

STATUS = [None, "paid", "back_paid", "agency_back_paid", "paid"]  # by status of a career


def rows(
    rng: Rng, ids: pl.Series, plan: Plan, s: Setting, *, career: Careers, jobs: Jobs
) -> pl.DataFrame:
    """The feed: one row a person and month with a status."""
    person, column = np.nonzero(np.maximum.reduce(career.status) > NONE)
    codes = [status[person, column] for status in career.status]
    month = first_days(s.month(column))
    recorded = month + rng.integers(4, 26, len(month))
    top = np.maximum.reduce(codes)
    again = np.flatnonzero((top == BACK) | (top == AGENCY))
    past = month[again] + 30 + rng.integers(0, 300, len(again))
    recorded[again] = np.maximum(np.minimum(past, s.ref), month[again])
    late = np.flatnonzero((top == LATE) & (column <= s.last))
    recorded[late] = days_between(rng, s.ref + 1, s.late, len(late))
    edge = np.flatnonzero((column == s.last) & (top == PAID))
    edge = edge[chance(rng, len(edge), 0.01)]
    recorded[edge] = s.ref
    after = column > s.last
    recorded[after] = np.maximum(np.minimum(recorded[after], s.late), month[after])
    employer, district = jobs_at(jobs, person, column)
    district = away_districts(rng, plan, s, person=person, column=column, district=district)
    columns = {
        "person_id": ids.gather(person),
        "month": month,
        "employer_id": jobs.codes.gather(employer),
        "work_district": among(s.districts, district),
        "recorded_on": recorded,
    }
    insured = {name: among(STATUS, code) for name, code in zip(s.insurances, codes, strict=True)}
    return frame("social_insurance", columns | insured)


def away_districts(
    rng: Rng, plan: Plan, s: Setting, *, person: Ints, column: Ints, district: Ints
) -> Ints:
    """The work districts, so that exactly `away_job` of the `away` months are worked outside."""
    first_1, first_2, end_1 = away_ranges(plan, s)
    in_1 = (column >= first_1[person]) & (column <= end_1)
    in_2 = (column >= first_2[person]) & (column <= s.last)
    rank = np.where(in_2, s.last - column, plan.own_2[person] + end_1 - column)
    inside = len(s.districts_inside)
    outside = inside + rng.integers(0, len(s.districts_outside), len(plan))
    early = chance(rng, len(plan), 0.3) & (np.minimum(first_1, first_2) >= s.window)
    job = plan.away_job[person]
    worked = np.where(early[person], rank >= (plan.away - plan.away_job)[person], rank < job)
    in_away = in_1 | in_2
    is_outside = (district >= inside) & (district < inside + len(s.districts_outside))
    centre = rng.integers(0, inside, len(plan))
    district = np.where(in_away & worked & ~is_outside, outside[person], district)
    return np.where(in_away & ~worked & is_outside, centre[person], district)
