"""Smaller feeds: criminal records, detentions, awards, positions, honours and sanctions."""

import numpy as np
import polars as pl

from flows.simulate import employers
from flows.simulate.arrays import Rng, among, chance, days_between, days_of_years, up_to
from flows.simulate.employers import Jobs, barred_by_employer
from flows.simulate.feeds import Feeds, rows
from flows.simulate.money import counted_events
from flows.simulate.names import NAMES
from flows.simulate.plan import Plan
from flows.simulate.setting import Setting
from schemas.columns import CODES


def all_rows(rng: Rng, ids: pl.Series, plan: Plan, jobs: Jobs, s: Setting) -> Feeds:
    """The six feeds."""
    return {
        "criminal_records": criminal_records(rng, ids, plan, s),
        "detentions": counted_events(
            *(rng, ids, plan.detentions, s),
            since=s.counts_from("law", "years", "counts_from"),
            feed="detentions",
        ),
        "awards": awards(rng, ids, plan, s),
        "positions": positions(rng, ids, len(plan), s),
        "honours": honours(rng, ids, plan, s),
        "sanctions": sanctions(rng, ids, plan, jobs, s),
    }


def criminal_records(rng: Rng, ids: pl.Series, plan: Plan, s: Setting) -> pl.DataFrame:
    """One or two sentences, of whatever date since coming of age, also after the reference date."""
    who = np.flatnonzero(plan.failing("criminal_record"))
    who = np.repeat(who, 1 + (chance(rng, len(who), 0.1)))
    of_age = days_of_years(rng, plan.birth_year[who] + 19)
    day = days_between(rng, of_age, s.late, len(who))
    return rows("criminal_records", ids, (who, {"sentenced_on": day}))


def awards(rng: Rng, ids: pl.Series, plan: Plan, s: Setting) -> pl.DataFrame:
    """The award that earns the planned points, lesser ones, and awards after the reference date."""
    n, allowed = len(plan), np.array(CODES["award_points"])
    scopes = CODES["award_scope"]
    most = s.values["innovation"]["municipal_centipoints_at_most"] // 100
    best = np.flatnonzero(plan.award > 0)
    points = plan.award[best]
    municipal = (points <= most) & chance(rng, len(best), 0.7)
    raised = municipal & (points == most) & chance(rng, len(best), 0.3)  # more than it earns
    points = np.where(raised, rng.choice(allowed[allowed >= most], len(best)), points)
    lesser = np.flatnonzero((plan.award > allowed.min()) & chance(rng, n, 0.4))
    small = 1 + up_to(rng, plan.award[lesser] - 2)
    small = allowed[np.searchsorted(allowed, small, side="right") - 1]
    late = np.flatnonzero(chance(rng, n, 0.003))
    pieces = (
        (best, points, municipal.astype(int), (s.first_day(8), s.ref)),
        (lesser, small, up_to(rng, np.ones(len(lesser))), (s.first_day(12), s.ref)),
        (late, rng.choice(allowed, len(late)), late % 2, (s.ref + 1, s.late)),
    )
    programmes = NAMES["programmes"]
    return rows(
        *("awards", ids),
        *(
            (
                who,
                {
                    "programme": among(programmes, rng.integers(0, len(programmes), len(who))),
                    "scope": among(scopes, scope),
                    "awarded_on": days_between(rng, *span, len(who)),
                    "points": worth,
                },
            )
            for who, worth, scope, span in pieces
        ),
    )


def positions(rng: Rng, ids: pl.Series, n: int, s: Setting) -> pl.DataFrame:
    """Positions of a few; they count in the trial edition only."""
    who = np.flatnonzero(chance(rng, n, 0.03))
    size, kinds = len(who), CODES["position_kind"]
    full_years = s.ref - 365 * rng.integers(0, 6, size) + rng.integers(-2, 3, size)
    start = np.where(chance(rng, size, 0.3), full_years, s.ref - rng.integers(30, 2500, size))
    columns = {
        "kind": among(kinds, rng.integers(0, len(kinds), size)),
        "held_from": start,
        "held_to": np.where(chance(rng, size, 0.8), -1, start + rng.integers(20, 2000, size)),
    }
    return rows("positions", ids, (who, columns))


def honours(rng: Rng, ids: pl.Series, plan: Plan, s: Setting) -> pl.DataFrame:
    """Titles that count; and titles that do not, were revoked in time or came too late."""
    n = len(plan)
    holds = np.flatnonzero(plan.honour)
    other, revoked, late = (
        np.flatnonzero(chance(rng, n, share)) for share in (0.01, 0.0015, 0.001)
    )
    after = s.ref + 1 + up_to(rng, np.full(len(holds), s.late - s.ref - 1))
    taken = days_between(rng, s.first_day(1), s.ref, len(revoked))
    counting, before, then = s.values["honour"]["titles"], s.first_day(15), s.first_day(1)
    pieces = (
        (holds, counting, (before, s.ref), np.where(chance(rng, len(holds), 0.1), after, -1)),
        (other, NAMES["other_titles"], (before, s.ref), -1),
        (revoked, counting, (before, then), taken),
        (late, counting, (s.ref + 1, s.late), -1),
    )
    return rows(
        *("honours", ids),
        *(
            (
                who,
                {
                    "title": among(titles, rng.integers(0, len(titles), len(who))),
                    "awarded_on": days_between(rng, *span, len(who)),
                    "revoked_on": until,
                },
            )
            for who, titles, span, until in pieces
        ),
    )


def sanctions(rng: Rng, ids: pl.Series, plan: Plan, jobs: Jobs, s: Setting) -> pl.DataFrame:
    """Findings that bar an applicant or an employer, at the edge years too, and expired ones."""
    years = s.values["not_barred"]["years_after"]
    barred = np.flatnonzero(plan.failing("not_barred") & ~barred_by_employer(plan))
    over = np.flatnonzero(chance(rng, len(plan), 0.002))
    firms, year_of_firm = employers.sanctioned(rng, jobs, s)
    pieces = (
        (barred, s.year - rng.integers(0, years + 1, len(barred))),
        (over, np.full(len(over), s.year - years - 1)),
        (len(ids) + firms, year_of_firm),
    )
    subjects = pl.concat([ids, jobs.codes])
    return rows(
        *("sanctions", subjects),
        *(
            (who, {"found_on": np.minimum(days_of_years(rng, year), s.late)})
            for who, year in pieces
        ),
    )
