"""Smaller feeds: criminal records, detentions, awards, positions, honours and sanctions."""

import numpy as np
import polars as pl

from flows.simulate import employers
from flows.simulate.arrays import Rng, among, chance, days_between, days_of_years, ends, up_to
from flows.simulate.employers import Jobs, barred_by_employer
from flows.simulate.feeds import Feeds, frame
from flows.simulate.money import counted_events
from flows.simulate.plan import Plan
from flows.simulate.setting import Setting

PROGRAMMES = (
    "北京市科学技术奖",
    "国家科学技术进步奖",
    "中国创翼",
    "创业北京",
    "全国职业技能大赛",
    "北京市职业技能大赛",
)
OTHER_TITLES = ("excellent_employee", "model_worker_district", "advanced_party_member")


def rows(rng: Rng, ids: pl.Series, plan: Plan, jobs: Jobs, s: Setting) -> Feeds:
    """The six feeds."""
    years = s.values["law"]["years"]
    return {
        "criminal_records": criminal_records(rng, ids, plan, s),
        "detentions": counted_events(rng, ids, plan.detentions, s, years=years, feed="detentions"),
        "awards": awards(rng, ids, plan, s),
        "positions": positions(rng, ids, len(plan), s),
        "honours": honours(rng, ids, plan, s),
        "sanctions": sanctions(rng, ids, plan, jobs, s),
    }


def criminal_records(rng: Rng, ids: pl.Series, plan: Plan, s: Setting) -> pl.DataFrame:
    """One or two sentences, of whatever date since coming of age, also after the reference date."""
    person = np.flatnonzero(plan.failing("criminal_record"))
    person = np.repeat(person, 1 + (chance(rng, len(person), 0.1)))
    of_age = days_of_years(rng, plan.birth_year[person] + 19)
    columns = {
        "person_id": ids.gather(person),
        "sentenced_on": days_between(rng, of_age, s.late, len(person)).astype(np.int32),
    }
    return frame("criminal_records", columns).sort("person_id", "sentenced_on", maintain_order=True)


def awards(rng: Rng, ids: pl.Series, plan: Plan, s: Setting) -> pl.DataFrame:
    """The award that earns the planned points, lesser ones, and awards after the reference date."""
    n = len(plan)
    rule = s.values["innovation"]
    allowed = np.array(s.codes["award_points"])
    most = rule["municipal_centipoints_at_most"] // 100
    best = np.flatnonzero((plan.innovation > 0) & ~plan.by_financing)
    points = plan.innovation[best] // 100
    municipal = (points <= most) & chance(rng, len(best), 0.7)
    more = allowed[allowed > most]
    raised = municipal & (points == most) & chance(rng, len(best), 0.3)
    points = np.where(raised, rng.choice(more, len(best)), points)
    lesser = np.flatnonzero((plan.innovation > allowed.min() * 100) & chance(rng, n, 0.4))
    small = 1 + up_to(rng, plan.innovation[lesser] // 100 - 2)
    small = allowed[np.searchsorted(allowed, small, side="right") - 1]
    late = np.flatnonzero(chance(rng, n, 0.003))
    when = [
        days_between(rng, s.first_day(8), s.ref, len(best)),
        days_between(rng, s.first_day(12), s.ref, len(lesser)),
        days_between(rng, s.ref + 1, s.late, len(late)),
    ]
    scope = np.concatenate([municipal.astype(int), up_to(rng, np.ones(len(lesser))), late % 2])
    total = len(scope)
    columns = {
        "person_id": ids.gather(np.concatenate([best, lesser, late])),
        "programme": among(PROGRAMMES, rng.integers(0, len(PROGRAMMES), total)),
        "scope": among(s.codes["award_scope"], scope),
        "awarded_on": np.concatenate(when).astype(np.int32),
        "points": np.concatenate([points, small, rng.choice(allowed, len(late))]),
    }
    return frame("awards", columns).sort(
        "person_id", "awarded_on", "points", "scope", "programme", maintain_order=True
    )


def positions(rng: Rng, ids: pl.Series, n: int, s: Setting) -> pl.DataFrame:
    """Positions of a few; they count in the trial edition only."""
    person = np.flatnonzero(chance(rng, n, 0.03))
    years = rng.integers(0, 6, len(person))
    turn = rng.integers(-2, 3, len(person))
    start = np.where(
        chance(rng, len(person), 0.3),
        s.ref - 365 * years + turn,
        s.ref - rng.integers(30, 2500, len(person)),
    )
    end = np.where(chance(rng, len(person), 0.8), -1, start + rng.integers(20, 2000, len(person)))
    names = s.codes["position_kind"]
    columns = {
        "person_id": ids.gather(person),
        "kind": among(names, rng.integers(0, len(names), len(person))),
        "held_from": start.astype(np.int32),
        "held_to": ends(end),
    }
    return frame("positions", columns)


def honours(rng: Rng, ids: pl.Series, plan: Plan, s: Setting) -> pl.DataFrame:
    """Titles that count; and titles that do not, were revoked in time or came too late."""
    n = len(plan)
    titles = [*s.values["honour"]["titles"], *OTHER_TITLES]
    counting = len(titles) - len(OTHER_TITLES)
    holds = np.flatnonzero(plan.honour)
    other = np.flatnonzero(chance(rng, n, 0.01))
    revoked = np.flatnonzero(chance(rng, n, 0.0015))
    late = np.flatnonzero(chance(rng, n, 0.001))
    awarded = [
        days_between(rng, s.first_day(15), s.ref, len(holds)),
        days_between(rng, s.first_day(15), s.ref, len(other)),
        days_between(rng, s.first_day(15), s.first_day(1), len(revoked)),
        days_between(rng, s.ref + 1, s.late, len(late)),
    ]
    kept_on = np.where(
        chance(rng, len(holds), 0.1),
        s.ref + 1 + up_to(rng, np.full(len(holds), s.late - s.ref - 1)),
        -1,
    )
    never = np.full(len(other), -1)
    taken = days_between(rng, s.first_day(1), s.ref, len(revoked))
    title = [
        rng.integers(0, counting, len(holds)),
        rng.integers(counting, len(titles), len(other)),
        rng.integers(0, counting, len(revoked) + len(late)),
    ]
    columns = {
        "person_id": ids.gather(np.concatenate([holds, other, revoked, late])),
        "title": among(titles, np.concatenate(title)),
        "awarded_on": np.concatenate(awarded).astype(np.int32),
        "revoked_on": ends(np.concatenate([kept_on, never, taken, np.full(len(late), -1)])),
    }
    return frame("honours", columns).sort("person_id", "awarded_on", "title", maintain_order=True)


def sanctions(rng: Rng, ids: pl.Series, plan: Plan, jobs: Jobs, s: Setting) -> pl.DataFrame:
    """Findings that bar an applicant or an employer, at the edge years too, and expired ones."""
    years = s.values["not_barred"]["years_after"]
    barred = np.flatnonzero(plan.failing("not_barred") & ~barred_by_employer(plan))
    over = np.flatnonzero(chance(rng, len(plan), 0.002))
    codes, employer_year = employers.sanctioned(rng, jobs, s)
    year = np.concatenate(
        [
            s.year - rng.integers(0, years + 1, len(barred)),
            np.full(len(over), s.year - years - 1),
            employer_year,
        ]
    )
    found = np.minimum(days_of_years(rng, year), s.late)
    columns = {
        "subject_id": pl.concat([ids.gather(np.concatenate([barred, over])), codes]),
        "found_on": found.astype(np.int32),
    }
    return frame("sanctions", columns).sort("subject_id", "found_on", maintain_order=True)
