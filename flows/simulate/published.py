"""Published points turned back into plans: counts from which exactly those points follow.

Every indicator is solved on its own, save residence and job_housing, which share the months of
the own home: of all the ways to divide the months that give the published residence, one is taken
that leaves room for the months away.  A value that no record can give raises ValueError with the
row and the indicator.
"""

import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl

from flows.common.shapes import shape
from flows.simulate.arrays import Ints, Rng, chance, up_to
from flows.simulate.model import by_financing, credential_weights
from flows.simulate.months import divide, months_away, pairs
from flows.simulate.plan import Plan, age, job_housing
from flows.simulate.setting import Setting, half_up
from schemas.results import INDICATORS

COLUMNS = (*INDICATORS, "total")
POINTS = re.compile(r"-?[0-9]{1,7}(\.[0-9]{1,2}0*)?")  # as DECIMAL(9,2) holds them


def read_points(path: Path) -> dict[str, Ints]:
    """Centipoints by column, one entry a settled person; rows are numbered from 1."""
    try:
        frame = pl.read_csv(path.read_bytes(), infer_schema=False)
    except OSError as error:
        raise ValueError(f"expected a CSV file, found none to read: {error.strerror}") from None
    except pl.exceptions.PolarsError as error:  # its words may quote the whole file
        raise ValueError(f"expected CSV in UTF-8, found another ({type(error).__name__})") from None
    if sorted(frame.columns) != sorted(COLUMNS):
        missing = [name for name in COLUMNS if name not in frame.columns]
        others = len(set(frame.columns) - set(COLUMNS))
        raise ValueError(
            f"expected the columns {', '.join(COLUMNS)}; found {len(missing)} of them missing"
            f" ({', '.join(missing) or 'none'}) and {others} others"
        )
    points = {
        name: np.array(
            [centipoints(name, row, text) for row, text in enumerate(frame[name], 1)],
            dtype=np.int64,
        )
        for name in COLUMNS
    }
    total = sum(points[name] for name in INDICATORS)
    refuse(points["total"] != total, "total", "is not the sum of the ten indicators")
    return points


def centipoints(name: str, row: int, text: str | None) -> int:
    """A decimal number of points as a whole number of centipoints."""
    if not POINTS.fullmatch(text or ""):
        found = shape(text or "") or "nothing"
        raise ValueError(
            f"row {row}: {name}: expected points with at most two decimals, found {found}"
        )
    return int(Decimal(text or "") * 100)


def refuse(wrong: Ints, name: str, why: str) -> None:
    """Raise for the first row that is wrong."""
    rows = np.flatnonzero(wrong)
    if len(rows):
        raise ValueError(f"row {rows[0] + 1}: {name} {why}")


def solve(rng: Rng, points: dict[str, Ints], s: Setting) -> Plan:
    """A plan for every row, all of them eligible."""
    n = len(points["total"])
    counted = solve_counted(points["employment"], s)
    credential, study = solve_education(rng, points, s)
    possible = job_housing(*pairs(s), s)
    refuse(~np.isin(points["job_housing"], possible), "job_housing", "follows from no months away")
    homes = divide(rng, counted, study, points, s)
    refuse(homes["own_1"] < 0, "residence", "follows from no months of homes (with job_housing)")
    away, away_job = months_away(rng, points["job_housing"], homes["own_1"], homes["own_2"], s)
    refuse(away < 0, "job_housing", "is more than the months of the own home allow")
    tax_years, violations = solve_tax(points["tax"], s)
    innovation = solve_innovation(points["innovation"], s)
    honour, law = s.values["honour"]["centipoints"], s.values["law"]["centipoints_per_detention"]
    refuse(~np.isin(points["honour"], [0, honour]), "honour", f"is neither 0 nor {honour / 100:g}")
    detentions = points["law"] // law
    refuse((points["law"] % law != 0) | (detentions < 0), "law", f"is no multiple of {law / 100:g}")
    return Plan(
        counted=counted,
        away=away,
        away_job=away_job,
        sold=(points["job_housing"] == 0)
        & (away == 0)
        & (homes["own_1"] > 0)
        & chance(rng, n, 0.06),
        credential=credential,
        study=study,
        innovation=innovation,
        by_financing=solve_financing(rng, innovation, s),
        tax_years=tax_years,
        violations=violations,
        birth_year=solve_births(rng, points["age"], counted, s),
        honour=points["honour"] > 0,
        detentions=detentions,
        fails=np.zeros(n, dtype=np.int64),
        row=np.arange(1, n + 1),
        **homes,
    )


