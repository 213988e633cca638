"""Stable residence (合法稳定住所): points for each year in a home, by its kind (Measures art. 5(2)).

Never more months than employment has, kinds that count as held first.  Before `filed_from` every
employment month without such a home counts by default as one kind, with nothing filed; from it on each
kind counts, some only if registered.  Each part is rounded half up on its own, then they are added.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, TypeAlias

import polars as pl
from pydantic import AfterValidator, with_config
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from transforms.evidence import MONTHS, Evidence
from transforms.facts import Facts
from transforms.months import covered_spells, months_covered
from transforms.parts import Parts, count, monthly
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints, Early, Flag, HomeKind, Month, Several, unexpected

# `months_own_late` were held, `counted_own_late` count; early is before `filed_from`
EVIDENCE: Evidence = {"months_*": MONTHS, "counted_*": MONTHS}
DEFAULT = "default_early"
CALLED = {"rent": "rented"}  # kinds that have another name in evidence


@with_config(STRICT)
class Kind(TypedDict):
    """A kind of home: what a year gives, if it has to be registered, how it counts early."""

    kind: HomeKind
    centipoints_per_year: Centipoints
    registered: Flag
    early: Early


def one_default(kinds: list[Kind]) -> list[Kind]:
    """The kinds themselves; more than one that counts by default raises."""
    if len(default := [kind["kind"] for kind in kinds if kind["early"] == "default"]) > 1:
        raise unexpected("one kind that counts by default", default)
    return kinds


Kinds: TypeAlias = Annotated[
    list[Kind], Several("centipoints", by=("kind",)), AfterValidator(one_default)
]


@dataclass(frozen=True, config=STRICT)
class Params:
    """The first month there is, the border between the two periods, kinds of home by precedence."""

    first_month: Month
    filed_from: Month
    kinds: Kinds


def part_of(kind: Kind, period: str) -> str:
    """The name of the months of a kind in a period, early or late."""
    return f"{CALLED.get(kind['kind'], kind['kind'])}_{period}"


def rates(p: Params) -> dict[str, int]:
    """The parts in the order they are shown, with their yearly rate: held early, by default, late."""
    held, late = (periods(p)[period] for period in ("early", "late"))
    parts = [(part_of(kind, period), kind) for kind in held for period in ("early", "late")]
    parts += [(DEFAULT, kind) for kind in late if kind["early"] == "default"]
    parts += [(part_of(kind, "late"), kind) for kind in late if kind not in held]
    return {name: kind["centipoints_per_year"] for name, kind in parts}


def may_count(p: Params, this_round: Round) -> pl.Expr:
    """Whether a home is of a kind that counts, registered by the reference date where it has to be."""
    of_kind = {
        needed: [kind["kind"] for kind in p.kinds if kind["registered"] == needed]
        for needed in (False, True)
    }
    in_time = (pl.col("registered_on") <= this_round.reference_date).fill_null(value=False)
    kind = pl.col("kind").cast(pl.String)
    return kind.is_in(of_kind[False]) | (kind.is_in(of_kind[True]) & in_time)


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """Months held, and months counted under the cap, by kind and period (early: before filed_from)."""
    employed_late = (
        facts.counted.filter(pl.col("month") >= p.filed_from)
        .group_by("person")
        .agg(months_employed_late=pl.len().cast(pl.Int64))
    )
    months = facts.careers.select("person", months_employed="months_counted")
    for each in (employed_late, *held(facts.feeds["housing"], p, this_round)):
        months = months.join(each, on="person", how="left", validate="1:1")
    months = months.with_columns(pl.col("^(months|upto)_.*$").fill_null(0)).with_columns(
        *of_kinds(p), months_employed_early=count("months_employed") - count("months_employed_late")
    )
    named = [name for name in rates(p) if name != DEFAULT]
    return months.select(
        "person",
        "months_employed",
        "months_employed_early",
        *(f"months_{name}" for name in named),
        *counted(p),
    )


def periods(p: Params) -> dict[str, list[Kind]]:
    """The kinds that count in each period, by precedence."""
    return {"early": [kind for kind in p.kinds if kind["early"] == "held"], "late": p.kinds}


def held(housing: pl.LazyFrame, p: Params, this_round: Round) -> Iterator[pl.LazyFrame]:
    """For each kind and period the months with a home of it or of a kind before it (`upto_*`)."""
    before = min(date.fromordinal(p.filed_from.toordinal() - 1), this_round.reference_date)
    spans = {"early": (p.first_month, before), "late": (p.filed_from, this_round.reference_date)}
    homes = housing.filter(may_count(p, this_round))
    for period, kinds in periods(p).items():
        names = [kind["kind"] for kind in kinds]
        for place, kind in enumerate(kinds, start=1):
            first = homes.filter(pl.col("kind").cast(pl.String).is_in(names[:place]))
            spells = covered_spells(first, *spans[period])
            yield months_covered(spells, f"upto_{part_of(kind, period)}")


def of_kinds(p: Params) -> Iterator[pl.Expr]:
    """The months of each kind and period: a month with several homes is of the first kind of them."""
    for period, kinds in periods(p).items():
        before = pl.lit(0)
        for kind in kinds:
            name = part_of(kind, period)
            yield (pl.col(f"upto_{name}") - before).alias(f"months_{name}")
            before = pl.col(f"upto_{name}")


def counted(p: Params) -> list[pl.Expr]:
    """Counted months by part: what is held first and late first, by default, then what else is late.

    Each part takes what those before it left of employment.
    """
    employed, early = pl.col("months_employed"), pl.col("months_employed_early")
    taken: pl.Expr = pl.lit(0)
    parts: dict[str, pl.Expr] = {}

    def take(name: str, months: pl.Expr) -> None:
        nonlocal taken
        parts[name] = pl.min_horizontal(months, pl.max_horizontal(employed - taken, 0))
        taken = taken + months

    as_held = periods(p)["early"]
    for kind in as_held:
        for period in ("late", "early"):
            name = part_of(kind, period)
            take(name, pl.col(f"months_{name}"))
    if DEFAULT in rates(p):
        for kind in as_held:
            early = early - parts[part_of(kind, "early")]
        take(DEFAULT, pl.max_horizontal(early, 0))
    for kind in p.kinds:
        if kind not in as_held:
            name = part_of(kind, "late")
            take(name, pl.col(f"months_{name}"))
    return [parts[name].alias(f"counted_{name}") for name in rates(p)]


def parts(p: Params, this_round: Round) -> Parts:
    """Months under the cap by kind and period, each at its yearly rate."""
    return Parts([monthly(name, count(f"counted_{name}"), rate) for name, rate in rates(p).items()])
