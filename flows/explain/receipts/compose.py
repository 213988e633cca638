"""Receipts of applicants, put together from what the run wrote: the shape of a receipt.

Everything is one text column an applicant; what is the same for all is written once and copied.
"""

from collections.abc import Iterator
from typing import Any

import polars as pl

from flows.common.points import centipoints
from flows.explain.receipts.encode import Pieces, an_object, compact, plain, quoted, text
from flows.explain.receipts.facts import insurance
from flows.explain.receipts.material import Material, aligned
from flows.explain.receipts.rules import conditions, indicators, law
from flows.explain.receipts.source import Source
from schemas.columns import INSURANCES
from transforms.policy import Rule
from transforms.rounds import Round

FORMAT = 2  # 1: not salted, in the tree by application number, with the digests of single files
CHUNK = 2048  # applicants put together at a time


def texts(known: Material, run: Source) -> Iterator[pl.Series]:
    """The receipts of a run without their digests, as JSON texts, some applicants at a time."""
    height = known.rows.height
    for start in range(0, height, CHUNK):
        rows = worked_out(known, start, min(CHUNK, height - start))
        numbers = rows["application_no"]
        salts = [run.salts.of_receipt(run.run_id, each) for each in numbers]
        named = rows.with_columns(
            number=pl.Series(map(compact, numbers), dtype=pl.String),
            salt=pl.Series(salts, dtype=pl.String),
        )
        yield named.select(text(shape(known, run))).to_series()


def text_without_run(known: Material) -> Iterator[pl.Series]:
    """The same of people who need not exist."""
    for start in range(0, known.rows.height, CHUNK):
        rows = worked_out(known, start, CHUNK)
        yield rows.select(text(shape_without_run(known))).to_series()


def worked_out(known: Material, start: int, size: int) -> pl.DataFrame:
    """Some applicants with everything `reckoning` names as JSON."""
    run = known.whose.run
    rows = known.rows.slice(start, size)
    people = rows.lazy().select("person")
    return rows.with_columns(
        insurance=aligned(people, insurance(of(known.insurance, start, size), "spans"), "spans"),
        outside=aligned(
            people, insurance(of(known.insurance_outside, start, size), "spans"), "spans"
        ),
        **{
            f"condition {name}": conditions(
                known.conditions[name].slice(start, size), rule, run.this_round
            )
            for name, rule in run.edition.conditions.items()
        },
        **{
            f"indicator {name}": indicators(
                known.indicators[name].slice(start, size),
                rule,
                run.this_round,
                known.months[name].slice(start, size) if name in known.months else None,
            )
            for name, rule in run.edition.indicators.items()
        },
    )


def of(rows: pl.DataFrame, start: int, size: int) -> pl.LazyFrame:
    """The rows of some applicants, of a frame ascending by person."""
    first, last = (rows["person"].search_sorted(each) for each in (start, start + size))
    return rows.slice(first, last - first).lazy()


def shape(known: Material, run: Source) -> Pieces:
    """A receipt of a run, in the order a reader meets it."""
    return an_object(
        {
            "format": FORMAT,
            "round": run.this_round.year,
            "application_no": pl.col("number"),
            "salt": quoted("salt"),
            "edition": run.edition.name,
            "run_id": run.run_id,
            **dates(run.this_round),
            **total(),
            "needs_review": plain("needs_review"),
            "standing": standing(known.line),
            **reckoning(known),
            "rejects": pl.col("rejects"),
            "made_from": run.made_from,
            "delivered": run.delivered,
        }
    )


def shape_without_run(known: Material) -> Pieces:
    """The same of people who need not exist: nobody filed, no run was made, nobody is ranked."""
    run = known.whose.run
    return an_object(
        {
            "format": FORMAT,
            "round": run.this_round.year,
            "edition": run.edition.name,
            **dates(run.this_round),
            **total(),
            **reckoning(known),
        }
    )


def dates(this_round: Round) -> dict[str, Any]:
    """What pins the round."""
    insured_in = this_round.insured_in
    return {
        "policy_date": this_round.policy_date,
        "reference_date": this_round.reference_date,
        "permit_date": this_round.permit_date,
        "insured_in": None if insured_in is None else f"{insured_in:%Y-%m}",
        "quota": this_round.quota,
    }


def total() -> dict[str, Any]:
    """The total, in both forms."""
    return {"total": quoted("total"), "total_centipoints": plain(centipoints("total"))}


def reckoning(known: Material) -> dict[str, Any]:
    """Conditions, indicators, counted months and the facts they follow from."""
    edition = known.whose.run.edition
    return {
        "conditions": an_object({name: pl.col(f"condition {name}") for name in edition.conditions}),
        "indicators": an_object({name: pl.col(f"indicator {name}") for name in edition.indicators}),
        "counted_months": counted_months(edition.counted_months),
        "facts": of_record(known.facts),
    }


def standing(line: dict[str, Any]) -> Pieces:
    """Where the application stands against the line; nulls where it is not ranked or there is none."""
    cutoff = line["cutoff"]
    exact = pl.lit(str(cutoff)).cast(pl.Decimal(9, 2))  # a Decimal as such makes polars load numpy
    return an_object(
        {
            "eligible": plain("eligible"),
            "ranked": line["eligible"],
            "rank": plain("rank"),
            "settled": plain(pl.col("settled").fill_null(value=False)),
            "serial": plain("serial"),
            "line": cutoff,
            "tied_at_line": line["tied_at_cutoff"],
            "above_line": None if cutoff is None else quoted(pl.col("total") - exact),
        }
    )


def counted_months(rule: Rule) -> Pieces:
    """Months paid for each insurance, the one that is taken, and how many months count."""
    return an_object(
        {
            **law(rule),
            "paid": an_object({name: plain(f"paid_{name}") for name in INSURANCES}),
            "insurance": quoted("taken"),
            "counted": plain("counted"),
            "uncounted": plain("uncounted"),
        }
    )


def of_record(facts: list[str]) -> Pieces:
    """Everything on record that a rule may look at."""
    return an_object(
        {
            "birth_date": quoted("birth_date"),
            "retirement_class": quoted("retirement_class"),
            "claims_education": plain("claims_education"),
            "insurance": pl.col("insurance"),
            "insurance_outside": pl.col("outside"),
            **{name: pl.col(name) for name in facts},
        }
    )
