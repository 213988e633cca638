"""Months of homes from published points: how residence and job_housing divide them."""

from functools import cache

import numpy as np

from flows.simulate.arrays import Bools, Ints, Rng, chance, grid, up_to
from flows.simulate.plan import evidence_of, people, points_of
from flows.simulate.setting import Setting


def divisions(counted: int, missing: int, s: Setting) -> tuple[Ints, Ints, Ints, Ints]:
    """All ways to divide a career's months with no home filed yet.

    Months of the own home before the border and from it on, the points so far, months left to file.
    """
    sizes = (min(s.months_1, counted) + 1, min(s.months_2, counted) + 1)
    own_1, own_2 = grid(*sizes)
    some = own_1 + own_2 <= counted
    own_1, own_2 = own_1[some], own_2[some]
    n = len(own_1)
    plan = people(
        *(n, s),
        counted=np.full(n, counted),
        uncounted_2=np.full(n, missing),
        own_1=own_1,
        own_2=own_2,
    )
    used = evidence_of(plan, s).select("^counted_.*$").sum_horizontal().to_numpy()
    room = np.minimum(s.months_2 - own_2, counted - used)
    return own_1, own_2, points_of(plan, s, "residence")["residence"], room


def ways_to_file(s: Setting) -> tuple[Ints, Ints, Ints]:
    """Months filed of each kind that differ in points, those points, and the months together.

    Of one kind, or of two, as each is rounded on its own; of equal points the fewest months.
    """
    kinds, most = len(s.kinds) - 1, s.months_2
    one, two = grid(most + 1, most + 1)
    filed = np.zeros((len(one), kinds), dtype=np.int64)
    if kinds:
        filed[:, -1] = one
    if kinds > 1:
        filed[:, 0] = two
    filed = filed[filed.sum(axis=1) <= most]
    months = filed.sum(axis=1)
    plan = people(len(filed), s, counted=months, filed=filed)
    points = points_of(plan, s, "residence")["residence"]
    order = np.lexsort((months, (filed > 0).sum(axis=1), points))
    first = order[np.unique(points[order], return_index=True)[1]]
    return filed[first], points[first], months[first]


def divide(
    rng: Rng, counted: Ints, study: Ints, points: dict[str, Ints], s: Setting
) -> dict[str, Ints]:
    """Months of each kind of home that give the published residence (own_1 is -1 where none do)."""
    n = len(counted)
    window = s.values["social_insurance"]["months"]
    must_miss = np.maximum(0, window - counted)
    may_miss = np.where(chance(rng, n, 0.12), 1 + up_to(rng, np.full(n, 4)), 0)
    may_miss = np.minimum(np.maximum(must_miss, may_miss), s.last + 1 - s.first - counted)
    in_2 = np.where(rng.random(n) < s.months_2 / window, np.minimum(may_miss, s.months_2), 0)
    in_2 = np.maximum(in_2, may_miss - (window - s.months_2))
    filed, worth, months = ways_to_file(s)
    table = cache(lambda counted, missing: divisions(counted, missing, s))
    least = months_away_needed(points["job_housing"], s)
    found = {name: np.full(n, -1) for name in ("uncounted_2", "own_1", "own_2")}
    found["filed"] = np.zeros((n, filed.shape[1]), dtype=np.int64)
    for row in range(n):
        for missing in missing_months(int(in_2[row]), int(counted[row]), s):
            own_1, own_2, given, room = table(int(counted[row]), missing)
            need = points["residence"][row] - given
            way = np.minimum(np.searchsorted(worth, need), len(worth) - 1)
            fits = (worth[way] == need) & (months[way] <= room)
            fits &= covers(own_1, own_2, least[row], s)
            if fits.any():
                # people who keep their kind of home are commoner
                usual = 1.0 + 40 * ((own_2 == 0) | (own_2 == own_2.max()))
                weight = fits * usual * (1 + 9 * (months[way] == 0))
                at = rng.choice(len(weight), p=weight / weight.sum())
                found["uncounted_2"][row] = missing
                found["own_1"][row], found["own_2"][row] = own_1[at], own_2[at]
                found["filed"][row] = filed[way[at]]
                break
    # A study period must be unbroken, so those months are not also missed before the border.
    wanted = np.where(study > 0, must_miss, may_miss)
    found["uncounted_1"] = np.clip(wanted - found["uncounted_2"], 0, window - s.months_2)
    return found


def missing_months(first: int, counted: int, s: Setting) -> list[int]:
    """Numbers of uncounted months from the border on to try: the drawn one, then the fewest."""
    fits = [m for m in range(s.months_2 + 1) if 0 <= counted - (s.months_2 - m) <= s.months_1]
    return sorted(fits, key=lambda missing: (missing != first, missing))


def covers(own_1: Ints, own_2: Ints, away: int, s: Setting) -> Bools:
    """Whether own months cover `away` months up to the last December."""
    reach = np.minimum(own_1, s.away_months_1) + own_2
    december = own_2 > 0 if s.months_2 else own_1 > 0
    return np.asarray((away == 0) | ((reach >= away) & december))


def pairs(s: Setting) -> tuple[Ints, Ints, Ints]:
    """Every number of months away, with every number of those also worked away; what they earn."""
    away, job = grid(s.away_months + 1, s.away_months + 1)
    away, job = away[job <= away], job[job <= away]
    plan = people(len(away), s, away=away, away_job=job)
    return away, job, points_of(plan, s, "job_housing")["job_housing"]


def months_away_needed(points: Ints, s: Setting) -> Ints:
    """The fewest months away that give each value of job_housing; raises where none do."""
    away, _, value = pairs(s)
    if len(rows := np.flatnonzero(~np.isin(points, value))):
        raise ValueError(f"row {rows[0] + 1}: job_housing is what no record earns")
    fewest = {int(each): away[value == each].min() for each in np.unique(value)}
    return np.array([fewest[int(each)] for each in points])


def months_away(rng: Rng, points: Ints, own_1: Ints, own_2: Ints, s: Setting) -> tuple[Ints, Ints]:
    """Months away, by home and by job, that give job_housing and that the own months cover.

    Preferred: the home was away all along, and the job always or never.  -1 where none fit.
    """
    away, job, value = pairs(s)
    reach = np.minimum(own_1, s.away_months_1) + own_2
    if s.months_2:
        reach = np.where(own_2 == 0, 0, reach)
    chosen = np.full((2, len(points)), -1, dtype=np.int64)
    groups, member = np.unique(np.stack([points, reach]), axis=1, return_inverse=True)
    for place, (wanted, most) in enumerate(groups.T):
        rows = np.flatnonzero(member == place)
        fits = np.flatnonzero((value == wanted) & (away <= most))
        if not len(fits):
            continue
        all_along, natural = away[fits] == most, (job[fits] == 0) | (job[fits] == away[fits])
        weight = 1.0 + 30 * all_along + 30 * natural + 2000 * (away[fits] == 0)
        weight = np.where(all_along & natural, 300.0, weight)
        at = fits[rng.choice(len(fits), len(rows), p=weight / weight.sum())]
        chosen[:, rows] = away[at], job[at]
    return chosen[0], chosen[1]
