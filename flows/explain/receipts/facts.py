"""The facts of a receipt: everything on record about an applicant that a rule may look at.

All rows are shown, also those that change nothing, so that a reader sees why.  A text somebody typed
is shown only where it is one the policy lists; names and ID numbers are never shown.
"""

from typing import Any

import polars as pl

from flows.explain.receipts.applicants import Applicants
from flows.explain.receipts.employers import employers, numbered
from flows.explain.receipts.encode import arrays, compact, listed, month, plain, quoted
from schemas.columns import INSURANCES
from transforms.sums import exact_sum

DAYS = {
    "criminal_records": "sentenced_on",
    "detentions": "decided_on",
    "tax_violations": "decided_on",
    "sanctions": "found_on",
}
ROWS: dict[str, dict[str, Any]] = {
    "residence_permits": {"valid_from": quoted, "valid_to": quoted},
    "housing": {
        "kind": quoted,
        "district": plain,
        "start_date": quoted,
        "end_date": quoted,
        "registered_on": quoted,
    },
    "education": {
        "level": quoted,
        "has_diploma": plain,
        "has_degree": plain,
        "enrolled_on": quoted,
        "graduated_on": quoted,
        "verified": plain,
    },
    "company_tax": {"year": plain, "attributed_fen": plain},
    "awards": {"scope": quoted, "awarded_on": quoted, "points": plain},
    "positions": {"kind": quoted, "held_from": quoted, "held_to": quoted},
}


def facts(whose: Applicants, known: pl.DataFrame) -> dict[str, pl.LazyFrame]:
    """By name of the fact: person and the JSON text, nobody without a row; insurance stands apart.

    In the order of a receipt; a feed that the run did not have is no fact of it.
    """
    return {
        "employers": employers(whose, known),
        **{feed: as_delivered(whose, feed) for feed in ROWS if whose.run.had(feed)},
        "tax": tax(whose),
        "shareholdings": shareholdings(whose, known),
        "honours": honours(whose),
        **{feed: days(whose, feed) for feed in DAYS if whose.run.had(feed)},
    }


def as_delivered(whose: Applicants, feed: str) -> pl.LazyFrame:
    """The rows of a feed, column by column."""
    rows = whose.feed(feed).select("person", *ROWS[feed])
    fields = {name: make(name) for name, make in ROWS[feed].items()}
    return listed(rows.sort(pl.all()), fields, feed)


def tax(whose: Applicants) -> pl.LazyFrame:
    """Income tax net of refunds, by year of the treasury date and kind of income."""
    rows = (
        whose.feed("tax")
        .group_by("person", "income_kind", year=pl.col("treasury_date").dt.year())
        .agg(exact_sum(pl.col("amount_fen")), payments=pl.len())
        .sort("person", "year", "income_kind")
    )
    kind = {"income_kind": quoted("income_kind")}
    fields = {name: plain(name) for name in ("year", "income_kind", "amount_fen", "payments")}
    return listed(rows, fields | kind, "tax")


def shareholdings(whose: Applicants, known: pl.DataFrame) -> pl.LazyFrame:
    """Shares, the firm by its number in the receipt."""
    days = ("held_from", "held_to")
    rows = numbered(whose.feed("shareholdings"), known).select(
        "person", "number", "share_bp", *days
    )
    firm = {"employer": plain("number"), "share_bp": plain("share_bp")}
    fields = firm | {name: quoted(name) for name in days}
    return listed(rows.sort(pl.all()), fields, "shareholdings")


def honours(whose: Applicants) -> pl.LazyFrame:
    """Titles; one that the policy does not list is shown without its text."""
    titles = whose.run.edition.indicators["honour"].values["titles"]
    rows = whose.feed("honours").with_columns(pl.when(pl.col("title").is_in(titles)).then("title"))
    shown = pl.col("title").replace_strict({each: compact(each) for each in titles}, default="null")
    fields = {"title": shown} | {name: quoted(name) for name in ("awarded_on", "revoked_on")}
    return listed(rows.sort("person", *fields), fields, "honours")


def days(whose: Applicants, feed: str) -> pl.LazyFrame:
    """The days on record of a feed that holds nothing else about the person."""
    rows = whose.feed(feed).select("person", DAYS[feed]).sort("person", DAYS[feed])
    return arrays(rows.with_columns(quoted(DAYS[feed]).alias(feed)), feed)


def insurance(spans: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """Spans of insurance months; `recorded_on` only where it was too late."""
    fields = {
        "from": month("first"),
        "to": month(pl.col("first") + pl.col("months") - 1),
        "months": plain("months"),
        "counted": plain("counted"),
        "why": quoted("why"),
        **{each: quoted(each) for each in INSURANCES},
        "work_district": plain("work_district"),
        "employer": plain("number"),
        "recorded_on": quoted("recorded_on"),
    }
    return listed(spans, fields, name)
