"""Score and rank: accepted rows in, the tables of a run out.

Points are whole centipoints until they are written; the published tables hold them as DECIMAL(9,2).
Every table is validated whole by its model in `schemas/results.py` before it is written.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import polars as pl

from flows.common.by_name import read_table
from flows.common.files import write_table
from flows.common.points import centipoints, in_points
from flows.common.settings import Order
from flows.kept.tables import NEEDS_REVIEW, feed
from schemas.feeds import FEEDS
from schemas.results import CONDITIONS, INDICATORS, TABLES, types_of
from transforms.policy import Edition, Rule
from transforms.ranking import Line, line, ranking
from transforms.scorecard import Ledger, ledger

SEGMENTS = range(1000, 6001, 1000)


class Scored(NamedTuple):
    """The ledger of a round, the applications it is about, and their order by number."""

    people: pl.DataFrame
    by_number: pl.Series
    ledger: Ledger
    edition: Edition


def score(order: Order, work: Path) -> Path:
    """Write scores, eligibility and both evidence tables; returns the work folder."""
    people, by_number, scored, edition = publish_results(order, work)
    made = {"evidence": evidence, "condition_evidence": condition_evidence}

    def publish(name: str) -> None:
        publish_table(work, name, made[name](people, by_number, scored))

    with ThreadPoolExecutor(len(made)) as pool:  # putting one together takes one core
        list(pool.map(publish, made))
    publish_table(work, "clauses", clauses(edition, order.year))
    return work


def publish_results(order: Order, work: Path, *, with_evidence: bool = True) -> Scored:
    """Write scores and eligibility; the ledger they come from holds no evidence unless asked to."""
    this_round, edition = order.round(), order.edition()
    feeds = {name: feed(work, name) for name in FEEDS}
    review = feed(work, NEEDS_REVIEW).collect()["person"]
    scored = ledger(feeds, edition, this_round, with_evidence=with_evidence)
    people = feeds["applications"].select("person", "application_no").collect()
    people = people.with_columns(
        pl.lit(this_round.year, pl.Int32).alias("round"),
        needs_review=pl.col("person").is_in(review.implode()),
        place=pl.col("application_no").rank("ordinal").cast(pl.Int64) - 1,
    )
    by_number = people["place"].arg_sort()
    publish_table(work, "scores", scores(people, scored)[by_number])
    publish_table(work, "eligibility", eligibility(people, scored)[by_number])
    return Scored(people, by_number, scored, edition)


def publish_table(work: Path, name: str, rows: pl.DataFrame) -> None:
    """Validate a table with its model and write it; a bad row raises, what is not there is null."""
    write_table(validated(name, rows), work / f"{name}.parquet")


def validated(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of a table in its columns, held against its model."""
    types = types_of(name)
    absent = [pl.lit(None, types[each]).alias(each) for each in types if each not in rows.columns]
    ordered = rows.with_columns(absent).select(types.keys())
    TABLES[name].validate(ordered, lazy=True)
    return ordered


def scores(people: pl.DataFrame, scored: Ledger) -> pl.DataFrame:
    """Points of the ten indicators and their plain sum, one row an application."""
    points = pl.DataFrame(
        {name: scored.indicators[name]["centipoints"] for name in scored.indicators}
    ).with_columns(total=pl.sum_horizontal(pl.all(), ignore_nulls=False))
    return pl.concat(
        [people, points.select(in_points(pl.col(name)).alias(name) for name in points.columns)],
        how="horizontal",
    )


def eligibility(people: pl.DataFrame, scored: Ledger) -> pl.DataFrame:
    """The conditions, and whether all hold; one the edition does not have holds."""
    held = pl.DataFrame({name: scored.conditions[name]["holds"] for name in scored.conditions})
    absent = [name for name in CONDITIONS if name not in scored.conditions]
    return pl.concat([people, held], how="horizontal").with_columns(
        *(pl.lit(value=True).alias(name) for name in absent),
        eligible=pl.all_horizontal(list(scored.conditions)),
    )


