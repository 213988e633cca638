"""Whose receipts are made: everybody in a run, or one; and the rows of the run about them.

Here `person` is an applicant's place in the order of application numbers, so that receipts come out
in that order and nothing has to be looked up twice.  ID numbers and names are never read.
"""

from dataclasses import dataclass
from typing import Protocol

import polars as pl

from flows.common.failures import NotFound
from flows.explain.receipts.source import Source
from schemas.feeds import FEEDS, accepted
from schemas.words import of_check
from transforms.facts import Feeds
from transforms.policy import Edition
from transforms.rounds import Round


class Results(Protocol):
    """Accepted rows and the tables made of them, of a run or of people who need not exist."""

    @property
    def this_round(self) -> Round:
        """The round."""

    @property
    def edition(self) -> Edition:
        """The edition in force."""

    def table(self, name: str) -> pl.LazyFrame:
        """A table of results by application number."""

    def feed(self, name: str) -> pl.LazyFrame:
        """The accepted rows of a feed."""

    def had(self, feed: str) -> bool:
        """Whether there was such a feed."""


@dataclass(frozen=True)
class Applicants:
    """The applicants whose receipts are made.

    rows: person (0, 1, ...), application_no (ascending), key (the run's own number of the person).
    """

    run: Results
    rows: pl.DataFrame

    def feed(self, name: str) -> pl.LazyFrame:
        """The accepted rows of a feed about these applicants, `person` their place here."""
        keys, places = self.rows["key"], self.rows["person"]
        rows = self.run.feed(name)
        if self.rows.height == 1:  # a filter reads little of a large file
            return rows.filter(pl.col("person") == keys[0]).with_columns(
                person=pl.lit(places[0], pl.UInt32)
            )
        numbered = pl.select(pl.int_range(keys.len(), dtype=pl.UInt32)).to_series()
        place_of = places.gather(keys.arg_sort()) if keys.len() else numbered
        return rows.with_columns(person=pl.lit(place_of).gather("person")).drop_nulls("person")

    def feeds(self) -> Feeds:
        """The accepted feeds as rules read them: about these applicants, or about employers alone."""

        def rows(name: str) -> pl.LazyFrame:
            everybody = self.run.feed(name)
            if "person" not in accepted(name):
                return everybody
            of_nobody = everybody.filter(pl.col("person").is_null())
            both = pl.concat([self.feed(name), of_nobody])
            return both if name == "social_insurance" else both.sort(pl.all())

        return {name: rows(name) for name in FEEDS}

    def table(self, name: str) -> pl.LazyFrame:
        """The rows of a table of the run about these applicants, with `person`."""
        rows = self.run.table(name)
        if self.rows.height == 1:
            number = self.rows["application_no"][0]
            return rows.filter(pl.col("application_no") == number).with_columns(
                person=pl.lit(0, pl.UInt32)
            )
        people = self.rows.lazy().select("application_no", "person")
        return rows.join(people, on="application_no", maintain_order="left", validate="m:1")


def everybody(run: Source) -> Applicants:
    """All applicants of a run."""
    numbers = run.feed("applications").select("application_no", key="person")
    return Applicants(run, numbers.sort("application_no").with_row_index("person").collect())


def only(run: Source, application_no: str) -> Applicants:
    """One applicant; raises NotFound that says whether the application was quarantined."""
    numbers = run.feed("applications").select("application_no", key="person")
    found = numbers.filter(pl.col("application_no") == application_no).with_row_index("person")
    rows = found.collect()
    if rows.is_empty():
        raise NotFound(why_not_found(run, application_no))
    return Applicants(run, rows)


def why_not_found(run: Source, application_no: str) -> str:
    """Say whether an application was quarantined or is not there at all."""
    columns = ("file", "row_number", "column_name", "check_name")
    rejected = run.table("rejects").filter(pl.col("application_no") == application_no)
    rows = rejected.select(columns).unique().sort(columns).collect()
    if rows.is_empty():
        return f"round {run.this_round.year} has no application {application_no}"
    message = "; ".join(
        f"{file} row {row}: column {column}: expected {of_check(check)}"
        for file, row, column, check in rows.iter_rows()
    )
    return f"application {application_no} was quarantined and is not scored: {message}"
