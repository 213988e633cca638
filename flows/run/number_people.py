"""Who is who in whole numbers: `person` counts the accepted applicants in the order of their ID numbers,
`employer` the known employers in the order of their codes.

ID numbers and names go to one restricted table and nowhere else.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.common.by_name import read_table
from flows.common.files import write_table
from flows.run.codes import recode
from flows.run.screening import Screened
from schemas.text import is_without_id_number

LARGEST = "social_insurance"
NAMES_EMPLOYERS = ("employers", "applications", "shareholdings")
UNRESOLVED = ("row", "person_id", "employer_id", "subject_id")


@dataclass(frozen=True)
class Keys:
    """Who is who: ID number -> person, credit code -> employer."""

    people: pl.DataFrame
    employers: pl.DataFrame


def resolve(screened: dict[str, Screened]) -> Keys:
    """Number the accepted applicants by ID number and the employers by credit code."""
    people = screened["applications"].rows.select("person_id")
    employers = pl.concat(screened[feed].rows.select("employer_id") for feed in NAMES_EMPLOYERS)
    return Keys(
        people=people.sort(pl.col("person_id").cast(pl.String)).with_row_index("person"),
        employers=employers.unique()
        .sort(pl.col("employer_id").cast(pl.String))
        .with_row_index("employer"),
    )


def resolved(
    feed: str, rows: pl.DataFrame, repeated: pl.Series, keys: Keys, *, placed: bool = False
) -> pl.DataFrame:
    """What counts of a feed's good rows, in whole numbers, dates and enums, in canonical order.

    `placed` leaves the position in the feed beside rows that stay in the order delivered.
    """
    if "subject_id" in rows.columns:
        subject = pl.col("subject_id")
        rows = rows.with_columns(
            person_id=subject.cast(keys.people.schema["person_id"]),
            employer_id=subject.cast(keys.employers.schema["employer_id"]),
        )
    found = [
        recode(rows[column], getattr(keys, table), by=column, to=name)
        for column, table, name in (
            ("person_id", "people", "person"),
            ("employer_id", "employers", "employer"),
        )
        if column in rows.columns
    ]
    numbered = rows.select(
        "row",
        *found,
        *(
            name
            for name in rows.columns
            if name not in UNRESOLVED and (feed, name) != ("applications", "name")
        ),
        *(["employer_id"] if feed == "employers" else []),
    ).with_columns(
        pl.col("^employer_id$").cast(pl.String),
        # no rule reads it, so an ID number in it makes no row bad; yet it may not be kept here
        pl.when(is_without_id_number(pl.col("^programme$"))).then(pl.col("^programme$")),
    )
    # about somebody who applied, a sanction perhaps about a known employer
    known = ("person", "employer") if feed == "sanctions" else ("person",)
    named = [pl.col(name).is_not_null() for name in known if name in numbered.columns]
    counting = numbered.filter(
        pl.any_horizontal(named or pl.lit(value=True)), ~pl.col("row").is_in(repeated.implode())
    )
    if feed == LARGEST:  # in the order delivered: no rule looks at it, and sorting costs seconds
        return counting if placed else counting.drop("row")
    counting = counting.drop("row")
    return counting.sort(counting.columns)


def restrict(applications: pl.DataFrame, keys: Keys, out: Path) -> None:
    """The one table that holds ID numbers and names, readable by its owner only."""
    path = out / "restricted" / "people.parquet"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    people = applications.join(keys.people, on="person_id", validate="1:1").sort("person")
    write_table(
        people.select("person", "application_no", pl.col("person_id").cast(pl.String), "name"),
        path,
    )
    path.chmod(0o600)


def needing_review(rejects: pl.DataFrame, out: Path, keys: Keys) -> pl.DataFrame:
    """Accepted applicants with a quarantined row about them, their employer or their firm's cash."""
    people = keys.people.with_columns(pl.col("person_id").cast(pl.String))
    employers = keys.employers.with_columns(pl.col("employer_id").cast(pl.String))
    own = rejects.select(person_id=pl.coalesce("person_id", "subject_id")).join(
        people, on="person_id"
    )
    of_employer = rejects.filter(pl.col("feed").is_in(["employers", "sanctions"])).select(
        employer_id=pl.coalesce("employer_id", "subject_id")
    )
    of_firm = rejects.filter(pl.col("feed") == "financings").select("employer_id")
    accepted = {
        feed: read_table(out / "accepted" / f"{feed}.parquet", columns=["person", "employer"])
        for feed in ("applications", "shareholdings")
    }
    return (
        pl.concat(
            [
                own.select("person"),
                of_employer.join(employers, on="employer_id")
                .join(accepted["applications"], on="employer")
                .select("person"),
                of_firm.join(employers, on="employer_id")
                .join(accepted["shareholdings"], on="employer")
                .select("person"),
            ]
        )
        .unique()
        .sort("person")
    )
