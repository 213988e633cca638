"""Education: credentials whose study period holds exactly the planned counted months."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from flows.simulate.arrays import Bools, Ints, Rng, among, chance, day_in, first_days, up_to
from flows.simulate.feeds import frame
from flows.simulate.plan import Plan, of_credential
from flows.simulate.setting import ASSUMED, Setting

GRADUATES_AT, YEARS = (ASSUMED["schooling"][name] for name in ("graduates_at", "years"))


def graduation(rng: Rng, plan: Plan, counted: Bools, s: Setting) -> tuple[Ints, Ints]:
    """A graduation month (calendar) with the planned counted months in its window, and how many.

    Of the months that fit, the one nearest to the usual age; who counts none before the career
    began graduated before it.  A broken career may hold fewer than planned.
    """
    n = len(plan)
    window = of_credential("window_months", plan, s)
    levels = [row["level"] for row in s.values["education"]["credentials"]]
    usual = np.array([*(GRADUATES_AT[level] for level in levels), 22])[plan.credential]
    later = np.where(chance(rng, n, 0.15), up_to(rng, np.full(n, 12)), up_to(rng, np.full(n, 2)))
    wanted = (plan.birth_year + usual + later) * 12 + np.where(
        chance(rng, n, 0.8), 6, up_to(rng, np.full(n, 11))
    )
    found = wanted - s.grid_start
    study = plan.study.copy()
    total = np.zeros((n, counted.shape[1] + 1), dtype=np.int16)
    np.cumsum(counted, axis=1, out=total[:, 1:])
    asked = np.flatnonzero((plan.credential >= 0) & ((plan.study > 0) | (found >= s.first)))
    for width in np.unique(window[asked]):
        rows = asked[window[asked] == width]
        column = np.arange(s.first, s.last + 1)
        lived = total[rows][:, column + 1] - total[rows][:, np.maximum(column + 1 - width, 0)]
        far = np.abs(lived - plan.study[rows][:, None]).astype(np.int64) * 10_000
        far += np.abs(column - found[rows][:, None])
        nearest = far.argmin(axis=1)
        study[rows] = lived[np.arange(len(rows)), nearest]
        found[rows] = column[nearest]
        none = (study[rows] > 0) & (plan.study[rows] == 0)
        study[rows[none]] = 0
        found[rows[none]] = s.first - 1 - up_to(rng, np.full(int(none.sum()), 30))
    return found + s.grid_start, study


def rows(
    rng: Rng, ids: pl.Series, plan: Plan, month: Ints, s: Setting
) -> tuple[pl.DataFrame, Bools]:
    """The feed, and who claims the indicator; some of those without a credential do not."""
    best = np.flatnonzero(plan.credential >= 0)
    waived = (plan.credential < 0) & chance(rng, len(plan), 0.5)
    parts = [
        credentials(rng, ids.gather(best), plan.credential[best], month[best], s),
        lower(rng, ids, plan, month, s),
        *of_no_use(rng, ids, plan, np.flatnonzero(waived), s),
    ]
    made = pl.concat(parts)
    return made.sort(pl.all()), ~waived


def lower(rng: Rng, ids: pl.Series, plan: Plan, month: Ints, s: Setting) -> pl.DataFrame:
    """A lower credential before the best one, as a rule a bachelor's before a master's."""
    table = s.values["education"]["credentials"]
    points = np.array([row["centipoints"] for row in table])
    given = of_credential("centipoints", plan, s)
    person = np.flatnonzero((given > points.min()) & chance(rng, len(plan), 0.7))
    bachelor = [row["level"] == "bachelor" for row in table]
    usual = int(np.where(bachelor, points, -1).argmax())
    kind = np.where(given[person] > points[usual], usual, int(points.argmin()))
    earlier = month[person] - 36 - 12 * up_to(rng, np.full(len(person), 2))
    return credentials(rng, ids.gather(person), kind, earlier, s)


def of_no_use(
    rng: Rng, ids: pl.Series, plan: Plan, waives: Ints, s: Setting
) -> Iterator[pl.DataFrame]:
    """The highest credential not verified, or too late; any credential that is not claimed."""
    table = s.values["education"]["credentials"]
    top = int(np.argmax([row["centipoints"] for row in table]))
    last = s.grid_start + s.last
    unverified = np.flatnonzero(chance(rng, len(plan), 0.012))
    when = last - up_to(rng, np.full(len(unverified), 100))
    made = credentials(rng, ids.gather(unverified), np.full(len(when), top), when, s)
    yield made.with_columns(verified=pl.lit(value=False))
    after = np.flatnonzero(chance(rng, len(plan), 0.012))
    size = len(after)
    made = credentials(rng, ids.gather(after), np.full(size, top), np.full(size, last), s)
    late = pl.Series(s.late - up_to(rng, np.full(size, s.late - s.ref - 1)))
    yield made.with_columns(graduated_on=late.cast(pl.Int32).cast(pl.Date))
    when = np.minimum((plan.birth_year[waives] + 24) * 12 + 6, last)
    yield credentials(rng, ids.gather(waives), rng.integers(0, len(table), len(waives)), when, s)


def credentials(rng: Rng, ids: pl.Series, kind: Ints, month: Ints, s: Setting) -> pl.DataFrame:
    """Rows of the given credentials, graduated in the given months."""
    table = s.values["education"]["credentials"]
    years = np.array([YEARS[row["level"]] for row in table])[kind]
    enrolled = first_days(month - 12 * years + 2)
    columns = {
        "person_id": ids,
        "level": among([row["level"] for row in table], kind),
        "has_diploma": among([row["has_diploma"] for row in table], kind),
        "has_degree": among([row["has_degree"] for row in table], kind),
        "enrolled_on": np.where(chance(rng, len(kind), 0.1), -1, np.maximum(enrolled, 0)),
        "graduated_on": day_in(rng, month),
        "verified": True,
    }
    return frame("education", columns)
