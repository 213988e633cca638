"""Employers: the pool of a part, and who works where and when."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.simulate.arrays import Bools, Ints, Rng, among, chance, pick
from flows.simulate.feeds import frame
from flows.simulate.names import employer_names
from flows.simulate.plan import NONE, Plan
from flows.simulate.setting import ASSUMED, Setting
from schemas.identifiers import credit_check_character

PEOPLE_PER_EMPLOYER = 5
MOST_JOBS = 12
# Kinds of employers, in the order of their positions; firms are those people own shares in.
GOOD, NOT_QUALIFIED, BARRED, UNKNOWN, FIRM = range(5)
POOL_SHARES = (0.93, 0.05, 0.01, 0.01)
BEIJING, SHARES = (ASSUMED["districts"][name] for name in ("beijing", "jobs"))


@dataclass(frozen=True)
class Jobs:
    """Who works where: `employer` and `district` by person and job, `since` a job's last column."""

    codes: pl.Series  # credit codes by position: the pool, then the firms
    kind: Ints
    seat: Ints  # district of each employer
    employer: Ints
    district: Ints
    until: Ints  # the column each job but the last ends before
    applies_by: Ints  # the employer that files
    owner: Ints  # person who owns shares in each firm
    works_there: Bools  # the owner is employed by the firm in the last December

    @property
    def firms(self) -> Ints:
        """Positions of the firms."""
        return np.flatnonzero(self.kind == FIRM)


def credit_codes(part: int, size: int) -> pl.Series:
    """Distinct codes of a part.

    The nine-character organization number inside (GB 11714) ends in a wrong check character on
    purpose, so that no code can be a real firm's; the credit code's own last character is right.
    """
    number = ((part * 100_000 + np.arange(size)) * 38_476_213 + 7) % 100_000_000
    digits = np.stack([number // 10**place % 10 for place in range(7, -1, -1)])
    right = -(digits * np.array([3, 7, 9, 10, 5, 8, 4, 2])[:, None]).sum(axis=0) % 11
    made = pl.DataFrame(
        {"number": number, "wrong": (right + 1) % 10, "seat": number % len(BEIJING)}
    )
    first_17 = pl.concat_str(
        pl.lit("91"),
        pl.col("seat").replace_strict(range(len(BEIJING)), BEIJING, return_dtype=pl.String),
        pl.col("number").cast(pl.String).str.zfill(8),
        pl.col("wrong").cast(pl.String),
    )
    return made.select(code=pl.concat_str(first_17, credit_check_character(first_17)))["code"]


def make_jobs(rng: Rng, plan: Plan, start: Ints, part: int, s: Setting) -> Jobs:
    """Draw careers of one to twelve employers; as a rule the last one files the application."""
    n = len(plan)
    pool = max(100, n // PEOPLE_PER_EMPLOYER)
    edges = np.concatenate([[0], np.round(np.cumsum(POOL_SHARES) * pool)]).astype(np.int64)
    kind = np.repeat(np.arange(len(POOL_SHARES)), np.diff(edges))  # each begins at its edge
    financed = plan.tier != NONE
    owns, works_there = financed | chance(rng, n, 0.012), financed | chance(rng, n, 0.85)
    owner = np.flatnonzero(owns)
    firm = len(kind) + np.arange(len(owner))
    kind = np.concatenate([kind, np.full(len(owner), FIRM)])
    last = final_employers(rng, plan, edges)
    applies_by = np.where(
        (chance(rng, n, 0.01)) & (plan.fails == 0), rng.integers(0, edges[1], n), last
    )
    at_firm = works_there[owner]
    last[owner[at_firm]] = firm[at_firm]
    own = owner[at_firm & ~plan.failing("employer")[owner] & ~plan.failing("not_barred")[owner]]
    applies_by[own] = last[own]
    count = np.where(
        chance(rng, n, 0.03), MOST_JOBS, np.minimum(1 + rng.poisson(2.3, n), MOST_JOBS)
    )
    employer = (edges[-1] * rng.random((n, MOST_JOBS)) ** 1.8).astype(np.int32)
    employer[np.arange(n), count - 1] = last
    seat = pick(rng, SHARES, len(kind))
    district = seat[employer]
    moved = chance(rng, employer.shape, 0.08)
    district[moved] = rng.integers(0, len(s.districts), int(moved.sum()))
    span = np.maximum(s.last - start, 1)[:, None]
    until = np.minimum(start[:, None] + 1 + (rng.random((n, MOST_JOBS)) * span).astype(int), s.last)
    until[np.arange(MOST_JOBS) >= (count - 1)[:, None]] = s.grid_months
    codes = credit_codes(part, len(kind))
    return Jobs(codes, kind, seat, employer, district, until, applies_by, owner, at_firm)


def final_employers(rng: Rng, plan: Plan, edges: Ints) -> Ints:
    """The last employer of each: qualified, or not for those who are to fail by it."""
    n = len(plan)
    unqualified = np.where(chance(rng, n, 0.85), NOT_QUALIFIED, UNKNOWN)
    barred = np.where(barred_by_employer(plan), BARRED, GOOD)
    kind = np.where(plan.failing("employer"), unqualified, barred)
    return edges[kind] + (np.diff(edges)[kind] * rng.random(n) ** 1.8).astype(np.int64)


def barred_by_employer(plan: Plan) -> Bools:
    """Every second one of those barred is barred by the employer; the others in person."""
    every_other = plan.birth_year % 2 == 0
    return np.asarray(plan.failing("not_barred") & every_other & ~plan.failing("employer"))


def jobs_at(jobs: Jobs, person: Ints, column: Ints) -> tuple[Ints, Ints]:
    """Employer and work district of each person and month."""
    order = np.zeros(len(person), dtype=np.int8)
    for job in range(MOST_JOBS - 1):
        order += column >= jobs.until[:, job][person]
    return jobs.employer[person, order], jobs.district[person, order]


def rows(rng: Rng, jobs: Jobs, technology: Bools, s: Setting) -> pl.DataFrame:
    """The feed: one row an employer, save those nobody has registered."""
    n = len(jobs.kind)
    lacks = np.where(jobs.kind == NOT_QUALIFIED, rng.integers(1, 8, n), 0)
    firm = jobs.kind == FIRM
    columns = {
        "employer_id": jobs.codes,
        "name": employer_names(rng, n),
        "district": among(s.districts, jobs.seat),
        "registered_in_beijing": lacks & 1 == 0,
        "tax_registered": lacks & 2 == 0,
        "tax_paying": lacks & 4 == 0,
        "high_tech": np.where(firm, technology & chance(rng, n, 0.6), chance(rng, n, 0.12)),
        "tech_sme": np.where(firm, technology, chance(rng, n, 0.15)),
    }
    return frame("employers", columns).filter(pl.Series(jobs.kind != UNKNOWN))


def sanctioned(rng: Rng, jobs: Jobs, s: Setting) -> tuple[Ints, Ints]:
    """Employers with a finding, and its year: within the ban, or just before it for a few."""
    years = s.values["not_barred"]["years_after"]
    barred = np.flatnonzero(jobs.kind == BARRED)
    over = np.flatnonzero((jobs.kind == GOOD) & chance(rng, len(jobs.kind), 0.004))
    year = np.concatenate(
        [s.year - rng.integers(0, years + 1, len(barred)), s.year - years - 1 - over % 2]
    )
    return np.concatenate([barred, over]), year
