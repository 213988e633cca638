"""Homes: own homes, dormitories and rented homes, from a plan's counts of months.

Own months lie in one block before the border and one from it on, each divided into homes inside
and outside the six districts; longer stays are divided again, for people move.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.simulate.arrays import Ints, Rng, among, chance, day_in, first_days, pick, up_to
from flows.simulate.feeds import frame
from flows.simulate.plan import Plan
from flows.simulate.setting import ASSUMED, Setting

OWN = 0  # the place of a kind among those of the rule
INSIDE, OUTSIDE, ANY = range(3)
STAYS, SOME = 24, 3  # months
FILED, NOT_FILED, EITHER = range(3)


@dataclass(frozen=True)
class Spells:
    """Homes of some people: columns `first` to `last` are covered, no other month."""

    person: Ints
    first: Ints
    last: Ints
    kind: int
    side: int
    filed: int

    def held(self) -> "Spells":
        """Without those of no month."""
        return self.only(self.last >= self.first)

    def only(self, rows: Ints) -> "Spells":
        """Some of them."""
        return Spells(
            self.person[rows], self.first[rows], self.last[rows], self.kind, self.side, self.filed
        )


def away_ranges(plan: Plan, s: Setting) -> tuple[Ints, Ints, int]:
    """Where the months away lie, as columns.

    From the first one to the third, the last before the border, and from the second to December.
    """
    second = np.minimum(plan.away, plan.own_2)
    end = s.border - 1
    return end + 1 - (plan.away - second), s.last + 1 - second, end


def rows(rng: Rng, ids: pl.Series, plan: Plan, s: Setting) -> pl.DataFrame:
    """The feed: every home, shuffled little by little into its person's order."""
    owned = own_homes(rng, plan, s)
    spells = [part for spell in owned for part in moved(rng, spell)]
    spells += filed_homes(rng, plan, s) + unfiled_homes(rng, plan, s)
    made = pl.concat([dated(rng, ids, spell.held(), s) for spell in spells])
    return made.sort(pl.all())


def own_homes(rng: Rng, plan: Plan, s: Setting) -> list[Spells]:
    """Own months: inside then outside before the border, inside then outside from it on."""
    n = len(plan)
    person = np.arange(n)
    start_1, start_2, end_1 = away_ranges(plan, s)
    apart = plan.sold | ((plan.own_2 < s.months_2) & chance(rng, n, 0.7))
    shift = np.where(apart & (plan.away == 0), 1 + up_to(rng, s.months_1 - plan.own_1 - 1), 0)
    shift = np.minimum(shift, s.months_1 - plan.own_1)
    last_1 = end_1 - shift
    first_1 = last_1 - plan.own_1 + 1
    capped = (plan.own_1 + plan.own_2 >= plan.counted) & (plan.own_1 > 0)
    longer = capped & chance(rng, n, 0.4)
    first_1 = first_1 - np.where(longer, up_to(rng, first_1 - s.first), 0)
    last_2 = np.where(plan.sold, s.border + plan.own_2 - 1, s.last)
    first_2 = last_2 - plan.own_2 + 1
    # Whoever gave the home up before the last December may have lived outside all along.
    gone = plan.sold & ((shift > 0) if not s.months_2 else (plan.own_2 < s.months_2))
    start_1 = np.where(gone, first_1, np.minimum(start_1, last_1 + 1))
    start_2 = np.where(gone, first_2, np.minimum(start_2, last_2 + 1))
    # A home outside held since before the months that count is the usual case: one home.
    joined = (start_1 <= last_1) & (start_1 == s.away_from) & chance(rng, n, 0.85)
    start_1 = np.where(joined, first_1, start_1)
    touching = last_1 + 1 == first_2
    merge_in = touching & (start_1 > last_1) & (first_1 <= last_1) & (start_2 > first_2)
    merge_out = touching & (start_1 <= last_1) & (start_2 == first_2) & (plan.own_2 > 0)
    return [
        Spells(person, first_1, np.where(merge_in, first_1, start_1) - 1, OWN, INSIDE, EITHER),
        Spells(person, start_1, np.where(merge_out, start_1 - 1, last_1), OWN, OUTSIDE, EITHER),
        Spells(person, np.where(merge_in, first_1, first_2), start_2 - 1, OWN, INSIDE, EITHER),
        Spells(person, np.where(merge_out, start_1, start_2), last_2, OWN, OUTSIDE, EITHER),
    ]


