"""Months of homes from published points: how residence and job_housing divide them."""

import numpy as np

from flows.simulate.arrays import Bools, Ints, Rng, chance, up_to
from flows.simulate.plan import job_housing
from flows.simulate.setting import Setting, half_up

Division = tuple[int, int, int, int, int]  # uncounted_2, own_1, own_2, dormitory_2, rent_2


def divide(
    rng: Rng, counted: Ints, study: Ints, points: dict[str, Ints], s: Setting
) -> dict[str, Ints]:
    """Months of each kind of home that give the published residence (own_1 is -1 where none do)."""
    n = len(counted)
    window = s.values["social_insurance"]["months"]
    possible = s.last + 1 - s.first
    must_miss = np.maximum(0, window - counted)
    may_miss = np.maximum(
        must_miss, np.where(chance(rng, n, 0.12), 1 + up_to(rng, np.full(n, 4)), 0)
    )
    may_miss = np.minimum(may_miss, possible - counted)
    in_2 = np.where(rng.random(n) < s.months_2 / window, np.minimum(may_miss, s.months_2), 0)
    in_2 = np.maximum(in_2, may_miss - (window - s.months_2))
    tables: dict[tuple[int, int], Table] = {}
    found = np.full((n, 5), -1, dtype=np.int64)
    for row in range(n):
        months, value = int(counted[row]), int(points["residence"][row])
        least = months_away_needed(int(points["job_housing"][row]), s)
        for missing in missing_months(int(in_2[row]), months, s):
            key = (months, missing)
            if key not in tables:
                tables[key] = Table(months, missing, s)
            division = tables[key].choose(rng, value, least)
            if division:
                found[row] = (missing, *division)
                break
    uncounted_2, own_1, own_2, dormitory_2, rent_2 = found.T
    swap = (dormitory_2 == 0) & chance(rng, n, 0.07)  # a dormitory is worth as much as a rent
    dormitory_2, rent_2 = np.where(swap, rent_2, dormitory_2), np.where(swap, 0, rent_2)
    # A study period must be unbroken, so those months are not also missed before the border.
    wanted = np.where(study > 0, must_miss, may_miss)
    uncounted_1 = np.clip(wanted - uncounted_2, 0, window - s.months_2)
    return {
        "uncounted_1": uncounted_1,
        "uncounted_2": uncounted_2,
        "own_1": own_1,
        "own_2": own_2,
        "dormitory_2": dormitory_2,
        "rent_2": rent_2,
    }


def missing_months(first: int, counted: int, s: Setting) -> list[int]:
    """Numbers of uncounted months from the border on to try: the drawn one, then the fewest."""
    fits = [m for m in range(s.months_2 + 1) if 0 <= counted - (s.months_2 - m) <= s.months_1]
    return sorted(fits, key=lambda missing: (missing != first, missing))


class Table:
    """What residence is worth for every division of a career's months in own and other homes."""

    def __init__(self, counted: int, missing: int, s: Setting) -> None:
        rates = {k["kind"]: k["centipoints_per_year"] for k in s.values["residence"]["kinds"]}
        own_rate, other_rate = rates["own"], rates["rent"]
        counted_1 = counted - (s.months_2 - missing)
        self.s = s
        self.own_1 = np.arange(min(s.months_1, counted) + 1)[:, None]
        self.own_2 = np.arange(min(s.months_2, counted) + 1)[None, :]
        left = counted - self.own_1 - self.own_2
        free_1 = np.minimum(counted_1 - np.minimum(self.own_1, counted_1), left)
        self.room = np.where(left < 0, -1, np.minimum(s.months_2 - self.own_2, left - free_1))
        value = half_up(own_rate * self.own_1, 12) + half_up(own_rate * self.own_2, 12)
        self.value = value + half_up(other_rate * np.maximum(free_1, 0), 12)
        self.other = half_up(other_rate * np.arange(s.months_2 + 1), 12)

    def choose(self, rng: Rng, value: int, away: int) -> tuple[int, int, int, int] | None:
        """One of the divisions worth `value` that leave at least `away` months for job_housing."""
        need = value - self.value
        allowed = (self.room >= 0) & (need >= 0) & (need <= 2 * self.other[-1])
        allowed &= self.reaches(away)
        rent = np.searchsorted(self.other, need)
        filed = np.minimum(rent, len(self.other) - 1)
        fits = allowed & (self.other[filed] == need) & (filed <= self.room)
        if fits.any():
            at = self.likely(rng, fits, filed)
            return at[0], at[1], 0, int(filed[at])
        return self.two_kinds(rng, need, allowed)

    def reaches(self, away: int) -> Bools:
        """Divisions whose own months cover `away` months up to the last December."""
        if away == 0:
            return np.ones_like(self.room, dtype=bool)
        reach = np.minimum(self.own_1, self.s.away_months_1) + self.own_2
        december = self.own_2 > 0 if self.s.months_2 else self.own_1 > 0
        return np.asarray((reach >= away) & december)

    def likely(self, rng: Rng, fits: Bools, filed: Ints) -> tuple[int, int]:
        """A division: people who keep their kind of home and file all their rent are commoner."""
        own_1, own_2 = np.nonzero(fits)
        kept = (own_2 == 0) | (own_2 == self.s.months_2)
        rent = filed[own_1, own_2]
        weight = 1.0 + 40 * kept + 10 * (own_2 + rent == self.s.months_2) + 5 * (rent == 0)
        at = np.searchsorted(np.cumsum(weight), rng.random() * weight.sum(), side="right")
        at = min(int(at), len(own_1) - 1)
        return int(own_1[at]), int(own_2[at])

    def two_kinds(self, rng: Rng, need: Ints, allowed: Bools) -> tuple[int, int, int, int] | None:
        """A division with a dormitory and a rented home, which are rounded apart."""
        for dormitory in range(1, len(self.other)):
            left = need - self.other[dormitory]
            rent = np.minimum(np.searchsorted(self.other, left), len(self.other) - 1)
            fits = allowed & (self.other[rent] == left) & (rent + dormitory <= self.room)
            if fits.any():
                at = self.likely(rng, fits, rent)
                return at[0], at[1], dormitory, int(rent[at])
        return None


def months_away_needed(value: int, s: Setting) -> int:
    """The fewest months away that give a value of job_housing."""
    away, job = pairs(s)
    fits = job_housing(away, job, s) == value
    return int(away[fits].min()) if fits.any() else s.away_months + 1


def pairs(s: Setting) -> tuple[Ints, Ints]:
    """Every number of months away, with every number of those also worked away."""
    away, job = np.divmod(np.arange((s.away_months + 1) ** 2), s.away_months + 1)
    return away[job <= away], job[job <= away]


def months_away(rng: Rng, points: Ints, own_1: Ints, own_2: Ints, s: Setting) -> tuple[Ints, Ints]:
    """Months away, by home and by job, that give job_housing and that the own months cover.

    Preferred: the home was away all along, and the job always or never.  -1 where none fit.
    """
    away, job = pairs(s)
    value = job_housing(away, job, s)
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
