"""The accepted rows of a past run that concern a few of its applicants, and nobody else's.

Files are filtered while they are read: seventeen million insurance rows never lie in memory.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.explain.what_if.change import OF_EMPLOYERS
from flows.kept.tables import feed as kept_feed
from schemas.feeds import FEEDS

NAMING_EMPLOYERS = ("applications", "social_insurance", "shareholdings")


@dataclass(frozen=True)
class Records:
    """Rows by feed, persons and employers under the numbers the run knows them by."""

    feeds: dict[str, pl.DataFrame]

    @property
    def people(self) -> list[int]:
        """The applicants, ascending."""
        return self.feeds["applications"]["person"].to_list()

    @property
    def employers(self) -> list[int]:
        """Every employer a row names, ascending."""
        named = (rows["employer"] for rows in self.feeds.values() if "employer" in rows.columns)
        return pl.concat(named).drop_nulls().unique().sort().to_list()


def records(run: Path, people: Iterable[int]) -> Records:
    """All rows about some persons, and those about employers they have to do with."""
    scans = {feed: kept_feed(run, feed) for feed in FEEDS}
    of_person = pl.col("person").is_in(sorted(people))
    found = {
        feed: rows.filter(of_person)
        for feed, rows in scans.items()
        if feed not in (*OF_EMPLOYERS, "sanctions")
    }
    read = dict(zip(found, pl.collect_all(found.values(), engine="streaming"), strict=True))
    named = pl.concat(read[feed]["employer"] for feed in NAMING_EMPLOYERS).unique().implode()
    of_employer = pl.col("employer").is_in(named)
    for feed in OF_EMPLOYERS:
        read[feed] = scans[feed].filter(of_employer).collect()
    read["sanctions"] = scans["sanctions"].filter(of_person | of_employer).collect()
    return Records({feed: read[feed] for feed in FEEDS})


def numbered_person(run: Path, application_no: str) -> int:
    """The number of the applicant who filed an application."""
    rows = kept_feed(run, "applications")
    found = rows.filter(pl.col("application_no") == application_no).select("person").collect()
    return int(found.item())


def concerned(run: Path, employers: Iterable[int]) -> list[int]:
    """The applicants an employer's record may matter to: it files for them, or they hold shares."""
    of_employer = pl.col("employer").is_in(sorted(employers))
    people = [
        kept_feed(run, feed).filter(of_employer).select("person")
        for feed in ("applications", "shareholdings")
    ]
    return pl.concat(people).unique().sort("person").collect()["person"].to_list()
