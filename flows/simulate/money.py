"""Tax, company tax and tax violations: sums of three years above, below and at the threshold."""

from typing import Any

import numpy as np
import polars as pl

from flows.simulate.arrays import Ints, Rng, among, chance, days_between, days_of_years, up_to
from flows.simulate.feeds import Feeds, rows
from flows.simulate.plan import Plan
from flows.simulate.setting import Setting
from schemas.columns import CODES
from transforms.indicators.tax import kinds_in


def all_rows(rng: Rng, ids: pl.Series, plan: Plan, s: Setting) -> Feeds:
    """The three feeds of the tax office."""
    return {
        "tax": payments(rng, ids, plan, s),
        "company_tax": company_tax(rng, ids, len(plan), s),
        "tax_violations": counted_events(
            *(rng, ids, plan.violations, s),
            since=s.counts_from("tax", "violation_years", "violations_from"),
            feed="tax_violations",
        ),
    }


def yearly_sums(rng: Rng, plan: Plan, s: Setting) -> Ints:
    """Net tax of each person and year: as many years at the threshold as planned.

    Somebody who is to get nothing may still have years above it, if one year is not above zero.
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
    total = yearly_sums(rng, plan, s).ravel()
    person = np.repeat(np.arange(n), years)
    year = np.tile(np.arange(s.year - years, s.year), n)
    size = len(total)
    refund = np.where(chance(rng, size, 0.12), 1 + (rng.random(size) * 900_000).astype(int), 0)
    refund = np.where(total <= 0, np.maximum(refund, -total), refund)
    paid = total + refund
    second = np.where(chance(rng, size, 0.4), (paid * rng.random(size)).astype(np.int64), 0)

    def piece(
        who: Ints, of: Ints, fen: Ints, *, counts: bool = True
    ) -> tuple[Ints, dict[str, Any]]:
        kind = kinds(rng, of, s, counts=counts)
        day = days_of_years(rng, of)
        return who, {"treasury_date": day, "income_kind": kind, "amount_fen": fen}

    made = []
    for amount in (paid - second, second, -refund):
        some = np.flatnonzero(amount)
        made.append(piece(person[some], year[some], amount[some]))
    stray = np.flatnonzero(chance(rng, n, 0.08))  # of other years, or of kinds that do not count
    fen = rule["fen_at_least"] + up_to(rng, np.full(len(stray), 9_000_000))
    within = s.year - 1 - up_to(rng, np.full(len(stray), years - 1))
    of_other_years = np.where(stray % 2 == 0, within, s.year - years - 1)
    made.append(piece(stray, of_other_years, fen, counts=False))
    few = np.flatnonzero(chance(rng, n, 0.04))  # in the application year
    _, late = piece(few, np.full(len(few), s.year), np.array(rule["fen_at_least"]))
    late["treasury_date"] = days_between(rng, s.ref + 1, s.late, len(few))
    return rows("tax", ids, *made, (few, late))


def kinds(rng: Rng, years: Ints, s: Setting, *, counts: bool) -> pl.Series:
    """A kind of income for each year that counts, the first of them most often; or one that does not."""
    names = CODES["income_kind"]
    chosen = np.zeros(len(years), dtype=np.int64)
    rare = chance(rng, len(years), 0.08)
    for year in np.unique(years):
        known = kinds_in(int(year), s.values["tax"]["income_kinds"])
        among_these = known if counts else [name for name in names if name not in known]
        first, last = names.index(among_these[0]), names.index(among_these[-1])
        chosen = np.where(years == year, np.where(rare, last, first), chosen)
    return among(names, chosen)


def company_tax(rng: Rng, ids: pl.Series, n: int, s: Setting) -> pl.DataFrame:
    """Company tax attributed to a few; it counts in the trial edition only."""
    years = s.values["tax"]["years"]
    who = np.repeat(np.flatnonzero(chance(rng, n, 0.015)), years)
    fen = np.exp(rng.normal(16.3, 1.3, len(who))).astype(np.int64) - 200_000
    year = np.tile(np.arange(s.year - years, s.year), len(who) // years)
    return rows("company_tax", ids, (who, {"year": year, "attributed_fen": fen}))


def counted_events(
    rng: Rng, ids: pl.Series, count: Ints, s: Setting, *, since: int, feed: str
) -> pl.DataFrame:
    """So many events a person from a day to the reference date, and some outside these."""
    n = len(count)
    who = np.repeat(np.arange(n), count)
    before, late = (np.flatnonzero(chance(rng, n, share)) for share in (0.004, 0.001))
    spans = ((who, since, s.ref), (before, since - 366, since - 1), (late, s.ref + 1, s.late))
    days = [(who, days_between(rng, first, last, len(who))) for who, first, last in spans]
    return rows(feed, ids, *((who, {"decided_on": day}) for who, day in days))
