"""Ingest a delivery: every feed screened, people and employers resolved to numbers, rows accepted.

Everything after this stage works on whole numbers.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from flows.common.failures import FeedRefused
from flows.common.files import write_json, write_parts, write_table
from flows.common.progress import report
from flows.kept.manifest import FILE_NAMES
from flows.run.canaries import prove_validator, require_armed
from flows.run.delivery import Folder, folder_of, refuse_strange_entries
from flows.run.file_bytes import FileBytes, bytes_of
from flows.run.file_columns import types_of
from flows.run.known import NO_BAR, digest_of, findings_in, replaced_in
from flows.run.number_people import LARGEST, Keys, needing_review, resolve, resolved, restrict
from flows.run.quarantine import published_rejects
from flows.run.read_files import check_columns, require_all_rows
from flows.run.refusal import refusal
from flows.run.screening import Screened, screen
from schemas.feeds import FEEDS
from transforms.rounds import Round

IN_ORDER = (*(feed for feed in FEEDS if feed != LARGEST), LARGEST)  # as feeds are read
NOT_LOOKED: Mapping[str, FileBytes | None] = {}


class Counts(NamedTuple):
    """How many good rows of a feed count, and how many are about nobody who applied."""

    accepted: int
    strangers: int


def ingest(
    feeds: Path,
    this_round: Round,
    out: Path,
    *,
    max_rejects: Fraction,
    known: Path | None = None,
    bars: pl.Expr = NO_BAR,
) -> Path:
    """Accepted rows, rejects and the restricted tables below `out`; returns the delivery's record.

    `known` is what comes with feeds that were put together from several deliveries (`known.py`).
    Raises FeedRefused with one line a refused feed; nothing is written then.
    """
    require_armed()
    folders = folders_of(feeds)

    def screen_one(feed: str) -> Screened:
        replaced = replaced_in(known, feed)
        return screen(feed, folders[feed].parts, this_round.received_on, max_rejects, replaced)

    screened, delivered = screen_all(folders, screen_one)
    added = add_findings(screened, findings_in(known), bars)
    record = accept(screened, folders, delivered, this_round, out)
    note_known(record, known, added)
    write_json(record, out / "delivery.json")
    return out / "delivery.json"


def folders_of(feeds: Path) -> dict[str, Folder]:
    """Feed -> its files; raises FeedRefused that names every entry that would not be read.

    Headers are looked at before any row is, so that a wrong one is reported at once.
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
    folders: dict[str, Folder],
    screen_one: Callable[[str], Screened],
    known: Mapping[str, FileBytes | None] = NOT_LOOKED,
) -> tuple[dict[str, Screened], dict[str, FileBytes]]:
    """Every feed screened, and what every file is; raises FeedRefused as the two below do.

    What is `known` of a file is not looked at again.
    """
    with ThreadPoolExecutor(1) as beside:
        looked_at = {
            part.name: beside.submit(bytes_of, part)
            for feed in FEEDS
            for part in folders[feed].parts
            if part.name not in known
        }
        screened = largest_beside(screen_one)
        found = {**known, **{name: looked.result() for name, looked in looked_at.items()}}
    return screened, require_complete(folders, screened, found)


def largest_beside(screen_one: Callable[[str], Screened]) -> dict[str, Screened]:
    """Every feed screened; raises FeedRefused that names all refused feeds at once.

    Raises ValidatorBroken before any row is accepted when the validator is not proved to work.

    The largest feed is screened beside the sixteen others: it keeps the cores busy while they,
    small, cost one core's time each.
    """
    with ThreadPoolExecutor(1) as beside:
        largest = beside.submit(screen_one, LARGEST)
        prove_validator()
        screened, refused = {}, {}
        for done, feed in enumerate(IN_ORDER):
            report(f"reading {feed}", done, len(FEEDS))
            try:
                screened[feed] = largest.result() if feed == LARGEST else screen_one(feed)
            except FeedRefused as failure:
                refused[feed] = str(failure)
    if refused:
        raise all_refused(refused)
    return screened


def all_refused(by_feed: dict[str, str]) -> FeedRefused:
    """Feeds that are refused as one failure: all of them, in the order in which they are read."""
    failure = FeedRefused("\n".join(by_feed[feed] for feed in IN_ORDER if feed in by_feed))
    failure.by_feed = by_feed
    return failure


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
            if looked and rows > screened[feed].left_out.get(part.name, 0):
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
    this_round: Round,
    out: Path,
) -> dict[str, Any]:
    """Write what counts, and return the record of the delivery: a line a feed."""
    keys = resolve(screened)
    applications = screened["applications"].rows
    restrict(applications, keys, out)
    keep_names(folders, out)
    counts = {feed: accept_feed(each, keys, out) for feed, each in screened.items()}
    write_rejects(screened, applications, keys, this_round, out)
    return record_of(screened, folders, delivered, counts)


