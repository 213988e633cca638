"""The model simulated applicants are drawn from.

The shares below are assumptions, set so that the 6,000 best of a simulated 2020 resemble the
published list; they are no policy.  Careers grow with the round: a later year's applicants have
been insured for longer, as the published lines show.
"""

import numpy as np

from flows.simulate.arrays import Bools, Ints, Rng, chance, pick, up_to
from flows.simulate.people import retires
from flows.simulate.plan import FAILS, Plan, joined, points_of
from flows.simulate.setting import Setting
from schemas.results import CONDITIONS

BASE_MONTHS = 258  # months that could be counted in 2020
MEAN_COUNTED, SPREAD_COUNTED, GROWTH = 153, 40, 0.9  # counted months then, and more a month later
LONG_CAREERS = 0.03  # anywhere up to all the months there are
# Above the knee ever fewer people are left, as the best have settled in earlier rounds.
KNEE, KNEE_SCALE, KNEE_GROWTH = 9_800, 375, 33  # centipoints, and more a month later
INELIGIBLE = 0.38
# Of those who fail anything, which condition it is; one in ten fails a second one.
FAIL_SHARES = (14, 5, 55, 4, 18, 4)
EDUCATION_SHARES = (9, 40, 38, 13.3, 0.7)  # none, then from the fewest points to the most
STUDIED, STUDIED_THROUGHOUT = 0.25, 0.60
OWNS, OWN_SHAPE = 0.97, (2.7, 1.0)  # share of the counted months in an own home: a beta
AWAY, AWAY_JOB = 0.76, (0.23, 0.12)  # of owners; of those all the time, part of it
INNOVATION_SHARES = (9880, 4, 4, 4, 16, 14, 18, 4, 10, 2, 2, 60)
TAX_SHARES = (83, 5, 5, 7)


def draw(rng: Rng, n: int, s: Setting) -> Plan:
    """So many applicants: those whom an earlier round would have settled have left."""
    kept = draw_all(rng, 0, s)
    while len(kept) < n:
        plan = draw_all(rng, n - len(kept) + 100, s)
        knee = KNEE + KNEE_GROWTH * (s.last + 1 - s.first - BASE_MONTHS)
        above = np.maximum(0, points_of(plan, s)["total"] - knee)
        stays = (rng.random(len(plan)) < np.exp(-above / KNEE_SCALE)) | (plan.fails > 0)
        kept = joined(kept, plan.take(np.flatnonzero(stays)))
    return kept.take(slice(0, n))


def draw_all(rng: Rng, n: int, s: Setting) -> Plan:
    """People of whatever points."""
    fails = draw_fails(rng, n)
    counted, uncounted_1, uncounted_2 = draw_counted(rng, n, s)
    birth_year = draw_births(rng, counted, fails, s)
    credential, study = draw_education(rng, n, s)
    study = np.where(uncounted_1 > 0, 0, study)  # the study period must be unbroken
    innovation, by_financing = draw_innovation(rng, n, s)
    homes = draw_homes(rng, counted, s)
    return Plan(
        counted=counted,
        uncounted_1=uncounted_1,
        uncounted_2=uncounted_2,
        credential=credential,
        study=study,
        innovation=innovation,
        by_financing=by_financing,
        tax_years=np.minimum(pick(rng, TAX_SHARES, n), s.values["tax"]["years"]),
        violations=pick(rng, (997, 2.6, 0.4), n),
        birth_year=birth_year,
        honour=chance(rng, n, 0.0012),
        detentions=pick(rng, (997, 2.7, 0.3), n),
        fails=fails,
        row=np.zeros(n, dtype=np.int64),
        **homes,
    )


def draw_fails(rng: Rng, n: int) -> Ints:
    """Which conditions each applicant is to fail, as bits."""
    bits = np.array([FAILS[name] for name in CONDITIONS])
    one = bits[pick(rng, FAIL_SHARES, n)]
    two = np.where(chance(rng, n, 0.1), bits[pick(rng, FAIL_SHARES, n)], 0)
    return np.where(chance(rng, n, INELIGIBLE), one | two, 0)


def draw_counted(rng: Rng, n: int, s: Setting) -> tuple[Ints, Ints, Ints]:
    """Counted months, and the months of the seven years that do not count."""
    possible, window = s.last + 1 - s.first, s.values["social_insurance"]["months"]
    mean = MEAN_COUNTED + GROWTH * (possible - BASE_MONTHS)
    counted = np.round(rng.normal(mean, SPREAD_COUNTED, n)).astype(np.int64)
    long = np.flatnonzero(chance(rng, n, LONG_CAREERS))
    counted[long] = possible + 15 - up_to(rng, np.full(len(long), possible - 2 * window))
    missed = np.where(chance(rng, n, 0.12), 1 + pick(rng, (40, 20, 15, 10, 20, 2, 1, 1), n), 0)
    in_2 = np.where(rng.random(n) < s.months_2 / window, np.minimum(missed, s.months_2), 0)
    low = counted < window  # drawn again above the least: short careers fail elsewhere
    counted = np.where(low, window + up_to(rng, np.full(n, 40)), counted)
    counted = np.clip(counted, window - missed, possible - missed)
    return counted, missed - in_2, in_2


