"""Firms people own shares in: holdings and financings that earn points, or just do not."""

import numpy as np
import polars as pl

from flows.simulate.arrays import Bools, Ints, Rng, chance, days_between, days_of_years, pick, up_to
from flows.simulate.employers import Jobs
from flows.simulate.feeds import Feeds, frame, rows
from flows.simulate.plan import NONE, Plan
from flows.simulate.setting import Setting

# Why a shareholding earns nothing, with shares; those that earn have EARNS.
EARNS, SMALL_SHARE, HELD_TOO_LATE, GIVEN_UP, NOT_TECHNOLOGY, TOO_LITTLE, OTHER_YEARS = range(7)
DECOY_SHARES = (0, 25, 15, 15, 15, 20, 10)


def ways(rng: Rng, plan: Plan, jobs: Jobs) -> Ints:
    """Why each firm's owner gets points or not; one who does not work there needs no reason."""
    decoys = pick(rng, DECOY_SHARES, len(jobs.owner))
    return np.where((plan.tier != NONE)[jobs.owner] | ~jobs.works_there, EARNS, decoys)


def technology(way: Ints, jobs: Jobs) -> Bools:
    """Which employers are technology firms, as far as a shareholding depends on it."""
    found = np.ones(len(jobs.kind), dtype=bool)
    found[jobs.firms] = way != NOT_TECHNOLOGY
    return found


def all_rows(rng: Rng, ids: pl.Series, plan: Plan, s: Setting, *, jobs: Jobs, way: Ints) -> Feeds:
    """Shareholdings and financings."""
    n = len(jobs.owner)
    least = s.values["innovation"]["share_bp_at_least"]
    new_year = s.first_day(1)
    share = np.where(chance(rng, n, 0.15), least, least + up_to(rng, np.full(n, 10_000 - least)))
    held_from = np.where(
        chance(rng, n, 0.1), new_year, days_between(rng, new_year - 3000, new_year, n)
    )
    held_to = np.where(chance(rng, n, 0.15), s.ref + up_to(rng, np.full(n, 300)), -1)
    share = np.where(way == SMALL_SHARE, least - 1 - up_to(rng, np.full(n, 3)) ** 5, share)
    held_from = np.where(way == HELD_TOO_LATE, new_year + 1 + up_to(rng, np.full(n, 30)), held_from)
    held_to = np.where(way == GIVEN_UP, s.ref - 1 - up_to(rng, np.full(n, 30)), held_to)
    shares = {
        "person_id": ids.gather(jobs.owner),
        "employer_id": jobs.codes.gather(jobs.firms),
        "share_bp": share,
        "held_from": held_from,
        "held_to": held_to,
    }
    return {
        "shareholdings": frame("shareholdings", shares),
        "financings": financings(rng, plan.tier[jobs.owner], jobs, way, s),
    }


def financings(rng: Rng, tier: Ints, jobs: Jobs, way: Ints, s: Setting) -> pl.DataFrame:
    """One to three payments a firm that reach its tier exactly, by a little or by far."""
    rule = s.values["innovation"]
    tiers = rule["financing_tiers"]
    floors = np.array([each["fen_at_least"] for each in tiers])
    tops = np.array([*(floors[1:] - 1), 3 * floors[-1]])
    n = len(way)
    tier = np.where((tier == NONE) | (way != EARNS), rng.integers(0, len(tiers), n), tier)
    total = floors[tier] + (rng.random(n) ** 2 * (tops - floors)[tier]).astype(np.int64)
    total = np.where(chance(rng, n, 0.15), floors[tier], total)
    total = np.where(chance(rng, n, 0.1), tops[tier], total)
    total = np.where(way == TOO_LITTLE, floors[0] - 1 - up_to(rng, np.full(n, 9)) ** 7, total)
    years = np.where(way == OTHER_YEARS, s.year - 1 - rule["financing_years"], s.year - 1)
    back = np.where(way == OTHER_YEARS, 1, rule["financing_years"])
    payments = rng.integers(1, 4, n)
    firm = np.repeat(np.arange(n), payments)
    part = total // payments
    amount = part[firm]
    first = np.flatnonzero(np.diff(firm, prepend=-1))
    amount[first] += total - part * payments
    year = years[firm] - up_to(rng, back[firm] - 1)
    before = np.flatnonzero(chance(rng, n, 0.3))  # money of years that do not count
    late = np.flatnonzero(chance(rng, n, 0.1))
    too_early = days_of_years(rng, np.full(len(before), s.year - 1 - rule["financing_years"]))
    too_late = days_between(rng, s.ref + 1, s.late, len(late))
    return rows(
        *("financings", jobs.codes.gather(jobs.firms)),
        (firm, {"received_on": days_of_years(rng, year), "amount_fen": amount}),
        (before, {"received_on": too_early, "amount_fen": 1 + floors[tier[before]]}),
        (late, {"received_on": too_late, "amount_fen": 1 + floors[tier[late]]}),
    )