def solve_counted(employment: Ints, s: Setting) -> Ints:
    """Counted months."""
    rate = s.values["employment"]["centipoints_per_month"]
    counted, rest = np.divmod(employment, rate)
    possible = s.last + 1 - s.first
    refuse(
        (rest != 0) | (counted < 0) | (counted > possible),
        "employment",
        f"is not {rate / 100:g} for each of 0 to {possible} months",
    )
    return counted


def solve_education(rng: Rng, points: dict[str, Ints], s: Setting) -> tuple[Ints, Ints]:
    """A credential of the points whose window has room for the months of study deducted."""
    table = s.values["education"]["credentials"]
    given = np.array([row["centipoints"] for row in table])
    window = np.array([row["window_months"] for row in table])
    yearly = s.values["education_deduction"]["centipoints_per_year"]
    deductions = half_up(yearly * np.arange(window.max() + 1), 12)
    study = np.searchsorted(deductions, -points["education_deduction"])
    study = np.minimum(study, len(deductions) - 1)
    refuse(
        deductions[study] != -points["education_deduction"],
        "education_deduction",
        "is no whole number of months",
    )
    weight = np.array(credential_weights(s))
    fits = (given == points["education"][:, None]) & (window >= study[:, None])
    some = fits.any(axis=1)
    refuse(~np.isin(points["education"], [0, *given]), "education", "is the value of no credential")
    no_room = ~some & ((points["education"] > 0) | (study > 0))
    refuse(no_room, "education_deduction", "is more than the study period allows")
    chance = np.cumsum(fits * weight, axis=1)
    drawn = (rng.random(len(some)) * chance[:, -1])[:, None]
    return np.where(some, (chance <= drawn).sum(axis=1), -1), study


def solve_tax(tax: Ints, s: Setting) -> tuple[Ints, Ints]:
    """Years of much tax, and violations."""
    rule = s.values["tax"]
    violations = np.maximum(0, -(tax // -rule["centipoints_per_violation"]))
    left = tax - violations * rule["centipoints_per_violation"]
    years, rest = np.divmod(left, rule["centipoints_per_year"])
    refuse((rest != 0) | (years > rule["years"]), "tax", "follows from no years and violations")
    return years, violations


def solve_innovation(innovation: Ints, s: Setting) -> Ints:
    """Points an award or a financing tier gives."""
    rule = s.values["innovation"]
    awards = [100 * points for points in s.codes["award_points"]]
    tiers = [tier["centipoints"] for tier in rule["financing_tiers"]]
    allowed = [v for v in {0, *awards, *tiers} if v <= rule["centipoints_at_most"]]
    refuse(~np.isin(innovation, allowed), "innovation", "is the value of no award and no financing")
    return innovation


def solve_financing(rng: Rng, innovation: Ints, s: Setting) -> Ints:
    """Who earned it by a shareholding; all those must whom no award gives as much."""
    awards = [100 * points for points in s.codes["award_points"]]
    return by_financing(rng, innovation, s) | ((innovation > 0) & ~np.isin(innovation, awards))


def solve_births(rng: Rng, points: Ints, counted: Ints, s: Setting) -> Ints:
    """A year of birth that gives the points of age and fits the career; nobody is retired."""
    oldest = s.year - max(s.values["retirement_age"]["years"].values())
    years = np.arange(oldest, s.year - 17)
    given = age(years, s)
    began = s.year - 1 - counted // 12
    wanted = began - 18 - np.round(rng.gamma(3.0, 2.0, len(points))).astype(np.int64)
    wanted = np.minimum(wanted, began - 17)
    found = np.zeros_like(points)
    for value in np.unique(points):
        fitting = years[given == value]
        rows = np.flatnonzero(points == value)
        refuse(
            np.isin(points, [] if len(fitting) else [value]),
            "age",
            "is the value of no year of birth",
        )
        spread = np.minimum(np.abs(up_to(rng, np.full(len(rows), 5)) - 2), len(fitting) - 1)
        early = np.maximum(wanted[rows], fitting[0] + spread)
        found[rows] = np.minimum(early, fitting[-1] - spread * (value == 0))
    return found
