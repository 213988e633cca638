"""Homes: own homes and those of other kinds, from a plan's counts of months.

Own months lie in one block before the border and one from it on, each divided into homes inside
and outside the six districts; longer stays are divided again, for people move.
"""

import numpy as np
import polars as pl

from flows.simulate.arrays import Ints, Rng, among, chance, day_in, first_days, pick, up_to
from flows.simulate.feeds import rows
from flows.simulate.plan import Plan
from flows.simulate.setting import ASSUMED, Setting

OWN = 0  # the place of a kind among those of the rule; the last one is rented
INSIDE, OUTSIDE, ANY = range(3)
FILED, NOT_FILED, EITHER = range(3)
STAYS, SOME = 24, 3  # months


def spells(
    person: Ints, first: Ints, last: Ints, kind: int, side: int = ANY, *, filed: int = EITHER
) -> pl.DataFrame:
    """Homes of some people: columns `first` to `last` are covered, no other month."""
    made = pl.DataFrame({"person": person, "first": first, "last": last})
    states = {"kind": pl.lit(kind), "side": pl.lit(side), "filed": pl.lit(filed)}
    return made.filter(pl.col("last") >= pl.col("first")).with_columns(**states)


def away_ranges(plan: Plan, s: Setting) -> tuple[Ints, Ints, int]:
    """Where the months away lie, as columns.

    From the first one to the third, the last before the border, and from the second to December.
    """
    second = np.minimum(plan.away, plan.own_2)
    end = s.border - 1
    return end + 1 - (plan.away - second), s.last + 1 - second, end


def all_rows(rng: Rng, ids: pl.Series, plan: Plan, s: Setting) -> pl.DataFrame:
    """The feed."""
    other = [moved(rng, filed_homes(rng, plan, s)), *unfiled_homes(rng, plan, s)]
    return dated(rng, ids, pl.concat([moved(rng, own_homes(rng, plan, s)), *other]), s)


def own_homes(rng: Rng, plan: Plan, s: Setting) -> pl.DataFrame:
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
    usual = (start_1 <= last_1) & (start_1 == s.away_from) & chance(rng, n, 0.85)
    start_1 = np.where(usual, first_1, start_1)
    made = pl.concat(
        [
            spells(person, first_1, start_1 - 1, OWN, INSIDE),
            spells(person, start_1, last_1, OWN, OUTSIDE),
            spells(person, first_2, start_2 - 1, OWN, INSIDE),
            spells(person, start_2, last_2, OWN, OUTSIDE),
        ]
    ).sort("person", "first")
    same = pl.col("first") == pl.col("last").shift() + 1
    for name in ("person", "side"):
        same &= pl.col(name) == pl.col(name).shift()
    home = (~same).fill_null(value=True).cum_sum().alias("home")
    ends = [pl.col("person").first(), pl.col("first").min(), pl.col("last").max()]
    states = [pl.col(name).first() for name in ("kind", "side", "filed")]
    return made.group_by(home, maintain_order=True).agg(*ends, *states).drop("home")


def moved(rng: Rng, homes: pl.DataFrame) -> pl.DataFrame:
    """Divide some longer stays in two homes; now and then the old home is kept on for a while."""
    first, last = (homes[name].to_numpy() for name in ("first", "last"))
    length = last - first + 1
    moves = np.flatnonzero((length > STAYS) & chance(rng, len(length), 0.3))
    at = first[moves] + 6 + up_to(rng, length[moves] - 13)
    kept = np.where(chance(rng, len(moves), 0.2), up_to(rng, np.full(len(moves), 6)), 0)
    until = last.copy()
    until[moves] = np.minimum(at - 1 + kept, last[moves])
    after = homes[moves].with_columns(first=pl.Series(at))
    return pl.concat([homes.with_columns(last=pl.Series(until)), after])


