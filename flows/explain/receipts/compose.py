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
from schemas.columns import INSURANCES
from transforms.policy import Rule

FORMAT = 2  # 1: not salted, in the tree by application number, with the digests of single files
CHUNK = 2048  # applicants put together at a time


def texts(known: Material) -> Iterator[pl.Series]:
    """The receipts without their digests, as JSON texts, some applicants at a time."""
    height = known.rows.height
    for start in range(0, height, CHUNK):
        yield chunk(known, start, min(CHUNK, height - start))


def chunk(known: Material, start: int, size: int) -> pl.Series:
    """The receipts of some applicants."""
    run = known.whose.run
    rows = known.rows.slice(start, size)
    numbers = rows["application_no"]
    people = rows.lazy().select("person")
    rows = rows.with_columns(
        number=pl.Series(map(compact, numbers), dtype=pl.String),
        salt=pl.Series(
            [run.salts.of_receipt(run.run_id, each) for each in numbers], dtype=pl.String
        ),
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
    return rows.select(text(shape(known))).to_series()


def of(rows: pl.DataFrame, start: int, size: int) -> pl.LazyFrame:
    """The rows of some applicants, of a frame ascending by person."""
    first, last = (rows["person"].search_sorted(each) for each in (start, start + size))
    return rows.slice(first, last - first).lazy()


def shape(known: Material) -> Pieces:
    """A receipt, in the order a reader meets it."""
    run, this_round = known.whose.run, known.whose.run.this_round
    return an_object(
        {
            "format": FORMAT,
            "round": this_round.year,
            "application_no": pl.col("number"),
            "salt": quoted("salt"),
            "edition": run.edition.name,
            "run_id": run.run_id,
            "policy_date": this_round.policy_date,
            "reference_date": this_round.reference_date,
            "permit_date": this_round.permit_date,
            "insured_in": None
            if this_round.insured_in is None
            else f"{this_round.insured_in:%Y-%m}",
            "quota": this_round.quota,
            "total": quoted("total"),
            "total_centipoints": plain(centipoints("total")),
            "needs_review": plain("needs_review"),
            "standing": standing(known.line),
            "conditions": an_object(
                {name: pl.col(f"condition {name}") for name in run.edition.conditions}
            ),
            "indicators": an_object(
                {name: pl.col(f"indicator {name}") for name in run.edition.indicators}
            ),
            "counted_months": counted_months(run.edition.counted_months),
            "facts": of_record(known.facts),
            "rejects": pl.col("rejects"),
            "made_from": run.made_from,
            "delivered": run.delivered,
        }
    )


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
