"""The facts of everybody in a clean delivery, as they would tell them to `luohu score`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from flows.run.delivery import folder_of
from flows.run.read_files import read
from schemas.feeds import FEEDS

Facts = dict[str, Any]
APPLICATION = ("birth_date", "retirement_class", "claims_education", "employer_id")


def rows_of(feeds: Path, feed: str) -> list[dict[str, Any]]:
    """The rows of a feed in JSON's types."""
    schema = FEEDS[feed].schema()
    parts = [piece.rows for part in folder_of(feeds, feed).parts for piece in read(part, schema)]
    days = pl.selectors.date() | pl.selectors.datetime()
    texts = pl.selectors.categorical() | days
    return pl.concat(parts).with_columns(texts.cast(pl.String)).to_dicts()


def facts_of(feeds: Path, year: int) -> dict[str, Facts]:
    """Application number -> facts."""
    rows = {feed: rows_of(feeds, feed) for feed in FEEDS}
    of_person = {
        feed: grouped(each, lambda row: row["person_id"])
        for feed, each in rows.items()
        if each and "person_id" in each[0]
    }
    register = grouped(rows["employers"], lambda row: row["employer_id"])
    cash = grouped(rows["financings"], lambda row: row["employer_id"])
    findings = grouped(rows["sanctions"], lambda row: row["subject_id"])
    found = {}
    for filed in rows["applications"]:
        own = {
            feed: [without(row, "person_id") for row in by.get(filed["person_id"], [])]
            for feed, by in of_person.items()
            if feed != "applications"
        }
        firms = {filed["employer_id"]} | {
            row["employer_id"]
            for feed in ("social_insurance", "shareholdings")
            for row in own.get(feed, [])
        }
        own["employers"] = [row for firm in sorted(firms) for row in register.get(firm, [])]
        own["financings"] = [row for firm in sorted(firms) for row in cash.get(firm, [])]
        mine = findings.get(filed["person_id"], [])
        own["sanctions"] = [without(row, "subject_id") for row in mine]
        own["sanctions"] += [row for firm in sorted(firms) for row in findings.get(firm, [])]
        own.setdefault("residence_permits", [])
        found[filed["application_no"]] = {
            "round": year,
            "application": {name: filed[name] for name in APPLICATION},
            "feeds": own,
        }
    return found


def grouped(rows: list[Facts], by: Callable[[Facts], str]) -> dict[str, list[Facts]]:
    """Rows by a key, in their order."""
    found: dict[str, list[Facts]] = {}
    for row in rows:
        found.setdefault(by(row), []).append(row)
    return found


def without(row: Facts, name: str) -> Facts:
    """A row less a column."""
    return {key: value for key, value in row.items() if key != name}