def filed_homes(rng: Rng, plan: Plan, s: Setting) -> pl.DataFrame:
    """Homes of the other kinds, one after the other, in the months from the border on without an own."""
    person, rent = np.arange(len(plan)), len(s.kinds) - 1
    own = np.flatnonzero((plan.own_2 > SOME) & chance(rng, len(plan), 0.05))
    last = np.where(plan.sold, s.border + plan.own_2 - 1, s.last)[own]
    made = [spells(own, last - 2 - up_to(rng, plan.own_2[own] - 4), last, rent, filed=FILED)]
    first = np.where(plan.sold, s.border + plan.own_2, s.border)
    spare = s.months_2 - plan.own_2 - plan.filed.sum(axis=1)
    first = first + np.where(chance(rng, len(plan), 0.5), spare, up_to(rng, spare))
    for kind in range(1, len(s.kinds)):
        after = first + plan.filed[:, kind - 1]
        made.append(spells(person, first, after - 1, kind, filed=FILED))
        first = after
    return pl.concat(made)


def unfiled_homes(rng: Rng, plan: Plan, s: Setting) -> list[pl.DataFrame]:
    """Rented homes that add nothing: before the border, or never filed, or filed too late."""
    n = len(plan)
    made, rent = [], len(s.kinds) - 1
    for share, kind in ((0.45, rent), (0.2, rent), (0.06, min(1, rent))):
        person = np.flatnonzero((rng.random(n) < share) & (plan.own_1 < plan.counted - 6))
        length = 6 + up_to(rng, np.full(len(person), 40))
        first = s.border - 1 - up_to(rng, np.minimum(plan.counted[person], s.months_1)) - length
        made.append(spells(person, first, np.minimum(first + length, s.border) - 1, kind))
    if s.months_2 and s.kinds[rent]["registered"]:
        person = np.flatnonzero(chance(rng, n, 0.35) & (plan.own_2 < s.months_2))
        first = s.border + up_to(rng, np.full(len(person), s.months_2 - 1))
        last = np.minimum(first + up_to(rng, np.full(len(person), 30)), s.last)
        made.append(spells(person, first, last, rent, filed=NOT_FILED))
    return made


def dated(rng: Rng, ids: pl.Series, homes: pl.DataFrame, s: Setting) -> pl.DataFrame:
    """Spells with days: a home may begin in the middle of the month before its first whole one."""
    person, first, last, kind, side, filed = (column.to_numpy() for column in homes)
    n = len(person)
    start = first_days(s.month(first))
    before = first_days(s.month(first) - 1) + 1 + rng.integers(0, 27, n)
    start = np.where(chance(rng, n, 0.5), start, before)
    is_open = (last >= s.last) & chance(rng, n, 0.9)
    end = np.where(is_open, -1, day_in(rng, s.month(last)))
    rented = (kind == len(s.kinds) - 1) & is_open & chance(rng, n, 0.5)
    end = np.where(rented, s.ref + rng.integers(1, 400, n), end)
    in_time = np.minimum(start + rng.integers(0, 200, n), s.ref)
    in_time = np.where(chance(rng, n, 0.03), s.ref, in_time)
    too_late = s.late - up_to(rng, np.full(n, s.late - s.ref - 1))
    some, few = chance(rng, n, 0.5), chance(rng, n, 0.3)
    registered = np.select(
        [filed == FILED, (filed == NOT_FILED) & few, (filed == EITHER) & some],
        [in_time, too_late, in_time],
        -1,
    )
    shares, inside = ASSUMED["districts"], len(s.districts_inside)
    outside = inside + pick(rng, shares["homes_outside"][: len(s.districts_outside)], n)
    in_the_six = pick(rng, shares["homes_inside"][:inside], n)
    elsewhere = inside + len(s.districts_outside)
    in_the_six = np.where(chance(rng, n, 0.01), elsewhere, in_the_six)
    anywhere = rng.integers(0, elsewhere, n)
    columns = {
        "kind": among([each["kind"] for each in s.kinds], kind),
        "district": among(s.districts, np.choose(side, [in_the_six, outside, anywhere])),
        "start_date": start,
        "end_date": end,
        "registered_on": registered,
    }
    return rows("housing", ids, (person, columns))
