"""Ingest a delivery: every feed screened, people and employers resolved to numbers, rows accepted.

Everything after this stage works on whole numbers: `person` counts the accepted applicants in the
order of their ID numbers, `employer` the known employers in the order of their codes.  ID numbers
and names go to one restricted table and nowhere else.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl

from flows.common.by_name import read_table
from flows.common.failures import FeedRefused
from flows.common.files import write_json, write_parts, write_table
from flows.common.progress import report
from flows.kept.manifest import FILE_NAMES
from flows.run.canaries import prove_validator, require_armed
from flows.run.delivery import Folder, folder_of, refuse_strange_entries
from flows.run.file_bytes import FileBytes, bytes_of
from flows.run.file_columns import types_of
from flows.run.read_files import check_columns, require_all_rows
from flows.run.refusal import refusal
from flows.run.screening import Screened, recode, screen
from schemas.feeds import FEEDS
from schemas.text import is_without_id_number
from transforms.rounds import Round

LARGEST = "social_insurance"
NAMES_EMPLOYERS = ("employers", "applications", "shareholdings")
UNRESOLVED = ("row", "person_id", "employer_id", "subject_id")


@dataclass(frozen=True)
class Keys:
    """Who is who: ID number -> person, credit code -> employer."""

    people: pl.DataFrame
    employers: pl.DataFrame


def ingest(feeds: Path, made: Round, out: Path, *, max_rejects: Fraction) -> Path:
    """Accepted rows, rejects and the restricted tables below `out`; returns the delivery's record.

    Raises FeedRefused with one line a refused feed; nothing is written then.
    """
    require_armed()
    folders = folders_of(feeds)
    with ThreadPoolExecutor(1) as beside:
        looked_at = {
            part.name: beside.submit(bytes_of, part)
            for feed in FEEDS
            for part in folders[feed].parts
        }
        screened = screen_all(folders, made, max_rejects)
        found = {name: looked.result() for name, looked in looked_at.items()}
    delivered = require_complete(folders, screened, found)
    record = accept(screened, folders, delivered, made, out)
    write_json(record, out / "delivery.json")
    return out / "delivery.json"


def folders_of(feeds: Path) -> dict[str, Folder]:
    """Feed -> its files; raises FeedRefused that names every entry that would not be read.

    Headers are looked at before any row is, so that a wrong one is told at once.
    """
    if not feeds.is_dir():
        raise FeedRefused(f"expected a delivery folder {feeds}, found none")
    found, refused = {}, []
    try:
        refuse_strange_entries(feeds)
    except FeedRefused as failure:
        refused.append(str(failure))
    for feed, delivery in FEEDS.items():
        try:
            found[feed] = folder_of(feeds, feed)
            for part in found[feed].parts:
                check_columns(part, types_of(delivery.schema()))
        except FeedRefused as failure:
            refused.append(str(failure))
    if refused:
        raise FeedRefused("\n".join(refused))
    return found


def screen_all(
    folders: dict[str, Folder], made: Round, max_rejects: Fraction
) -> dict[str, Screened]:
    """Every feed screened; raises FeedRefused that tells all refused feeds at once.

    Raises ValidatorBroken before any row is accepted when the validator is not proved to work.

    The largest feed is screened beside the sixteen others: it keeps the cores busy while they,
    small, cost one core's time each.
    """

    def screen_one(feed: str) -> Screened:
        return screen(feed, folders[feed].parts, made.received_on, max_rejects)

    with ThreadPoolExecutor(1) as beside:
        largest = beside.submit(screen_one, LARGEST)
        prove_validator()
        screened, refused = {}, []
        for done, feed in enumerate([*(name for name in FEEDS if name != LARGEST), LARGEST]):
            report(f"reading {feed}", done, len(FEEDS))
            try:
                screened[feed] = largest.result() if feed == LARGEST else screen_one(feed)
            except FeedRefused as failure:
                refused.append(str(failure))
    if refused:
        raise FeedRefused("\n".join(refused))
    return screened


def require_complete(
    folders: dict[str, Folder], screened: dict[str, Screened], found: dict[str, FileBytes | None]
) -> dict[str, FileBytes]:
    """What every file is; raises FeedRefused where rows were lost or a file came twice."""
    refused = []
    for feed, folder in folders.items():
        seen: dict[str, str] = {}
        for part in folder.parts:
            rows, looked = screened[feed].file_rows[part.name], found[part.name]
            try:
                require_all_rows(part, rows, looked)
            except FeedRefused as failure:
                refused.append(str(failure))
            if looked and rows:
                first = seen.setdefault(looked.content_sha256, part.name)
                if first != part.name:
                    refused.append(refusal(part.name, "a file of its own", f"{first} again"))
    if refused:
        raise FeedRefused("\n".join(refused))
    return {name: looked for name, looked in found.items() if looked}


def accept(
    screened: dict[str, Screened],
    folders: dict[str, Folder],
    delivered: dict[str, FileBytes],
    made: Round,
    out: Path,
) -> dict[str, Any]:
    """Write what counts, and return the record of the delivery: a line a feed."""
    keys = resolve(screened)
    applications = screened["applications"].rows
    restrict(applications, keys, out)
    keep_names(folders, out)
    good: dict[str, int] = {}
    accepted: dict[str, int] = {}
    for feed, each in screened.items():
        good[feed] = sum(part.height for part in each.parts) - each.repeated.len()
        accepted[feed] = write_parts(accepting(each, keys), out / "accepted" / f"{feed}.parquet")
    rejects = pl.concat(screened[feed].rejects for feed in FEEDS)
    write_table(published_rejects(rejects, applications, made), out / "rejects.parquet")
    write_table(needing_review(rejects, out, keys), out / "accepted" / "needs_review.parquet")
    return {
        "feeds": {
            feed: {
                "files": {
                    name.partition("/")[2]: {"rows": rows, "sha256": delivered[name].sha256}
                    for name, rows in screened[feed].file_rows.items()
                },
                "rows": sum(screened[feed].file_rows.values()),
                "quarantined": screened[feed].quarantined,
                "duplicates": screened[feed].duplicates,
                "strangers": good[feed] - accepted[feed],
                "accepted": accepted[feed],
            }
            for feed in FEEDS
        },
        "litter": sum(folder.litter for folder in folders.values()),
    }


def accepting(screened: Screened, keys: Keys) -> Iterator[pl.DataFrame]:
    """Part by part what is accepted of a feed; a part is let go, so that a large feed fits once."""
    if screened.feed != LARGEST:  # sorted as a whole, into however many parts it was read
        screened.parts[:] = [pl.concat(screened.parts)]
    while screened.parts:
        yield resolved(screened.feed, screened.parts.pop(0), screened.repeated, keys)


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


def resolved(feed: str, rows: pl.DataFrame, repeated: pl.Series, keys: Keys) -> pl.DataFrame:
    """What counts of a feed's good rows, in whole numbers, dates and enums, in canonical order."""
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
    counting = numbered.filter(
        about_applicants(feed, numbered), ~pl.col("row").is_in(repeated.implode())
    ).drop("row")
    if feed == LARGEST:
        return counting  # in the order delivered: no rule looks at it, and sorting costs seconds
    return counting.sort(counting.columns)


