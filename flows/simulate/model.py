"""The model simulated applicants are drawn from.

Its shares are assumptions (`data/simulation.toml`), no policy.  Careers grow with the round: a later
year's applicants have been insured for longer, as the published lines show.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from flows.simulate.arrays import Ints, Rng, chance, pick, up_to
from flows.simulate.plan import FAILS, NONE, Plan, joined, of_credential, people, points_of
from flows.simulate.setting import ASSUMED, Setting
from schemas.columns import CODES

MODEL: dict[str, Any] = ASSUMED["model"]
DRAWS = 40  # of people below a line, before it is one that nobody eligible is below


def draw(rng: Rng, n: int, s: Setting) -> Plan:
    """So many applicants: those whom an earlier round would have settled have left."""
    kept = people(0, s)
    knee = MODEL["knee"]
    while len(kept) < n:
        plan = draw_all(rng, n - len(kept) + 100, s)
        at = knee["at"] + knee["growth"] * (s.last + 1 - s.first - MODEL["base_months"])
        above = np.maximum(0, points_of(plan, s)["total"] - at)
        stays = (rng.random(len(plan)) < np.exp(-above / knee["scale"])) | (plan.fails > 0)
        kept = joined(kept, plan.take(np.flatnonzero(stays)))
    return kept.take(slice(0, n))


def below(rng: Rng, n: int, line: int, s: Setting) -> Plan:
    """So many applicants: whoever is eligible stays strictly below a published line."""
    kept = people(0, s)
    for _ in range(DRAWS):
        if len(kept) >= n:
            return kept.take(slice(0, n))
        plan = draw(rng, n - len(kept), s)
        stays = (points_of(plan, s)["total"] < line) | (plan.fails > 0)
        kept = joined(kept, plan.take(np.flatnonzero(stays)))
    plan = draw(rng, n - len(kept), s)
    return joined(kept, replace(plan, fails=plan.fails | FAILS["criminal_record"]))


def draw_all(rng: Rng, n: int, s: Setting) -> Plan:
    """People of whatever points."""
    fails = draw_fails(rng, n, s)
    counted, uncounted_1, uncounted_2 = draw_counted(rng, n, s)
    credential = draw_credential(rng, n, s)
    award, tier = draw_innovation(rng, n, s)
    return people(
        n,
        s,
        counted=counted,
        uncounted_1=uncounted_1,
        uncounted_2=uncounted_2,
        birth_year=draw_births(rng, counted, fails, s),
        credential=credential,
        # the study period must be unbroken
        study=np.where(uncounted_1 > 0, 0, draw_study(rng, credential, s)),
        award=award,
        tier=tier,
        tax_years=np.minimum(pick(rng, MODEL["tax_years"], n), s.values["tax"]["years"]),
        violations=pick(rng, MODEL["violations"], n),
        honour=chance(rng, n, MODEL["honour"]),
        detentions=pick(rng, MODEL["detentions"], n),
        fails=fails,
        **draw_homes(rng, counted, s),
    )


def draw_fails(rng: Rng, n: int, s: Setting) -> Ints:
    """Which conditions of the edition each applicant is to fail, as bits."""
    shares = {name: each for name, each in ASSUMED["fails"].items() if name in s.edition.conditions}
    bits = np.array([FAILS[name] for name in shares])
    one = bits[pick(rng, [*shares.values()], n)]
    two = np.where(chance(rng, n, 0.1), bits[pick(rng, [*shares.values()], n)], 0)
    return np.where(chance(rng, n, MODEL["ineligible"]), one | two, 0)


def draw_counted(rng: Rng, n: int, s: Setting) -> tuple[Ints, Ints, Ints]:
    """Counted months, and the months of the seven years that do not count."""
    possible, window = s.last + 1 - s.first, s.values["social_insurance"]["months"]
    shape = MODEL["counted"]
    mean = shape["mean"] + shape["growth"] * (possible - MODEL["base_months"])
    counted = np.round(rng.normal(mean, shape["spread"], n)).astype(np.int64)
    long = np.flatnonzero(chance(rng, n, MODEL["long_careers"]))
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
    retired, passing = s.birth_years
    year = np.clip(year, passing, s.year - 24)
    over = np.flatnonzero(fails & FAILS["retirement_age"])
    year[over] = retired - np.round(rng.gamma(1.0, 2.5, len(over))).astype(np.int64)
    return np.asarray(year)


def draw_credential(rng: Rng, n: int, s: Setting) -> Ints:
    """A credential of the drawn points; of those with equal points the usual one mostly."""
    given = np.array([row["centipoints"] for row in s.values["education"]["credentials"]])
    none, *shares = MODEL["education"]
    of_points = dict(zip(np.unique(given).tolist(), shares, strict=False))
    weight = weight_of_credentials(s)[:NONE]
    within = [weight[place] / weight[given == value].sum() for place, value in enumerate(given)]
    each = [of_points.get(value, 1.0) * w for value, w in zip(given.tolist(), within, strict=True)]
    return pick(rng, [none, *each], n) - 1


def draw_study(rng: Rng, credential: Ints, s: Setting) -> Ints:
    """The counted months of the study period."""
    n = len(credential)
    window = of_credential("window_months", people(n, s, credential=credential), s)
    part = 1 + (rng.random(n) ** 1.7 * (window - 1)).astype(np.int64)
    through = np.where(chance(rng, n, MODEL["studied_throughout"]), window, part)
    return np.where(chance(rng, n, MODEL["studied"]) & (credential != NONE), through, 0)


def weight_of_credentials(s: Setting) -> Ints:
    """How often each credential occurs among those of equal points: diploma and degree mostly."""
    usual = [
        row["has_diploma"] and row["has_degree"] != (row["level"] == "junior_college")
        for row in s.values["education"]["credentials"]
    ]
    return np.where([*usual, False], 12.0, 1.0)  # the last is nobody's


def credentials_and_study(s: Setting) -> tuple[Ints, Ints]:
    """Every credential, and none, with every number of months its period of study may have."""
    windows = [row["window_months"] for row in s.values["education"]["credentials"]]
    both = [(place, study) for place, window in enumerate(windows) for study in range(window + 1)]
    credential, study = np.array([(NONE, 0), *both]).T
    return credential, study


def awards_and_tiers(s: Setting) -> tuple[Ints, Ints]:
    """Nothing, every award, and every tier of financing that the edition has."""
    awards, tiers = CODES["award_points"], range(len(s.values["innovation"]["financing_tiers"]))
    award = np.array([0, *awards, *(0 for _ in tiers)])
    return award, np.array([NONE, *(NONE for _ in awards), *tiers])


def draw_innovation(rng: Rng, n: int, s: Setting) -> tuple[Ints, Ints]:
    """An award or, where a tier gives as much, financing in place of some."""
    award, tier = awards_and_tiers(s)
    worth = points_of(people(len(award), s, award=award, tier=tier), s, "innovation")["innovation"]
    awards = np.flatnonzero(tier == NONE)
    drawn = awards[pick(rng, MODEL["awards"][: len(awards)], n)]
    as_much = np.array(
        [next(iter(np.flatnonzero((tier != NONE) & (worth == each))), NONE) for each in worth]
    )
    financed = (drawn > 0) & (as_much[drawn] != NONE) & chance(rng, n, MODEL["by_financing"])
    place = np.where(financed, as_much[drawn], drawn)
    return award[place], tier[place]


def draw_homes(rng: Rng, counted: Ints, s: Setting) -> dict[str, Ints]:
    """Own months up to the counted ones, those away among them, and homes filed otherwise."""
    n = len(counted)
    owns = chance(rng, n, MODEL["owns"])
    one, two = MODEL["own_shape"]
    share = rng.beta(one, two, n)
    own = np.where(owns, np.round(counted * share).astype(np.int64), 0)
    sold = owns & chance(rng, n, 0.05)
    own_2 = np.minimum(own, s.months_2)
    own_2 = np.where(sold & (own_2 == s.months_2), up_to(rng, own_2 - 1), own_2)
    own_1 = np.minimum(own - own_2, s.months_1)
    reach = np.minimum(own_1, s.away_months_1) + own_2
    away = np.where(chance(rng, n, 0.92), reach, up_to(rng, reach))
    away = np.where(owns & ~sold & chance(rng, n, MODEL["away"]), away, 0)
    always, partly = (chance(rng, n, each) for each in MODEL["away_job"])
    away_job = np.select([always, partly], [away, up_to(rng, away)], 0)
    left = s.months_2 - own_2
    some = np.select([chance(rng, n, 0.55), chance(rng, n, 0.5)], [left, up_to(rng, left)], 0)
    filed = np.zeros((n, len(s.kinds) - 1), dtype=np.int64)
    for place in range(filed.shape[1] - 1):  # of all kinds but the last a few months each
        filed[:, place] = np.where(chance(rng, n, 0.06), up_to(rng, some - filed.sum(axis=1)), 0)
    if filed.shape[1]:
        filed[:, -1] = some - filed.sum(axis=1)
    return {
        "own_1": own_1,
        "own_2": own_2,
        "filed": filed,
        "away": away,
        "away_job": away_job,
        "sold": sold,
    }
