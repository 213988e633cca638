"""One applicant's records with work, home and permit going on up to some day."""

from datetime import date
from typing import Any

import polars as pl

from flows.explain.what_if.accepted_rows import Records
from flows.explain.what_if.plain_dates import first_day
from schemas.columns import INSURANCES
from transforms.months import number_of
from transforms.policy import Edition
from transforms.rounds import Round


def going_on(of: Records, edition: Edition, this_round: Round, until: Round) -> Records:
    """The records as they will lie at the end of the last year, under the assumption."""
    work = latest_work(of, this_round)
    added: dict[str, list[dict[str, Any]]] = {}
    if work:
        last = max(until.reference_date, until.insured_in or until.reference_date)
        status = edition.counted_months.values["counted_status"]
        added["social_insurance"] = months_of(work, of, this_round, last, status)
        added["tax"] = tax_of(of, this_round, until)
    feeds = {
        feed: pl.concat([rows, pl.DataFrame(added.get(feed, []), schema=rows.schema)])
        for feed, rows in of.feeds.items()
    }
    day = this_round.reference_date
    feeds["housing"] = kept(feeds["housing"], ("start_date", "end_date"), day)
    permits = ("valid_from", "valid_to")
    feeds["residence_permits"] = kept(feeds["residence_permits"], permits, this_round.permit_date)
    return Records(
        {
            feed: rows if feed == "social_insurance" else rows.sort(rows.columns)
            for feed, rows in feeds.items()
        }
    )


def latest_work(of: Records, this_round: Round) -> dict[str, Any] | None:
    """The latest insured month, if work had not ended before the last month that counts."""
    still = number_of(this_round.reference_date)
    rows = of.feeds["social_insurance"].sort("month").tail(1).to_dicts()
    return rows[0] if rows and number_of(rows[0]["month"]) >= still else None


def months_of(
    work: dict[str, Any], of: Records, this_round: Round, last: date, status: str
) -> list[dict[str, Any]]:
    """The months to come that nothing is known of, insured as the latest one was and paid on time."""
    known = {number_of(month) for month in of.feeds["social_insurance"]["month"]}
    on_time = {name: status for name in INSURANCES if work[name] is not None}
    numbers = range(number_of(this_round.reference_date) + 1, number_of(last) + 1)
    return [
        {**work, **on_time, "month": first_day(each), "recorded_on": first_day(each)}
        for each in numbers
        if each not in known
    ]


def tax_of(of: Records, this_round: Round, until: Round) -> list[dict[str, Any]]:
    """The net income tax of the year before the round, by kind of income, in each year to come that
    nothing is known of."""
    rows = of.feeds["tax"].with_columns(year=pl.col("treasury_date").dt.year())
    known = set(rows["year"])
    net = (
        rows.filter(year=this_round.year - 1)
        .group_by("person", "income_kind")
        .agg(pl.col("amount_fen").sum())
    )
    return [
        {**row, "treasury_date": date(year, 12, 31)}
        for year in range(this_round.year, until.year)
        if year not in known
        for row in net.sort("income_kind").iter_rows(named=True)
    ]


def kept(rows: pl.DataFrame, days: tuple[str, str], on: date) -> pl.DataFrame:
    """What was held on a day is held from then on."""
    begin, end = days
    held = (pl.col(begin) <= on) & (pl.col(end) >= on)
    return rows.with_columns(pl.when(~held.fill_null(value=False)).then(end).alias(end))
