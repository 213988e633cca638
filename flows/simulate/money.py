"""Tax, company tax and tax violations: sums of three years above, below and at the threshold."""

import numpy as np
import polars as pl

from flows.simulate.arrays import Ints, Rng, among, chance, days_between, days_of_years, up_to
from flows.simulate.feeds import Feeds, frame
from flows.simulate.plan import Plan
from flows.simulate.setting import Setting


def rows(rng: Rng, ids: pl.Series, plan: Plan, s: Setting) -> Feeds:
    """The three feeds of the tax office."""
    return {
        "tax": payments(rng, ids, plan, s),
        "company_tax": company_tax(rng, ids, len(plan), s),
        "tax_violations": violations(rng, ids, plan, s),
    }


def yearly_sums(rng: Rng, plan: Plan, s: Setting) -> Ints:
    """Net tax of each person and year: as many years at the threshold as planned.

    Who is to get nothing may still have years above it, if one year is not above zero.
    """
    rule = s.values["tax"]
    n, years = len(plan), rule["years"]
    at_least = rule["fen_at_least"]
    below = np.exp(rng.normal(13.2, 1.6, (n, years))).astype(np.int64) + 1
    below = np.minimum(below, at_least - 1)
    below = np.where(chance(rng, (n, years), 0.004), at_least - 1, below)
    below = np.where(chance(rng, (n, years), 0.005), 1, below)
    above = at_least + np.exp(rng.normal(14.8, 1.3, (n, years))).astype(np.int64)
    above = np.where(chance(rng, (n, years), 0.04), at_least, above)
    rank = rng.random((n, years)).argsort(axis=1)
    sums = np.where(rank < plan.tax_years[:, None], above, below)
    spoilt = np.flatnonzero((plan.tax_years == 0) & chance(rng, n, 0.12))
    rich = chance(rng, (len(spoilt), 1), 0.15)
    sums[spoilt] = np.where(rich, above[spoilt], below[spoilt])
    sums[spoilt, rng.integers(0, years, len(spoilt))] = -(up_to(rng, np.full(len(spoilt), 3)) ** 8)
    return sums


def payments(rng: Rng, ids: pl.Series, plan: Plan, s: Setting) -> pl.DataFrame:
    """One to three payments a year, some refunded in part, and payments that do not count."""
    rule = s.values["tax"]
    n, years = len(plan), rule["years"]
    sums = yearly_sums(rng, plan, s)
    person = np.repeat(np.arange(n), years)
    year = np.tile(np.arange(s.year - years, s.year), n)
    total = sums.ravel()
    refund = np.where(
        chance(rng, len(total), 0.12), 1 + (rng.random(len(total)) * 900_000).astype(int), 0
    )
    refund = np.where(total <= 0, np.maximum(refund, -total), refund)
    paid = total + refund
    second = np.where(
        chance(rng, len(total), 0.4), (paid * rng.random(len(total))).astype(np.int64), 0
    )
    amounts = [paid - second, second, -refund]
    kept = [np.flatnonzero(amount) for amount in amounts]
    rows_of = np.concatenate(kept)
    stray = np.flatnonzero(chance(rng, n, 0.08))  # of other years, or of kinds that do not count
    fen = rule["fen_at_least"] + up_to(rng, np.full(len(stray), 9_000_000))
    other = stray % 2 == 0
    stray_year = np.where(
        other, s.year - 1 - up_to(rng, np.full(len(stray), years - 1)), s.year - years - 1
    )
    late = np.flatnonzero(chance(rng, n, 0.04))
    columns = {
        "person_id": ids.gather(np.concatenate([person[rows_of], stray, late])),
        "treasury_date": np.concatenate(
            [
                days_of_years(rng, np.concatenate([year[rows_of], stray_year])),
                days_between(rng, s.ref + 1, s.late, len(late)),
            ]
        ).astype(np.int32),
        "income_kind": pl.concat(
            [
                kinds(rng, year[rows_of], s),
                not_counting(stray_year, s),
                kinds(rng, np.full(len(late), s.year), s),
            ]
        ),
        "amount_fen": np.concatenate(
            [
                *(amount[rows] for amount, rows in zip(amounts, kept, strict=True)),
                fen,
                np.full(len(late), rule["fen_at_least"]),
            ]
        ),
    }
    return frame("tax", columns).sort(
        "person_id", "treasury_date", "amount_fen", "income_kind", maintain_order=True
    )


def counting(year: int, s: Setting) -> list[str]:
    """The kinds of income that count in a year."""
    regimes = [r for r in s.values["tax"]["income_kinds"] if r["from_year"] <= year]
    return list(regimes[-1]["kinds"])


def kinds(rng: Rng, years: Ints, s: Setting) -> pl.Series:
    """A kind of income that counts in each year; the first of them most often."""
    names = s.codes["income_kind"]
    table = {int(y): [names.index(k) for k in counting(int(y), s)] for y in np.unique(years)}
    width = max((len(row) for row in table.values()), default=1)
    first = np.array([table[y][0] for y in table] or [0])
    rest = np.array([table[y][-1] for y in table] or [0])
    at = np.searchsorted(np.array(list(table) or [0]), years)
    chosen = np.where(chance(rng, len(years), 0.92) | (width == 1), first[at], rest[at])
    return among(names, chosen)


def not_counting(years: Ints, s: Setting) -> pl.Series:
    """A kind of income that does not count in each year."""
    names = s.codes["income_kind"]
    table = {
        int(y): next(i for i, k in enumerate(names) if k not in counting(int(y), s))
        for y in np.unique(years)
    }
    return among(names, np.array([table[int(y)] for y in years], dtype=np.int64))


def company_tax(rng: Rng, ids: pl.Series, n: int, s: Setting) -> pl.DataFrame:
    """Company tax attributed to a few; it counts in the trial edition only."""
    years = s.values["tax"]["years"]
    person = np.repeat(np.flatnonzero(chance(rng, n, 0.015)), years)
    columns = {
        "person_id": ids.gather(person),
        "year": np.tile(np.arange(s.year - years, s.year), len(person) // years),
        "attributed_fen": np.exp(rng.normal(16.3, 1.3, len(person))).astype(np.int64) - 200_000,
    }
    return frame("company_tax", columns)


def violations(rng: Rng, ids: pl.Series, plan: Plan, s: Setting) -> pl.DataFrame:
    """Violations as planned; a few just before the years that count, or after them."""
    years = s.values["tax"]["violation_years"]
    return counted_events(rng, ids, plan.violations, s, years=years, feed="tax_violations")


def counted_events(
    rng: Rng, ids: pl.Series, count: Ints, s: Setting, *, years: int, feed: str
) -> pl.DataFrame:
    """So many events a person within the last `years`, and some outside them."""
    n = len(count)
    person = np.repeat(np.arange(n), count)
    before = np.flatnonzero(chance(rng, n, 0.004))
    late = np.flatnonzero(chance(rng, n, 0.001))
    days = np.concatenate(
        [
            days_between(rng, s.first_day(years), s.ref, len(person)),
            days_between(rng, s.first_day(years + 1), s.first_day(years) - 1, len(before)),
            days_between(rng, s.ref + 1, s.late, len(late)),
        ]
    )
    made = {
        "person_id": ids.gather(np.concatenate([person, before, late])),
        "decided_on": days.astype(np.int32),
    }
    return frame(feed, made).sort("person_id", "decided_on")
