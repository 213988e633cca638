"""Everything receipts are put together from, read and arranged once for all applicants."""

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

import polars as pl

from flows.explain.receipts.applicants import Applicants
from flows.explain.receipts.employers import numbered, numbers
from flows.explain.receipts.encode import arrays, compact
from flows.explain.receipts.facts import facts
from flows.explain.receipts.home_months import MONTHS
from flows.explain.receipts.rules import read_by
from flows.explain.receipts.spans import Window, exists, judged, outside, spans, tiled
from schemas.columns import INSURANCES
from transforms.scorecard import ledger

ByRule: TypeAlias = dict[str, pl.DataFrame]  # a frame a rule, each ascending by person
Recorded: TypeAlias = tuple[ByRule, ByRule]  # of conditions and of indicators


@dataclass(frozen=True)
class Material:
    """All that is known of the applicants, each frame ascending by person.

    rows: one row an applicant: results, standing and the small `facts` as JSON.
    insurance, insurance_outside: spans of months.  months: spans of homes by indicator, as JSON.
    conditions, indicators: the recorded evidence, aligned with `rows`.  line: the round's result.
    """

    whose: Applicants
    rows: pl.DataFrame
    facts: list[str]
    insurance: pl.DataFrame
    insurance_outside: pl.DataFrame
    months: dict[str, pl.Series]
    conditions: ByRule
    indicators: ByRule
    line: dict[str, Any]


def material(whose: Applicants, recorded: Recorded | None = None) -> Material:
    """Read and arrange what the receipts are made of; `recorded` where no run wrote it."""
    run = whose.run
    edition, window = run.edition, Window.of(run.edition, run.this_round)
    conditions, evidence = recorded or as_written(whose)
    found = spans(whose.feed("social_insurance"), window, run.this_round)
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
    facts_ = facts(whose, known)
    return Material(
        whose=whose,
        rows=rows_of(whose, facts_, paid(tiles, window)).with_columns(taken=taken),
        facts=[*facts_],
        insurance=numbered(tiles.lazy(), known).collect(),
        insurance_outside=numbered(outside(found, window).lazy(), known).collect(),
        months=months,
        conditions=conditions,
        indicators=evidence,
        line=next(run.table("rounds").collect().iter_rows(named=True), {}),
    )


def as_written(whose: Applicants) -> Recorded:
    """The evidence a run wrote of conditions and indicators, made again where today's rules read more."""
    run = whose.run
    conditions = by_rule(whose, "condition_evidence", "condition", "holds")
    evidence = by_rule(whose, "evidence", "indicator", "points")
    fitting = [
        fits(stored[name], read)
        for stored, rules in (
            (conditions, run.edition.conditions),
            (evidence, run.edition.indicators),
        )
        for name, read in read_by(rules, run.this_round)
    ]
    if all(fitting):
        return conditions, evidence
    again = ledger(whose.feeds(), run.edition, run.this_round)
    return (
        with_new_evidence(conditions, again.conditions),
        with_new_evidence(evidence, again.indicators),
    )


def by_rule(whose: Applicants, table: str, rule: str, result: str) -> ByRule:
    """A table of evidence, a frame a rule, each ascending by person."""
    rows = whose.table(table).select("person", rule, result, "evidence").collect()
    found = rows.partition_by(rule, as_dict=True, include_key=False)
    return {str(name): each.sort("person") for (name,), each in found.items()}


def fits(stored: pl.DataFrame, read: set[str]) -> bool:
    """Whether the evidence a run wrote has the columns that today's rule reads."""
    filled = stored["evidence"].filter(stored["evidence"] != "{}")
    return filled.is_empty() or read <= json.loads(filled[0]).keys()


def with_new_evidence(stored: ByRule, again: ByRule) -> ByRule:
    """What a run wrote, with its evidence as today's rules give it; the results stay as published."""
    return {
        name: rows.with_columns(again[name]["evidence"].alias("evidence"))
        for name, rows in stored.items()
    }


def aligned(people: pl.LazyFrame, found: pl.LazyFrame, name: str) -> pl.Series:
    """Arrays of applicants for everybody, an empty one for an applicant without rows."""
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
    columns = ("feed", "file", "row_number", "column_name", "check_name", "masked_value")
    rows = whose.table("rejects").select("person", *columns).sort(pl.all()).collect()
    found = [compact(row) for row in rows.select(columns).iter_rows(named=True)]
    return arrays(
        rows.lazy().select("person", rejects=pl.Series(found, dtype=pl.String)), "rejects"
    )