def about_applicants(feed: str, rows: pl.DataFrame) -> pl.Expr:
    """Whether a row is about somebody who applied, a sanction perhaps about a known employer."""
    known = ("person", "employer") if feed == "sanctions" else ("person",)
    named = [pl.col(name).is_not_null() for name in known if name in rows.columns]
    return pl.any_horizontal(named or pl.lit(value=True))


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


def keep_names(folders: dict[str, Folder], out: Path) -> None:
    """The names the files came under, part-N the N-th: anybody's, so restricted; no part of the run."""
    names = {feed: [part.path.name for part in each.parts] for feed, each in folders.items()}
    write_json(names, out / FILE_NAMES)
    (out / FILE_NAMES).chmod(0o600)


def published_rejects(
    rejects: pl.DataFrame, applications: pl.DataFrame, made: Round
) -> pl.DataFrame:
    """Rejects as published: no identity but the application they belong to.

    The number of a rejected application is shown only where it passed its own check.
    """
    known = applications.select(
        pl.col("person_id").cast(pl.String), accepted_no=pl.col("application_no")
    )
    bad_number = (pl.col("column_name") == "application_no").any().over("file", "row_number")
    own = pl.when(~bad_number).then("application_no")
    return (
        rejects.with_row_index("order")
        .with_columns(person_id=pl.coalesce("person_id", "subject_id"), own_no=own)
        .join(known, on="person_id", how="left", validate="m:1")
        .sort("order", "row_number", "column_name", "check_name")
        .select(
            round=pl.lit(made.year, pl.Int32),
            feed="feed",
            file="file",
            row_number="row_number",
            column_name="column_name",
            check_name="check_name",
            masked_value="masked_value",
            application_no=pl.when(pl.col("feed") == "applications")
            .then("own_no")
            .otherwise("accepted_no"),
        )
    )


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
