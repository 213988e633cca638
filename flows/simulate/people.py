"""People: ID numbers, birth dates and retirement classes, and the applications they file."""

import numpy as np
import polars as pl

from flows.simulate.arrays import (
    Bools,
    Ints,
    Rng,
    among,
    chance,
    day_of,
    days_between,
    days_of,
    days_of_years,
    pick,
    up_to,
)
from flows.simulate.feeds import frame, rows
from flows.simulate.names import person_names
from flows.simulate.plan import Plan
from flows.simulate.setting import ASSUMED, Setting
from schemas.columns import CODES
from schemas.identifiers import id_check_character

NOWHERE = 99  # prefecture 99 is assigned to none, so no number can be a real person's
DIGITS = 8  # of an application number, after the year
KEYS = 100 * 500  # county digits and order numbers of one sex: distinct people born on one day


def make_people(rng: Rng, plan: Plan, part: int, parts: int, s: Setting) -> pl.DataFrame:
    """ID numbers, days of birth in the planned years, classes that pass or fail retirement age."""
    birth = days_of_years(rng, plan.birth_year)
    female = chance(rng, len(plan), 0.46)
    classes = CODES["retirement_class"]
    drawn = rng.random((len(plan), len(classes)))
    # classes of the other sex are hardly ever filed: the class decides, not the sex
    of_women = np.array([name.startswith("female") for name in classes])
    usual = (of_women == female[:, None]) | chance(rng, len(plan), 0.002)[:, None]
    order = np.argsort(np.where(usual, drawn, drawn + 2), axis=1)
    fits = s.retired(birth) == plan.failing("retirement_age")[:, None]
    ranked = np.take_along_axis(fits, order, axis=1)
    chosen = np.take_along_axis(order, ranked.argmax(axis=1)[:, None], axis=1)[:, 0]
    if not ranked.any(axis=1).all():
        raise ValueError("a planned birth year fits no retirement class")
    return pl.DataFrame(
        {
            "person_id": id_numbers(rng, birth, female, part, parts),
            "birth_date": birth,
            "sex": among(["M", "F"], female.astype(int)),
            "retirement_class": among(classes, chosen),
        }
    )


def id_numbers(rng: Rng, birth: Ints, female: Ints, part: int, parts: int) -> pl.Series:
    """Distinct numbers: every part, and the strangers' one after the last, has its own keys."""
    n = len(birth)
    provinces = ASSUMED["provinces"]
    province = np.array([*map(int, provinces)])[pick(rng, [*provinces.values()], n)]
    step = parts + 1
    key = part + step * rng.integers(0, KEYS // step, n)
    while True:
        number = ((birth * 100 + province) * 2 + female) * KEYS + key
        again = np.setdiff1d(np.arange(n), np.unique(number, return_index=True)[1])
        if not len(again):
            break
        key[again] = part + step * rng.integers(0, KEYS // step, len(again))
    made = pl.DataFrame(
        {
            "region": province * 10_000 + NOWHERE * 100 + key // 500,
            "birth": days_of(birth),
            "order": 2 * (key % 500) + ~female.astype(bool),
        }
    )
    first_17 = pl.concat_str(
        pl.col("region").cast(pl.String),
        pl.col("birth").dt.strftime("%Y%m%d"),
        pl.col("order").cast(pl.String).str.zfill(3),
    )
    return made.select(id=pl.concat_str(first_17, id_check_character(first_17)))["id"]


def applications(
    rng: Rng,
    people: pl.DataFrame,
    numbers: Ints,
    s: Setting,
    *,
    employers: pl.Series,
    claims: Bools,
) -> pl.DataFrame:
    """The feed: one application a person, filed in office hours of the filing days."""
    n = len(numbers)
    opens, closes = s.filing
    day = opens + np.minimum(rng.random(n), rng.random(n)) * (closes + 1 - opens)
    second = 8 * 3600 + rng.integers(0, 12 * 3600, n)
    columns = {
        "application_no": pl.Series(numbers).cast(pl.String).str.zfill(DIGITS),
        **people.to_dict(),
        "name": person_names(rng, n),
        "employer_id": employers,
        "claims_education": claims,
        "submitted_at": (day.astype(np.int64) * 86_400 + second) * 1_000_000,
    }
    made = frame("applications", columns)
    return made.with_columns(application_no=pl.lit(str(s.year)) + pl.col("application_no"))


def permits(rng: Rng, ids: pl.Series, plan: Plan, s: Setting) -> pl.DataFrame:
    """Residence permits: one valid on the permit date, older ones; or none that is."""
    n = len(plan)
    day = day_of(s.round.permit_date)
    failing = plan.failing("residence_permit")
    start = np.where(chance(rng, n, 0.01), day, days_between(rng, day - 1200, day, n))
    end = np.where(chance(rng, n, 0.01), day, days_between(rng, day, day + 1200, n))
    end = np.where(chance(rng, n, 0.2), -1, end)
    expired = failing & chance(rng, n, 0.5)
    begun = failing & ~expired & chance(rng, n, 0.6) & (day < s.late)
    end = np.where(expired, day - 1 - up_to(rng, np.full(n, 5)) ** 4, end)
    start = np.where(expired, end - 365 - up_to(rng, np.full(n, 365)), start)
    latest = min(s.late, day + 120)
    start = np.where(begun, days_between(rng, day + 1, max(latest, day + 1), n), start)
    end = np.where(begun, -1, end)
    current = np.flatnonzero(~failing | expired | begun)
    older = np.flatnonzero(chance(rng, n, 0.35))
    older_end = np.minimum(start[older] - 1 - up_to(rng, np.full(len(older), 60)), day - 1)
    return rows(
        *("residence_permits", ids),
        (current, {"valid_from": start[current], "valid_to": end[current]}),
        (older, {"valid_from": older_end - 364, "valid_to": older_end}),
    )
