"""Bad rows, duplicates and strangers: what real deliveries contain beside the good rows.

A spoilt row breaks one check of the data contract ("Bad input"); a conflicting duplicate shares a
key with another row and differs; a stranger's row is about somebody who did not apply.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from flows.simulate import spoils
from flows.simulate.arrays import Bools, Ints, Rng
from flows.simulate.build import Part
from flows.simulate.feeds import KEYS
from flows.simulate.plan import points_of
from flows.simulate.setting import Setting
from flows.simulate.write import Format

MOST_DIRTY = 0.05  # a feed with more is refused
SAFE = 1_000  # centipoints a spoilt row may add, beside the penalties and deductions it may hide
CONFLICTS = 0.1  # pairs of conflicting rows for each bad row
DUPLICATES = 0.3
STRANGERS = 0.5
TOUCHED = 14  # people with bad insurance rows, for each bad row among as many; others have none
RUN = 12  # rows of a stranger that follow one another
EMPLOYERS = 0.25  # a bad row of an employer concerns many people


@dataclass(frozen=True)
class Spared:
    """People and employers whose rows must stay good, for a published list to be met."""

    persons: pl.Series
    employers: pl.Series


def spared(made: Part, line: int | None, s: Setting) -> Spared:
    """Everybody who could settle, or could if one of their rows went missing; nobody without a list."""
    if line is None:
        return Spared(made.ids.clear(), made.jobs.codes.clear())
    # a lost row could hide violations, detentions and the study deduction
    none = np.zeros(len(made.plan), dtype=np.int64)
    without = replace(made.plan, violations=none, detentions=none, study=none)
    near = points_of(without, s)["total"] > line - SAFE
    firms = made.jobs.firms[near[made.jobs.owner]]
    used = np.unique(np.concatenate([made.jobs.applies_by[near], firms]))
    return Spared(made.ids.filter(pl.Series(near)), made.jobs.codes.gather(used))


def spoil(
    rng: Rng,
    feed: str,
    frame: pl.DataFrame,
    strangers: pl.Series,
    s: Setting,
    *,
    share: float,
    kept: Spared,
    fmt: Format,
) -> pl.DataFrame:
    """The feed with that share of its rows bad, and some duplicates and strangers' rows."""
    if not share or not frame.height:
        return frame
    rows = np.flatnonzero(may_be_spoilt(frame, kept))
    if feed == "social_insurance":  # bad months come together: a few people's, not everybody's
        rows = rows[of_some_people(rng, frame["person_id"].gather(rows), share * TOUCHED)]
    share = share * EMPLOYERS if feed == "employers" else share
    bad = number(rng, frame.height, share)
    pairs = int(bad * CONFLICTS) if feed in KEYS else 0
    copies = number(rng, frame.height, share * DUPLICATES) if feed in KEYS else 0
    rows = rng.permutation(rows)[: bad - pairs + copies]
    spoilt, paired, copied = np.split(rows, [bad - 2 * pairs, bad - pairs])
    others = strange(rng, feed, frame, number(rng, frame.height, share * STRANGERS), strangers)
    conflicts = spoils.conflicting(feed, frame[paired])
    broken = spoils.broken(rng, feed, frame[spoilt], fmt, s)
    pieces = [frame, conflicts, others]
    whole = pl.concat([*(spoils.as_text(p) if fmt == "csv" else p for p in pieces), broken])
    return whole[
        arranged(rng, spoilt, copied, rows=frame.height, added=len(conflicts) + len(others))
    ]


def number(rng: Rng, rows: int, share: float) -> int:
    """That share of the rows as a whole number, never more than a feed may have."""
    return min(int(rows * share + rng.random()), int(rows * MOST_DIRTY))


def may_be_spoilt(frame: pl.DataFrame, kept: Spared) -> Bools:
    """Rows about nobody and no employer to be spared."""
    if not len(kept.persons):
        return np.ones(frame.height, dtype=bool)
    spare = pl.lit(value=False)
    for column in ("person_id", "subject_id"):
        if column in frame.columns:
            spare |= pl.col(column).is_in(kept.persons.implode())
    if "person_id" not in frame.columns:
        column = "subject_id" if "subject_id" in frame.columns else "employer_id"
        spare |= pl.col(column).is_in(kept.employers.implode())
    return frame.select(~spare).to_series().to_numpy()


def of_some_people(rng: Rng, ids: pl.Series, share: float) -> Bools:
    """Rows of that share of the people, whose rows follow one another."""
    change = (ids != ids.shift(1)).fill_null(value=True).to_numpy()
    person = np.cumsum(change) - 1
    return np.asarray((rng.random(int(change.sum())) < share)[person])


def strange(
    rng: Rng, feed: str, frame: pl.DataFrame, rows: int, strangers: pl.Series
) -> pl.DataFrame:
    """Rows of applicants, in short runs, put under the ID number of somebody who did not apply."""
    column = "subject_id" if feed == "sanctions" else "person_id"
    if feed == "applications" or column not in frame.columns or not rows:
        return frame.clear()
    runs = min(-(-rows // RUN), len(strangers))
    start = rng.integers(0, frame.height, runs)
    at = np.minimum(start[:, None] + np.arange(min(RUN, rows)), frame.height - 1)
    who = strangers.gather(np.repeat(rng.permutation(len(strangers))[:runs], at.shape[1]))
    taken = frame[at.ravel()].with_columns(who.alias("who"))
    first = pl.Series("first", frame[column].gather(np.repeat(start, at.shape[1])))
    same = taken.with_columns(first).filter(pl.col(column) == pl.col("first"))
    keyed = [name for name in KEYS.get(feed, []) if name != column]
    made: pl.DataFrame = same.with_columns(pl.col("who").alias(column)).drop("who", "first")
    return made.unique([column, *keyed], keep="first", maintain_order=True) if keyed else made


def arranged(rng: Rng, spoilt: Ints, copied: Ints, *, rows: int, added: int) -> Ints:
    """Positions in the pieces put together: broken rows in place of spoilt ones, more between."""
    order = np.arange(rows)
    order[spoilt] = rows + added + np.arange(len(spoilt))
    more = np.concatenate([copied, rows + np.arange(added)])
    at = np.sort(rng.integers(0, rows + 1, len(more)))
    return np.insert(order, at, rng.permutation(more))
