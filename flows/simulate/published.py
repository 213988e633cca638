"""Published points turned back into plans: counts from which exactly those points follow.

What a record earns is asked of the rules: of all the counts a person may have, those are taken that
earn the published points.  Indicators are solved each on its own, save education with its deduction,
and residence with job_housing, which share the months of the own home.  A value that no record can
give raises ValueError with the row and the indicator.
"""

import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl

from flows.common.shapes import shape
from flows.simulate.arrays import Ints, Rng, chance, grid, up_to
from flows.simulate.model import awards_and_tiers, credentials_and_study, weight_of_credentials
from flows.simulate.months import divide, months_away
from flows.simulate.plan import NONE, Plan, people, points_of
from flows.simulate.setting import ASSUMED, Setting
from schemas.results import INDICATORS

COLUMNS = (*INDICATORS, "total")
POINTS = re.compile(r"-?[0-9]{1,7}(\.[0-9]{1,2}0*)?")  # as DECIMAL(9,2) holds them
MOST_EVENTS = 100  # violations or detentions of one person


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
        name: np.array([centipoints(name, *each) for each in enumerate(frame[name], 1)])
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


def refuse(wrong: Ints, name: str, why: str = "is what no record earns") -> None:
    """Raise for the first row that is wrong."""
    rows = np.flatnonzero(wrong)
    if len(rows):
        raise ValueError(f"row {rows[0] + 1}: {name} {why}")


def solve(rng: Rng, points: dict[str, Ints], s: Setting) -> Plan:
    """A plan for every row, all of them eligible."""
    n = len(points["total"])

    def chosen(weight: Ints | float, *names: str, **counts: Ints) -> dict[str, Ints]:
        """For each row one of the counts that earn what it has of some indicators, by weight."""
        size = len(next(iter(counts.values())))
        weight = np.broadcast_to(weight, size)
        earned = points_of(people(size, s, **counts), s, *names)
        for name in names:
            refuse(~np.isin(points[name], earned[name]), name)
        asked, member = np.unique([points[name] for name in names], axis=1, return_inverse=True)
        found = np.full(n, NONE)
        for place, values in enumerate(asked.T):
            fits = np.all([earned[x] == v for x, v in zip(names, values, strict=True)], axis=0)
            at, rows = np.flatnonzero(fits), np.flatnonzero(member == place)
            if len(at):
                found[rows] = rng.choice(at, len(rows), p=weight[at] / weight[at].sum())
        refuse(found == NONE, names[-1], f"is earned by no record with such {names[0]}")
        return {name: each[found] for name, each in counts.items()}

    credential, study = credentials_and_study(s)
    award, tier = awards_and_tiers(s)
    financed = ASSUMED["model"]["by_financing"]
    years, violations = grid(s.values["tax"]["years"] + 1, MOST_EVENTS)
    usual = weight_of_credentials(s)[credential]
    employment = chosen(1.0, "employment", counted=np.arange(s.last + 2 - s.first))
    studied = chosen(usual, "education", "education_deduction", credential=credential, study=study)
    homes = divide(rng, employment["counted"], studied["study"], points, s)
    refuse(homes["own_1"] < 0, "residence", "follows from no months of homes (with job_housing)")
    away, away_job = months_away(rng, points["job_housing"], homes["own_1"], homes["own_2"], s)
    refuse(away < 0, "job_housing", "is more than the months of the own home allow")
    no_points = (points["job_housing"] == 0) & (away == 0) & (homes["own_1"] > 0)
    return people(
        n,
        s,
        **{**employment, **studied, **homes},
        **chosen(
            np.where(tier == NONE, 1 - financed, financed), "innovation", award=award, tier=tier
        ),
        **chosen(1.0 / (1 + violations) ** 9, "tax", tax_years=years, violations=violations),
        **chosen(1.0, "honour", honour=np.array([False, True])),
        **chosen(1.0, "law", detentions=np.arange(MOST_EVENTS)),
        away=away,
        away_job=away_job,
        sold=no_points & chance(rng, n, 0.06),
        birth_year=solve_births(rng, points["age"], employment["counted"], s),
        row=np.arange(1, n + 1),
    )


def solve_births(rng: Rng, points: Ints, counted: Ints, s: Setting) -> Ints:
    """A year of birth that gives the points of age and fits the career; nobody is retired."""
    years = np.arange(s.birth_years[1], s.year - 17)
    given = points_of(people(len(years), s, birth_year=years), s, "age")["age"]
    refuse(~np.isin(points, given), "age")
    began = s.year - 1 - counted // 12
    wanted = began - 18 - np.round(rng.gamma(3.0, 2.0, len(points))).astype(np.int64)
    wanted = np.minimum(wanted, began - 17)
    found = np.zeros_like(points)
    for value in np.unique(points):
        fitting, rows = years[given == value], np.flatnonzero(points == value)
        spread = np.minimum(np.abs(up_to(rng, np.full(len(rows), 5)) - 2), len(fitting) - 1)
        early = np.maximum(wanted[rows], fitting[0] + spread)
        found[rows] = np.minimum(early, fitting[-1] - spread * (value == 0))
    return found