def draw_births(rng: Rng, counted: Ints, fails: Ints, s: Setting) -> Ints:
    """Years of birth: careers begin in the twenties, mostly; retirement age passed or not."""
    n = len(counted)
    began = s.year - 1 - counted // 12
    late = np.where(chance(rng, n, 0.1), 2.5, 1.0)  # some came to the city later in life
    year = began - 18 - np.round(late * rng.gamma(3.0, 2.0, n)).astype(np.int64)
    oldest = min(retires(np.array([0]), name, s)[0] for name in s.codes["retirement_class"]) // 12
    years = s.values["retirement_age"]["years"]
    youngest_passing = s.year - 1 - max(years.values()) + 1
    year = np.clip(year, youngest_passing, s.year - 24)
    over = np.flatnonzero(fails & FAILS["retirement_age"])
    delay = max((row["months_at_most"] for row in s.values["retirement_age"]["delays"]), default=0)
    latest = s.year - 1 - oldest - delay // 12
    year[over] = latest - np.round(rng.gamma(1.0, 2.5, len(over))).astype(np.int64)
    return np.asarray(year)


def draw_education(rng: Rng, n: int, s: Setting) -> tuple[Ints, Ints]:
    """A credential of the drawn points, and the counted months of its study period."""
    table = s.values["education"]["credentials"]
    given = [row["centipoints"] for row in table]
    within = np.array(credential_weights(s))
    of_points = dict(zip([0, *sorted(set(given))], EDUCATION_SHARES, strict=False))
    shares = [
        of_points.get(value, 1.0) * within[place] / within[[g == value for g in given]].sum()
        for place, value in enumerate(given)
    ]
    credential = pick(rng, [of_points[0], *shares], n) - 1
    window = np.array([*(row["window_months"] for row in table), 0])[credential]
    part = 1 + (rng.random(n) ** 1.7 * (window - 1)).astype(np.int64)
    through = np.where(chance(rng, n, STUDIED_THROUGHOUT), window, part)
    study = np.where(chance(rng, n, STUDIED), through, 0)
    return credential, np.where(credential < 0, 0, study)


def credential_weights(s: Setting) -> list[float]:
    """How often each credential occurs among those of equal points: diploma and degree mostly."""
    table = s.values["education"]["credentials"]
    whole = [
        r["has_diploma"] and r["has_degree"] != (r["level"] == "junior_college") for r in table
    ]
    return [12.0 if is_whole else 1.0 for is_whole in whole]


def draw_innovation(rng: Rng, n: int, s: Setting) -> tuple[Ints, Bools]:
    """Centipoints, by an award or, where a tier gives as much, by a shareholding."""
    rule = s.values["innovation"]
    points = np.array([0, *s.codes["award_points"]])
    drawn = np.minimum(
        points[pick(rng, INNOVATION_SHARES[: len(points)], n)] * 100, rule["centipoints_at_most"]
    )
    return drawn, by_financing(rng, drawn, s)


def by_financing(rng: Rng, centipoints: Ints, s: Setting) -> Bools:
    """Who earned them by a shareholding: some of those a tier gives as much."""
    tiers = [tier["centipoints"] for tier in s.values["innovation"]["financing_tiers"]]
    return np.isin(centipoints, tiers) & chance(rng, len(centipoints), 0.6)


def draw_homes(rng: Rng, counted: Ints, s: Setting) -> dict[str, Ints]:
    """Own months up to the counted ones, those away among them, and homes filed otherwise."""
    n = len(counted)
    owns = chance(rng, n, OWNS)
    own = np.where(owns, np.round(counted * rng.beta(*OWN_SHAPE, n)).astype(np.int64), 0)
    sold = owns & chance(rng, n, 0.05)
    own_2 = np.minimum(own, s.months_2)
    own_2 = np.where(sold & (own_2 == s.months_2), up_to(rng, own_2 - 1), own_2)
    own_1 = np.minimum(own - own_2, s.months_1)
    reach = np.minimum(own_1, s.away_months_1) + own_2
    away = np.where(chance(rng, n, 0.92), reach, up_to(rng, reach))
    away = np.where(owns & ~sold & chance(rng, n, AWAY), away, 0)
    away_job = np.select(
        [chance(rng, n, AWAY_JOB[0]), chance(rng, n, AWAY_JOB[1])], [away, up_to(rng, away)], 0
    )
    left = s.months_2 - own_2
    filed = np.select([chance(rng, n, 0.55), chance(rng, n, 0.5)], [left, up_to(rng, left)], 0)
    dormitory = np.where(chance(rng, n, 0.06), up_to(rng, filed), 0)
    return {
        "own_1": own_1,
        "own_2": own_2,
        "dormitory_2": dormitory,
        "rent_2": filed - dormitory,
        "away": away,
        "away_job": away_job,
        "sold": sold,
    }
