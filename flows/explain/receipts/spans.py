"""Insurance month by month as spans that tile the years: every month counted or not, and why.

From the first month that can count to December of the year before, each month lies in exactly one
span; a span is a run of months alike in everything a rule looks at.  Rows of other months are shown
beside them.  The reasons are those of the counted months rule (data contract 3 and 4).
"""

from dataclasses import dataclass

import polars as pl

from flows.explain.receipts.runs_of_months import joined
from schemas.columns import INSURANCES
from transforms.months import month_number, number_of
from transforms.policy import Edition
from transforms.rounds import Round

ALIKE = ("employer", "work_district", *INSURANCES, "recorded_on")


@dataclass(frozen=True)
class Window:
    """The month numbers of the first and last month that can count, and the status that counts."""

    first: int
    last: int
    counted_status: str

    @classmethod
    def of(cls, edition: Edition, this_round: Round) -> "Window":
        """The window of a round under its edition."""
        values = edition.counted_months.values
        return cls(
            number_of(values["first_month"]),
            number_of(this_round.reference_date),
            values["counted_status"],
        )


def spans(insurance: pl.LazyFrame, window: Window, this_round: Round) -> pl.DataFrame:
    """Runs of months alike: person, first, months, employer, district, statuses, recorded_on.

    `recorded_on` is there only where it is after the reference date, so that the row does not exist.
    Ascending by person and month; a run ends where the window begins or ends.
    """
    late = pl.col("recorded_on") > this_round.reference_date
    first = month_number(pl.col("month"))
    rows = insurance.select(
        "person",
        "employer",
        "work_district",
        *INSURANCES,
        first=first,
        months=pl.lit(1, pl.Int32),
        recorded_on=pl.when(late, first <= window.last).then("recorded_on"),
    ).collect(engine="streaming")
    borders = (window.first, window.last + 1)
    # departments deliver a person's months in order: joined first, there is little left to sort
    return joined(joined(rows, ALIKE, borders).sort("person", "first"), ALIKE, borders)


def tiled(found: pl.DataFrame, people: pl.DataFrame, window: Window) -> pl.DataFrame:
    """The spans inside the window, and one without statuses for each gap between them."""
    inside = found.filter(pl.col("first").is_between(window.first, window.last))
    borders = people.select(
        "person", first=pl.lit(window.last + 1, pl.Int32), months=pl.lit(0, pl.Int32)
    )
    before = (pl.col("first") + pl.col("months")).shift().over("person").fill_null(window.first)
    gaps = (
        pl.concat([inside.select("person", "first", "months"), borders])
        .sort("person", "first")
        .select("person", first=before.cast(pl.Int32), months=pl.col("first") - before)
        .filter(pl.col("months") > 0)
    )
    return pl.concat([inside, gaps.cast({"months": pl.Int32})], how="diagonal").sort(
        "person", "first"
    )


def outside(found: pl.DataFrame, window: Window) -> pl.DataFrame:
    """The spans before the first month that can count and after the last, with the reason."""
    early = pl.col("first") < window.first
    return found.filter(~pl.col("first").is_between(window.first, window.last)).with_columns(
        counted=pl.lit(value=False),
        why=pl.when(early)
        .then(pl.lit("before_first_month"))
        .otherwise(pl.lit("after_reference_date")),
    )


def exists() -> pl.Expr:
    """Whether a span has rows that exist for conditions and indicators."""
    return pl.col("work_district").is_not_null() & pl.col("recorded_on").is_null()


def judged(tiles: pl.DataFrame, taken: pl.Series, window: Window) -> pl.DataFrame:
    """Each span with `counted` and, where it is not, `why`; `taken` is each person's insurance."""
    status = pl.coalesce(
        pl.when(pl.col("taken") == name).then(pl.col(name).cast(pl.String)) for name in INSURANCES
    )
    return (
        tiles.with_columns(taken=taken.gather(tiles["person"]))
        .with_columns(
            why=pl.when(pl.col("work_district").is_null())
            .then(pl.lit("not_insured"))
            .when(pl.col("recorded_on").is_not_null())
            .then(pl.lit("recorded_after_reference_date"))
            .when(status.is_null())
            .then(pl.lit("other_insurance_only"))
            .when(status != window.counted_status)
            .then(status)
        )
        .with_columns(counted=pl.col("why").is_null())
        .drop("taken")
    )