def accept_feed(screened: Screened, keys: Keys, out: Path, *, placed: bool = False) -> Counts:
    """Write what counts of one feed."""
    good = sum(part.height for part in screened.parts) - screened.repeated.len()
    path = out / "accepted" / f"{screened.feed}.parquet"
    accepted = write_parts(accepting(screened, keys, placed=placed), path)
    return Counts(accepted, strangers=good - accepted)


def write_rejects(
    screened: dict[str, Screened],
    applications: pl.DataFrame,
    keys: Keys,
    this_round: Round,
    out: Path,
) -> None:
    """Write the rejects of all feeds, and who needs review because of them."""
    rejects = pl.concat(screened[feed].rejects for feed in FEEDS)
    write_table(published_rejects(rejects, applications, this_round), out / "rejects.parquet")
    write_table(needing_review(rejects, out, keys), out / "accepted" / "needs_review.parquet")


def record_of(
    screened: dict[str, Screened],
    folders: dict[str, Folder],
    delivered: dict[str, FileBytes],
    counts: dict[str, Counts],
) -> dict[str, Any]:
    """The record of the delivery: a line a feed."""
    return {
        "feeds": {
            feed: {
                "files": {
                    name.partition("/")[2]: {"rows": rows, "sha256": delivered[name].sha256}
                    for name, rows in screened[feed].file_rows.items()
                },
                "rows": screened[feed].counted,
                "quarantined": screened[feed].quarantined,
                "duplicates": screened[feed].duplicates,
                "strangers": counts[feed].strangers,
                "accepted": counts[feed].accepted,
            }
            for feed in FEEDS
        },
        "litter": sum(folder.litter for folder in folders.values()),
    }


def add_findings(
    screened: dict[str, Screened], findings: pl.DataFrame, bars: pl.Expr
) -> pl.DataFrame:
    """Add findings on applicants and their employers that bar the round; those that were added.

    One that a department delivered too counts once.
    """
    if findings.is_empty():
        return findings
    sanctions, applications = screened["sanctions"], screened["applications"].rows
    subjects = pl.concat(
        applications[name].cast(pl.String).alias("subject_id")
        for name in ("person_id", "employer_id")
    )
    there = sanctions.rows.select(pl.col("subject_id").cast(pl.String), "found_on")
    added = (
        findings.unique()
        .filter(bars, pl.col("subject_id").is_in(subjects.implode()))
        .join(there, on=["subject_id", "found_on"], how="anti")
        .sort("subject_id", "found_on")
    )
    if added.height:
        first, start = sanctions.parts[0], sum(sanctions.file_rows.values())
        more = added.with_row_index("row", offset=start)
        sanctions.parts.append(
            more.select(pl.col(name).cast(dtype) for name, dtype in first.schema.items())
        )
    return added


def note_known(record: dict[str, Any], known: Path | None, added: pl.DataFrame) -> None:
    """Put into the record what was known beside the files, where that is anything."""
    for feed, counts in record["feeds"].items():
        replaced = replaced_in(known, feed)
        if replaced.height:
            counts["replaced"] = digest_of(replaced)
    if added.height:
        sanctions = record["feeds"]["sanctions"]
        sanctions["findings"] = {"rows": added.height, "digest": digest_of(added)}
        sanctions["rows"] += added.height


def accepting(screened: Screened, keys: Keys, *, placed: bool = False) -> Iterator[pl.DataFrame]:
    """Part by part what is accepted of a feed; a part is let go, so that a large feed fits once."""
    if screened.feed != LARGEST:  # sorted as a whole, into however many parts it was read
        screened.parts[:] = [pl.concat(screened.parts)]
    while screened.parts:
        part = screened.parts.pop(0)
        yield resolved(screened.feed, part, screened.repeated, keys, placed=placed)


def keep_names(folders: dict[str, Folder], out: Path) -> None:
    """The names the files came under, part-N the N-th: anybody's, so restricted; no part of the run."""
    names = {feed: [part.path.name for part in each.parts] for feed, each in folders.items()}
    write_json(names, out / FILE_NAMES)
    (out / FILE_NAMES).chmod(0o600)
