"""A simulated delivery of all seventeen feeds for a round, seeded and as large as the real one.

People are made in parts of equal size, each from a seed of its own, so that a large delivery needs
no more memory than a small one and is the same on every machine.  Insurance is one file a part; the
small feeds of some parts share a file.
"""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from flows.simulate.build import build
from flows.simulate.dirty import MOST_DIRTY, spared, spoil
from flows.simulate.feeds import FEEDS, KEYS
from flows.simulate.model import below, draw
from flows.simulate.plan import Plan, joined, points_of
from flows.simulate.published import read_points, solve
from flows.simulate.setting import Setting, load_setting
from flows.simulate.write import Format, delivery, write

__all__ = ["FEEDS", "KEYS", "simulate"]

PART = 25_000  # people
PARTS_A_FILE = {"social_insurance": 1}
PARTS_A_SMALL_FILE = 5
USUAL_APPLICANTS = 120_000
# the rules under which records earn exactly what their plan does; under others nearly
EXACT = {
    *("employment", "residence", "education", "education_deduction", "job_housing", "innovation"),
    *("tax", "age", "honour", "law", "law_since_commencement"),
}
Progress = Callable[[str, int, int], None]


def simulate(
    year: int,
    out: Path,
    *,
    data: Path,
    applicants: int | None = None,
    seed: int = 2020,
    points: Path | None = None,
    fmt: Format = "parquet",
    dirty: float = 0.001,
    progress: Progress | None = None,
) -> None:
    """Write a delivery for a round to `out`, which must not exist or be empty."""
    s = load_setting(data, year)
    usual = s.round.published.get("applications", USUAL_APPLICANTS)
    count = usual if applicants is None else applicants
    if not 0 <= dirty <= MOST_DIRTY:
        raise ValueError(f"dirty is {dirty}, expected a share from 0 to {MOST_DIRTY}")
    listed = settled(points, count, seed, s)
    parts = max(1, -(-count // PART))
    numbers = np.random.default_rng([seed, 0]).permutation(count) + 1
    place = np.sort(np.random.default_rng([seed, 1]).permutation(count)[: len(listed)]) // PART
    line = None if points is None else int(points_of(listed, s)["total"].min())
    waiting: defaultdict[str, list[pl.DataFrame]] = defaultdict(list)
    with delivery(out) as folder:
        for part in range(parts):
            rng = np.random.default_rng([seed, 2, part])
            of_part = numbers[part * PART : (part + 1) * PART]
            mine = listed.take(np.flatnonzero(place == part))
            size = len(of_part) - len(mine)
            others = draw(rng, size, s) if line is None else below(rng, size, line, s)
            plan = joined(mine, others)
            plan = plan.take(rng.permutation(len(plan)))
            made = build(rng, plan, of_part, s, part=part, parts=parts)
            kept = spared(made, line, s)
            for feed in FEEDS:
                frame = made.feeds.pop(feed)
                waiting[feed].append(
                    spoil(rng, feed, frame, made.strangers, s, share=dirty, kept=kept, fmt=fmt)
                )
                together = PARTS_A_FILE.get(feed, PARTS_A_SMALL_FILE)
                if (part + 1) % together == 0 or part + 1 == parts:
                    write(pl.concat(waiting.pop(feed)), folder, feed, part // together, fmt)
            if progress:
                progress("people", min((part + 1) * PART, count), count)


def settled(points: Path | None, count: int, seed: int, s: Setting) -> Plan:
    """The plans of the published list, in random order; nobody without a list."""
    rng = np.random.default_rng([seed, 3])
    if points is None:
        return draw(rng, 0, s)
    if other := sorted({rule.name for rule in s.edition.indicators.values()} - EXACT):
        raise ValueError(
            f"round {s.year}: no records are known that earn exact points under {', '.join(other)}"
        )
    try:
        plan = solve(rng, read_points(points), s)
    except ValueError as error:
        raise ValueError(f"{points}: {error}") from None
    if not 0 < len(plan) <= count:
        raise ValueError(f"{points} has {len(plan)} rows, and {count} applicants are asked for")
    return plan.take(rng.permutation(len(plan)))