def evidence(people: pl.DataFrame, by_number: pl.Series, scored: Ledger) -> pl.DataFrame:
    """Indicator by indicator, each ascending by application number."""
    numbers = people[by_number].select("round", "application_no")
    return pl.concat(
        numbers.hstack(
            each[by_number].select(
                indicator=pl.lit(name), points=in_points(pl.col("centipoints")), evidence="evidence"
            )
        )
        for name, each in scored.indicators.items()
    )


def condition_evidence(people: pl.DataFrame, by_number: pl.Series, scored: Ledger) -> pl.DataFrame:
    """Condition by condition, each ascending by application number."""
    numbers = people[by_number].select("round", "application_no")
    return pl.concat(
        numbers.hstack(
            each[by_number].select(condition=pl.lit(name), holds="holds", evidence="evidence")
        )
        for name, each in scored.conditions.items()
    )


def clauses(edition: Edition, year: int) -> pl.DataFrame:
    """The clause of every condition and indicator, with the values in force and their citations."""
    kinds = {"condition": edition.conditions, "indicator": edition.indicators}
    return pl.DataFrame(
        [
            {
                "round": year,
                "kind": kind,
                "name": name,
                "title": rule.title,
                "title_zh": rule.title_zh,
                "clause": rule.clause,
                "cites": cites(rule),
            }
            for kind, rules in kinds.items()
            for name, rule in rules.items()
        ],
        schema_overrides={"round": pl.Int32},
    )


def cites(rule: Rule) -> str:
    """The values of a rule in force, with the day each is in force from and its citation, as JSON."""
    return json.dumps(
        {
            name: {"value": dated.value, "from": dated.date, "cite": dated.cite}
            for name, dated in rule.dated.items()
        },
        ensure_ascii=False,
        default=str,
    )


def rank(order: Order, work: Path) -> Line:
    """Write the ranking, the segments and the public list; returns the line."""
    ranked = publish_ranking(order, work)
    shown = read_table(work / "ranking.parquet")
    publish_table(work, "segments", segments(shown))
    publish_table(work, "public_list", public_list(work, shown))
    return line(ranked)


def publish_ranking(order: Order, work: Path) -> pl.DataFrame:
    """Write the ranking; returns it in centipoints."""
    this_round = order.round()
    table = read_table(work / "scores.parquet", columns=["application_no", "total"])
    eligible = read_table(work / "eligibility.parquet", columns=["eligible"])["eligible"]
    totals = table.filter(eligible).select("application_no", total=centipoints("total"))
    ranked = ranking(totals, this_round.quota, this_round.year)
    year = pl.lit(this_round.year, pl.Int32).alias("round")
    publish_table(work, "ranking", ranked.with_columns(year, in_points(pl.col("total"))))
    return ranked


def segments(ranked: pl.DataFrame) -> pl.DataFrame:
    """The totals at the thousandth places, as far as the ranking goes."""
    places = [place for place in SEGMENTS if place <= ranked.height]
    return ranked[[place - 1 for place in places]].select(
        "round", place=pl.Series(places, dtype=pl.Int64), total="total"
    )


def public_list(work: Path, ranked: pl.DataFrame) -> pl.DataFrame:
    """Settled applicants by serial, with name, birth month, employer and all points."""
    table = read_table(work / "scores.parquet")
    applications = feed(work, "applications").collect()
    names = read_table(work / "restricted" / "people.parquet").select("person", "name")
    employers = feed(work, "employers").collect()
    return (
        ranked.filter("settled")
        .select("round", "application_no", "serial", "total")
        .join(table.select("application_no", *INDICATORS), on="application_no", validate="1:1")
        .join(applications, on="application_no", validate="1:1")
        .join(names, on="person", validate="1:1")
        .join(
            employers.select("employer", employer_name="name"),
            on="employer",
            how="left",
            validate="m:1",
        )
        .sort("serial")
        .select(
            "round",
            "serial",
            "name",
            *INDICATORS,
            "total",
            birth_month=pl.col("birth_date").dt.strftime("%Y-%m"),
            employer="employer_name",
        )
    )
