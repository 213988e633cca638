"""Receipts of applicants, put together from what the run wrote: the shape of a receipt.

Everything is one text column an applicant; what is the same for all is written once and copied.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from flows.receipts.applicants import Applicants
from flows.receipts.employers import numbered, numbers
from flows.receipts.encode import Pieces, an_object, arrays, compact, plain, quoted, text
from flows.receipts.facts import FACTS, facts, insurance
from flows.receipts.home_months import MONTHS
from flows.receipts.rules import conditions, indicators, law
from flows.receipts.spans import Window, exists, judged, outside, spans, tiled
from flows.score import centipoints
from schemas.columns import INSURANCES

FORMAT = 1
CHUNK = 4096  # applicants put together at a time


@dataclass(frozen=True)
class Material:
    """All that is known of the applicants, each frame ascending by person.

    rows: one row an applicant: results, standing and the small facts as JSON.
    insurance, insurance_outside: spans of months.  months: spans of homes by indicator, as JSON.
    evidence: by indicator or condition, aligned with `rows`.
    """

    whose: Applicants
    rows: pl.DataFrame
    insurance: pl.DataFrame
    insurance_outside: pl.DataFrame
    months: dict[str, pl.Series]
    conditions: dict[str, pl.DataFrame]
    indicators: dict[str, pl.DataFrame]

    @property
    def people(self) -> pl.LazyFrame:
        """One row an applicant: person."""
        return self.rows.lazy().select("person")


def material(whose: Applicants) -> Material:
    """Read and arrange what the receipts are made of."""
    run = whose.run
    edition, window = run.edition, Window.of(run.edition, run.made)
    evidence = by_rule(whose, "evidence", "indicator", "points")
    found = spans(whose.feed("social_insurance"), window, run.made)
    known = numbers(whose, found)
    first = edition.counted_months.values["insurances"][0]  # of equal ones: all have no paid month
    taken = (
        evidence["employment"]
        .select(pl.col("evidence").str.json_path_match("$.insurance").fill_null(first))
        .to_series()
    )
    tiles = judged(tiled(found, whose.rows, window), taken, window)
    jobs = tiles.filter(exists())
    people = whose.rows.lazy().select("person")
    months = {
        name: aligned(people, MONTHS[rule.name](whose, rule, jobs), "months")
        for name, rule in edition.indicators.items()
        if rule.name in MONTHS
    }
    return Material(
        whose=whose,
        rows=rows_of(whose, facts(whose, known), paid(tiles, window)).with_columns(taken=taken),
        insurance=numbered(tiles.lazy(), known).collect(),
        insurance_outside=numbered(outside(found, window).lazy(), known).collect(),
        months=months,
        conditions=by_rule(whose, "condition_evidence", "condition", "holds"),
        indicators=evidence,
    )


def by_rule(whose: Applicants, table: str, rule: str, result: str) -> dict[str, pl.DataFrame]:
    """A table of evidence, a frame a rule, each ascending by person."""
    rows = whose.table(table).select("person", rule, result, "evidence").collect()
    found = rows.partition_by(rule, as_dict=True, include_key=False)
    return {str(name): each.sort("person") for (name,), each in found.items()}


def aligned(people: pl.LazyFrame, found: pl.LazyFrame, name: str) -> pl.Series:
    """Arrays of applicants for everybody, an empty one for whoever has none."""
    joined = people.join(found, on="person", how="left", maintain_order="left", validate="1:1")
    return joined.select(pl.col(name).fill_null("[]")).collect().to_series()


def paid(tiles: pl.DataFrame, window: Window) -> pl.LazyFrame:
    """Per applicant the months paid for each insurance, and the months counted."""
    months = pl.col("months")
    return (
        tiles.lazy()
        .group_by("person")
        .agg(
            *(
                months.filter(pl.col(name) == window.counted_status, exists())
                .sum()
                .alias(f"paid_{name}")
                for name in INSURANCES
            ),
            counted=months.filter("counted").sum(),
            uncounted=months.filter(~pl.col("counted")).sum(),
        )
    )


def rows_of(
    whose: Applicants, facts: dict[str, pl.LazyFrame], months: pl.LazyFrame
) -> pl.DataFrame:
    """One row an applicant: own facts, results, standing, the small facts and rejects as JSON."""
    own = ("birth_date", "retirement_class", "claims_education")
    rows = whose.rows.lazy().select("person", "application_no")
    ranked = whose.table("ranking").select("person", "rank", "settled", "serial")
    for each in (
        whose.feed("applications").select("person", *own),
        whose.table("scores").select("person", "total", "needs_review"),
        whose.table("eligibility").select("person", "eligible"),
        ranked,
        months,
        *facts.values(),
        rejects(whose),
    ):
        rows = rows.join(each, on="person", how="left", maintain_order="left", validate="1:1")
    return rows.with_columns(pl.col(*facts, "rejects").fill_null("[]")).collect()


def rejects(whose: Applicants) -> pl.LazyFrame:
    """Failed checks of rows about an applicant, with the masked value."""
    columns = ("feed", "file", "row", "column", "check", "masked_value")
    rows = whose.table("rejects").select("person", *columns).sort(pl.all()).collect()
    told = [compact(row) for row in rows.select(columns).iter_rows(named=True)]
    return arrays(
        rows.lazy().select("person", rejects=pl.Series(told, dtype=pl.String)), "rejects"
    )


def texts(known: Material) -> Iterator[pl.Series]:
    """The receipts without their digests, as JSON texts, some applicants at a time."""
    height = known.rows.height
    for start in range(0, height, CHUNK):
        yield chunk(known, start, min(CHUNK, height - start))


def chunk(known: Material, start: int, size: int) -> pl.Series:
    """The receipts of some applicants."""
    run = known.whose.run
    rows = known.rows.slice(start, size)
    people = rows.lazy().select("person")
    rows = rows.with_columns(
        number=pl.Series(map(compact, rows["application_no"]), dtype=pl.String),
        insurance=aligned(people, insurance(of(known.insurance, start, size), "spans"), "spans"),
        outside=aligned(
            people, insurance(of(known.insurance_outside, start, size), "spans"), "spans"
        ),
        **{
            f"condition {name}": conditions(
                known.conditions[name].slice(start, size), rule, run.made
            )
            for name, rule in run.edition.conditions.items()
        },
        **{
            f"indicator {name}": indicators(
                known.indicators[name].slice(start, size),
                rule,
                run.made,
                known.months[name].slice(start, size) if name in known.months else None,
            )
            for name, rule in run.edition.indicators.items()
        },
    )
    return rows.select(text(shape(known.whose))).to_series()


def of(rows: pl.DataFrame, start: int, size: int) -> pl.LazyFrame:
    """The rows of some applicants, of a frame ascending by person."""
    first, last = (rows["person"].search_sorted(each) for each in (start, start + size))
    return rows.slice(first, last - first).lazy()


def shape(whose: Applicants) -> Pieces:
    """A receipt, in the order a reader meets it."""
    run, made = whose.run, whose.run.made
    return an_object(
        {
            "format": FORMAT,
            "round": made.year,
            "application_no": pl.col("number"),
            "edition": run.edition.name,
            "run_id": run.run_id,
            "policy_date": made.policy_date,
            "reference_date": made.reference_date,
            "permit_date": made.permit_date,
            "insured_in": None if made.insured_in is None else f"{made.insured_in:%Y-%m}",
            "quota": made.quota,
            "total": quoted("total"),
            "total_centipoints": plain(centipoints("total")),
            "needs_review": plain("needs_review"),
            "standing": standing(whose),
            "conditions": an_object(
                {name: pl.col(f"condition {name}") for name in run.edition.conditions}
            ),
            "indicators": an_object(
                {name: pl.col(f"indicator {name}") for name in run.edition.indicators}
            ),
            "counted_months": counted_months(whose),
            "facts": of_record(),
            "rejects": pl.col("rejects"),
            "made_from": run.made_from,
        }
    )


def standing(whose: Applicants) -> Pieces:
    """Where the application stands against the line; nulls where it is not ranked or there is none."""
    line = whose.run.table("rounds").collect().row(0, named=True)
    cutoff = line["cutoff"]
    return an_object(
        {
            "eligible": plain("eligible"),
            "ranked": line["eligible"],
            "rank": plain("rank"),
            "settled": plain(pl.col("settled").fill_null(value=False)),
            "serial": plain("serial"),
            "line": cutoff,
            "tied_at_line": line["tied_at_cutoff"],
            "above_line": None if cutoff is None else quoted(pl.col("total") - pl.lit(cutoff)),
        }
    )


def counted_months(whose: Applicants) -> Pieces:
    """Months paid for each insurance, the one that is taken, and how many months count."""
    rule = whose.run.edition.counted_months
    return an_object(
        {
            **law(rule),
            "paid": an_object({name: plain(f"paid_{name}") for name in INSURANCES}),
            "insurance": quoted("taken"),
            "counted": plain("counted"),
            "uncounted": plain("uncounted"),
        }
    )


def of_record() -> Pieces:
    """Everything on record that a rule may look at."""
    return an_object(
        {
            "birth_date": quoted("birth_date"),
            "retirement_class": quoted("retirement_class"),
            "claims_education": plain("claims_education"),
            "insurance": pl.col("insurance"),
            "insurance_outside": pl.col("outside"),
            **{name: pl.col(name) for name in FACTS},
        }
    )
