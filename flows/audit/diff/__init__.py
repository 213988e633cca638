"""Compare two runs: who moved, by how much, across the line or not, and why.

The stored tables say who moved.  Why is established by recomputing mixed combinations, never guessed
(`effects.py`, `attribution.py`).  Reads both run directories and writes to a private folder
only, which is removed again.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from flows.audit.diff.attribution import aligned, attribution
from flows.audit.diff.causes import Causes, causes
from flows.audit.diff.effects import measured
from flows.audit.diff.mixed import RESULTS, Mixer, results
from flows.audit.differences import IDENTITY
from flows.common.failures import BadUsage, CheckFailed
from flows.common.messages import message_without_values
from flows.common.points import in_points
from flows.common.private_folder import private_folder
from flows.common.shapes import mask
from flows.kept.known_code import Trust, trust_of
from flows.kept.limits import require_bounded
from flows.kept.named_run import NamedRun, named_run
from flows.kept.tables import table

LINE = ("edition", "quota", "applications", "eligible", "cutoff", "settled", "tied_at_cutoff")
ROUNDS = "rounds"
NUMBER = "application_no"
STANDING = ("total", "rank", "eligible", "settled")
THEN, NOW = "_then", "_now"


@dataclass(frozen=True)
class Side:
    """A run, and the line it came to."""

    run: NamedRun
    line: dict[str, Any]


@dataclass(frozen=True)
class Diff:
    """All a comparison found.

    applications: one row an application of either run: its standing then and now, null where it is
        in one run only; points as points.
    shares: application (a row of these), measure, cause, amount; points in centipoints.
    """

    a: Side
    b: Side
    causes: Causes
    notes: list[str]
    applications: pl.DataFrame
    shares: pl.DataFrame


def diff(one: str, other: str, warehouse: Path, trust: Trust | None = None) -> Diff:
    """Compare two runs; raises Failure where one is not there or was tampered with.

    Only code that the warehouse knows is run, unless `trust` says more.
    """
    with message_without_values("diff"):
        try:
            a, b = (sound(named_run(name, warehouse)) for name in (one, other))
            found = causes(a.run, b.run)
            then, now = (results(side.run.directory) for side in (a, b))
            numbers = pl.concat([then, now])[NUMBER].unique().sort()
            ends = aligned(then, numbers), aligned(now, numbers)
            with private_folder(warehouse) as folder:
                mixer = Mixer(
                    a.run, b.run, found, numbers, folder, trust=trust or trust_of(warehouse)
                )
                why = measured(mixer, found, *ends)
        except OSError as error:
            raise BadUsage(f"{error.filename}: {error.strerror}") from None
        return Diff(
            a,
            b,
            found,
            [*found.notes, *why.notes, *nobody_in_both(numbers, then, now)],
            applications(numbers, then, now),
            attribution(why.span, why.effects),
        )


def nobody_in_both(numbers: pl.Series, then: pl.DataFrame, now: pl.DataFrame) -> list[str]:
    """A note where two runs are about different people altogether."""
    if len(numbers) < then.height + now.height or numbers.is_empty():
        return []
    return ["the runs share no application: nobody can have moved; all came in or dropped out"]


def sound(run: NamedRun) -> Side:
    """A run whose tables and pinned files are those its manifest names."""
    require_bounded(run.directory, run.manifest)
    pinned = [name for name in run.expected if name.startswith("pinned/")]
    run.require_untouched([*(f"{name}.parquet" for name in (*RESULTS, ROUNDS)), *pinned])
    with suppress(pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError):
        (line,) = table(run.directory, ROUNDS).select(LINE).collect().rows(named=True)
        return Side(run, line)
    raise CheckFailed(
        f"{run.directory / ROUNDS}.parquet: expected one row with the columns of a round, found others"
    )


def applications(numbers: pl.Series, then: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """The standing of every application in both runs, side by side."""
    both = numbers.to_frame()
    for results_, suffix in ((then, THEN), (now, NOW)):
        both = both.join(
            results_.select(NUMBER, *(pl.col(name).alias(f"{name}{suffix}") for name in STANDING)),
            on=NUMBER,
            how="left",
            maintain_order="left",
            validate="1:1",
        )
    # a number that looks like an ID number is shown as a shape: it may be one in the wrong column
    number = pl.col(NUMBER)
    plain = number.str.contains(r"^[\x20-\x7E]*$") & ~number.str.contains(IDENTITY.pattern)
    return both.with_columns(
        pl.when(plain).then(number).otherwise(mask(number)),
        *(in_points(pl.col(f"total{suffix}")) for suffix in (THEN, NOW)),
    )
