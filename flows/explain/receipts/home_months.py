"""Home month by month as spans that tile: which home a month had, what it counts as, or why not.

Residence (data contract 4 and 5, before any limit: limits look at totals, not at months) and home
and job outside the six districts.  A rule's file name in the edition decides, as it does for points.
"""

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from flows.explain.receipts.applicants import Applicants
from flows.explain.receipts.encode import listed, month, plain, quoted
from flows.explain.receipts.runs_of_months import joined
from transforms import indicators as rules
from transforms.indicators.job_housing import outside
from transforms.months import covered_spells, number_of
from transforms.policy import Rule, params

Spans = Callable[[Applicants, Rule, pl.DataFrame], pl.LazyFrame]


def cut(borders: list[pl.LazyFrame], people: pl.LazyFrame, first: int, last: int) -> pl.LazyFrame:
    """person, first, last: the window cut for everybody at the month numbers in `borders`."""
    edges = [people.select("person", first=pl.lit(edge, pl.Int32)) for edge in (first, last + 1)]
    inside = pl.col("first").is_between(first, last + 1)
    return (
        pl.concat([*edges, *(each.filter(inside) for each in borders)])
        .unique()
        .sort("person", "first")
        .with_columns(last=pl.col("first").shift(-1).over("person") - 1)
        .drop_nulls("last")
    )


def ends_of(spells: pl.LazyFrame) -> list[pl.LazyFrame]:
    """The months in which something begins, and those after something ended."""
    after = (pl.col("last") + 1).cast(pl.Int32).alias("first")
    return [spells.select("person", pl.col("first").cast(pl.Int32)), spells.select("person", after)]


def held(pieces: pl.LazyFrame, spells: pl.LazyFrame, **states: pl.Expr) -> pl.LazyFrame:
    """Pieces with each state worked out over the spells that cover them; null where none does."""
    covering = (
        pieces.rename({"last": "until"})
        .join(spells.rename({"first": "begin"}), on="person", validate="m:m")
        .filter(pl.col("begin") <= pl.col("first"), pl.col("last") >= pl.col("first"))
        .group_by("person", "first")
        .agg(**states)
    )
    return pieces.join(covering, on=["person", "first"], how="left", validate="1:1")


def as_spans(pieces: pl.LazyFrame, *states: str) -> pl.LazyFrame:
    """Pieces ascending by person and month as spans: those in the same state joined."""
    months = (pl.col("last") - pl.col("first") + 1).cast(pl.Int32)
    rows = pieces.select("person", "first", *states, months=months).sort("person", "first")
    return joined(rows.collect(), states).lazy()


def first_kind(states: pl.Expr, kinds: Sequence[str]) -> pl.Expr:
    """The first kind of home for which something is true, among those that cover a month."""
    return pl.coalesce(
        pl.when((states & (pl.col("kind") == kind)).any()).then(pl.lit(kind)) for kind in kinds
    )


def residence(whose: Applicants, rule: Rule, jobs: pl.DataFrame) -> pl.LazyFrame:
    """Homes of every kind; the rule's table of kinds says which of them count, early and late."""
    this_round = whose.run.this_round
    p = params(rules.residence.Params, rule)
    window = (p.first_month, this_round.reference_date)
    may_count = rules.residence.may_count(p, this_round)
    homes = whose.feed("housing").with_columns(pl.col("kind").cast(pl.String), filed=may_count)
    spells = covered_spells(homes, *window, "kind", "filed")
    people = whose.rows.lazy().select("person")
    split = pl.lit(number_of(p.filed_from), pl.Int32)
    borders = [*ends_of(spells), people.select("person", first=split)]
    kinds = [kind["kind"] for kind in p.kinds]
    pieces = held(
        cut(borders, people, *map(number_of, window)),
        spells,
        home=first_kind(pl.lit(value=True), kinds),
        filed=first_kind(pl.col("filed"), kinds),
    )
    early = pl.col("first") < split
    counts_as = {
        period: pl.col("filed").replace_strict(
            {kind["kind"]: rules.residence.part_of(kind, period) for kind in counting},
            default=None,
            return_dtype=pl.String,
        )
        for period, counting in rules.residence.periods(p).items()
    }
    judged = pieces.with_columns(
        home=pl.coalesce("filed", "home"),
        counts_as=pl.when(early).then(counts_as["early"]).otherwise(counts_as["late"]),
    ).with_columns(
        why=pl.when(pl.col("counts_as").is_null()).then(
            pl.when(early)
            .then(pl.lit("counts_by_employment"))
            .when(pl.col("home").is_null())
            .then(pl.lit("no_home"))
            .otherwise(pl.lit("not_registered"))
        )
    )
    states = ("home", "counts_as", "why")
    return listed(as_spans(judged, *states), span_fields(home=quoted), "months")


def job_housing(whose: Applicants, rule: Rule, jobs: pl.DataFrame) -> pl.LazyFrame:
    """Spans from the first month that counts: is the home outside, and the job as well.

    A month's home is of the first kind it has of those the rule lists; of own homes where it lists
    none: a dormitory or a rented home is none there.
    """
    this_round, values = whose.run.this_round, rule.values
    kinds: Sequence[str] = values.get("home_kinds", rules.job_housing.HOME_KINDS)
    districts = (values["six_districts"], values["beijing_districts"])
    window = (values["counts_from"], this_round.reference_date)
    homes = whose.feed("housing").with_columns(
        pl.col("kind").cast(pl.String), outside=outside("district", *districts)
    )
    spells = covered_spells(homes.filter(pl.col("kind").is_in(kinds)), *window, "kind", "outside")
    work = jobs.lazy().select(
        "person",
        first="first",
        last=pl.col("first") + pl.col("months") - 1,
        outside=outside("work_district", *districts),
    )
    people = whose.rows.lazy().select("person")
    pieces = cut([*ends_of(spells), *ends_of(work)], people, *map(number_of, window))
    homed = held(
        pieces,
        spells,
        home=first_kind(pl.lit(value=True), kinds),
        of_outside=first_kind(pl.col("outside"), kinds),
    ).with_columns(home_outside=(pl.col("of_outside") == pl.col("home")).fill_null(value=False))
    worked = held(pieces, work, job_outside=pl.col("outside").any()).drop("last")
    judged = homed.join(worked, on=["person", "first"], validate="1:1").with_columns(
        counts_as=pl.when("home_outside", pl.col("job_outside").fill_null(value=False))
        .then(pl.lit("home_and_job"))
        .when("home_outside")
        .then(pl.lit("home")),
        why=pl.when(pl.col("home").is_null())
        .then(pl.lit("no_own_home" if len(kinds) == 1 else "no_home"))
        .when(~pl.col("home_outside"))
        .then(pl.lit("home_not_outside")),
    )
    states = ("home", "home_outside", "job_outside", "counts_as", "why")
    fields = span_fields(home=quoted, home_outside=plain, job_outside=plain)
    return listed(as_spans(judged, *states), fields, "months")


def span_fields(**states: Callable[[str], pl.Expr]) -> dict[str, Any]:
    """A span: its months, the states a reader wants to see, what it counts as or why it does not."""
    return {
        "from": month("first"),
        "to": month(pl.col("first") + pl.col("months") - 1),
        "months": plain("months"),
        **{name: make(name) for name, make in states.items()},
        "counts_as": quoted("counts_as"),
        "why": quoted("why"),
    }


# the rules that look at the months of a home, by the name an edition lists them under
MONTHS: dict[str, Spans] = {
    "residence": residence,
    "residence_unregistered": residence,
    "job_housing": job_housing,
    "job_housing_moved_out": job_housing,
}