def moved(rng: Rng, spells: Spells) -> list[Spells]:
    """Divide some longer stays in two homes; now and then the old home is kept on for a while."""
    spells = spells.held()
    length = spells.last - spells.first + 1
    moves = np.flatnonzero((length > STAYS) & chance(rng, len(length), 0.3))
    at = spells.first[moves] + 6 + up_to(rng, length[moves] - 13)
    kept = np.where(chance(rng, len(moves), 0.2), up_to(rng, np.full(len(moves), 6)), 0)
    last = spells.last.copy()
    last[moves] = np.minimum(at - 1 + kept, spells.last[moves])
    after = Spells(
        spells.person[moves], at, spells.last[moves], spells.kind, spells.side, spells.filed
    )
    before = Spells(spells.person, spells.first, last, spells.kind, spells.side, spells.filed)
    return [before, after]


def filed_homes(rng: Rng, plan: Plan, s: Setting) -> list[Spells]:
    """Homes of the other kinds, one after the other, in the months from the border on without an own."""
    person, rent = np.arange(len(plan)), len(s.kinds) - 1
    first = np.where(plan.sold, s.border + plan.own_2, s.border)
    spare = s.months_2 - plan.own_2 - plan.filed.sum(axis=1)
    first = first + np.where(chance(rng, len(plan), 0.5), spare, up_to(rng, spare))
    made = []
    for place in range(rent):
        after = first + plan.filed[:, place]
        made += moved(rng, Spells(person, first, after - 1, 1 + place, ANY, FILED))
        first = after
    own = np.flatnonzero((plan.own_2 > SOME) & chance(rng, len(plan), 0.05))
    last = np.where(plan.sold, s.border + plan.own_2 - 1, s.last)[own]
    under_own = Spells(own, last - 2 - up_to(rng, plan.own_2[own] - 4), last, rent, ANY, FILED)
    return [*made, under_own]


def unfiled_homes(rng: Rng, plan: Plan, s: Setting) -> list[Spells]:
    """Rented homes that add nothing: before the border, or never filed, or filed too late."""
    n = len(plan)
    made, rent = [], len(s.kinds) - 1
    for share, kind in ((0.45, rent), (0.2, rent), (0.06, min(1, rent))):
        person = np.flatnonzero((rng.random(n) < share) & (plan.own_1 < plan.counted - 6))
        length = 6 + up_to(rng, np.full(len(person), 40))
        first = s.border - 1 - up_to(rng, np.minimum(plan.counted[person], s.months_1)) - length
        last = np.minimum(first + length - 1, s.border - 1)
        made.append(Spells(person, first, last, kind, ANY, EITHER))
    if s.months_2:
        person = np.flatnonzero(chance(rng, n, 0.35) & (plan.own_2 < s.months_2))
        first = s.border + up_to(rng, np.full(len(person), s.months_2 - 1))
        last = np.minimum(first + up_to(rng, np.full(len(person), 30)), s.last)
        made.append(Spells(person, first, last, rent, ANY, NOT_FILED))
    return made


def dated(rng: Rng, ids: pl.Series, spells: Spells, s: Setting) -> pl.DataFrame:
    """Spells with days: a home may begin in the middle of the month before its first whole one."""
    n = len(spells.person)
    first, last = s.month(spells.first), s.month(spells.last)
    start = first_days(first)
    before = first_days(first - 1) + 1 + rng.integers(0, 27, n)
    start = np.where(chance(rng, n, 0.5), start, before)
    open_ended = (spells.last >= s.last) & chance(rng, n, 0.9)
    end = np.where(open_ended, -1, day_in(rng, last))
    if spells.kind == len(s.kinds) - 1:
        end = np.where(open_ended & chance(rng, n, 0.5), s.ref + rng.integers(1, 400, n), end)
    filed = np.minimum(start + rng.integers(0, 200, n), s.ref)
    filed = np.where(chance(rng, n, 0.03), s.ref, filed)
    never = np.full(n, -1)
    too_late = np.where(
        chance(rng, n, 0.3), s.late - up_to(rng, np.full(n, s.late - s.ref - 1)), -1
    )
    registered = {
        FILED: filed,
        NOT_FILED: too_late,
        EITHER: np.where(chance(rng, n, 0.5), filed, never),
    }[spells.filed]
    inside, outside = len(s.districts_inside), len(s.districts_outside)
    shares = {side: ASSUMED["districts"][f"homes_{side}"] for side in ("inside", "outside")}
    district = {
        INSIDE: np.where(
            chance(rng, n, 0.01), inside + outside, pick(rng, shares["inside"][:inside], n)
        ),
        OUTSIDE: inside + pick(rng, shares["outside"][:outside], n),
        ANY: rng.integers(0, inside + outside, n),
    }[spells.side]
    columns = {
        "person_id": ids.gather(spells.person),
        "kind": s.kinds[spells.kind]["kind"],
        "district": among(s.districts, district),
        "start_date": start,
        "end_date": end,
        "registered_on": registered,
    }
    return frame("housing", columns)
