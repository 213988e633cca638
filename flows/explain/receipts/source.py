"""The run receipts are made from: its directory, held against its manifest and the database first.

A receipt vouches for what a run wrote.  So every file it is made from must have the digest of the
manifest, and the manifest the digest the database keeps since the run was published.  The table of
people is read for the salts only.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from flows.common.database import DATABASE, open_read_only
from flows.common.failures import CheckFailed, DatabaseUnreadable
from flows.common.files import sha256
from flows.common.messages import message_with_file
from flows.kept.past_run import MANIFEST, PastRun, past_run, pinned
from flows.kept.run_files import expected_digests, odd_rounds
from flows.kept.run_id import named_by, run_id_of
from flows.kept.salts import PEOPLE, Salts, delivered, salts_of
from flows.kept.tables import feed, table
from transforms.policy import Edition
from transforms.rounds import Round

TABLES = (
    "scores",
    "eligibility",
    "evidence",
    "condition_evidence",
    "ranking",
    "rejects",
    "rounds",
)


@dataclass(frozen=True)
class Source:
    """A run whose files are as they were written, with its round and edition as pinned."""

    directory: Path
    run_id: str
    this_round: Round
    edition: Edition
    made_from: dict[str, Any]  # what the run is named by
    delivered: dict[str, Any]  # counts and salted digests of the files
    salts: Salts

    def table(self, name: str) -> pl.LazyFrame:
        """A table of the run."""
        return table(self.directory, name)

    def had(self, feed: str) -> bool:
        """Whether there was such a feed when the run was made."""
        return feed in self.delivered

    def feed(self, name: str) -> pl.LazyFrame:
        """The accepted rows of a feed."""
        return feed(self.directory, name)


def source(warehouse: Path, year: int, run_id: str | None = None) -> Source:
    """The published run of a round, or the one named, to read; raises as `vouched_run` does."""
    return source_of(vouched_run(warehouse, year, run_id))


def vouched_run(warehouse: Path, year: int, run_id: str | None = None) -> PastRun:
    """The published run of a round, or the one named; raises Failure when it cannot be vouched for."""
    if not run_id and not (warehouse / DATABASE).is_file():
        with open_read_only(warehouse):  # says what to do
            pass
    with message_with_file():
        past = past_run(warehouse, year, run_id)
        require_published(past)
        require_files(past)
        return past


def source_of(past: PastRun) -> Source:
    """A run whose files were held against its manifest already."""
    order = pinned(past.directory, past.year)
    salts = salts_of(past.directory)
    return Source(
        directory=past.directory,
        run_id=past.run_id,
        this_round=order.round(),
        edition=order.edition(),
        made_from=named_by(past.manifest),
        delivered=delivered(past.manifest["feeds"], salts),
        salts=salts,
    )


def require_published(past: PastRun) -> None:
    """Raise CheckFailed when the manifest is not the one the database knows, or names another run.

    DatabaseUnreadable where nobody can know.
    """
    where = past.directory / MANIFEST
    if past.publication.trouble:
        raise DatabaseUnreadable(f"{past.warehouse / DATABASE}: {past.publication.trouble}")
    expected = past.publication.manifests.get(past.run_id)
    found = sha256(where)
    if expected not in (None, found):
        raise CheckFailed(
            f"{where}: expected sha256 {expected} as published, found {found}: the manifest was"
            " edited after publication, so no receipt can be made"
        )
    if (named := run_id_of(past.manifest)) != past.run_id:
        raise CheckFailed(f"{where}: expected what names run {past.run_id}, found that of {named}")


def require_files(past: PastRun) -> None:
    """Raise CheckFailed when a file a receipt is made from is absent or is not as it was written."""
    feeds = (f"accepted/{feed}" for feed in past.manifest["feeds"])
    needed = [*(f"{name}.parquet" for name in (*TABLES, *feeds)), PEOPLE]
    expected = expected_digests(past.manifest)
    needed += [name for name in expected if name.startswith(("pinned/policy/", "pinned/rounds/"))]
    for name in odd_rounds(past.directory, past.manifest):
        raise CheckFailed(f"{past.directory / name}: expected what names the run, found another")
    for name in needed:
        digest = expected.get(name)
        path = past.directory / name
        if not path.is_file():
            raise CheckFailed(f"{path}: expected a file of the run, found none")
        if (found := sha256(path)) != digest:
            raise CheckFailed(
                f"{path}: expected sha256 {digest} as in the manifest, found {found}: the file was"
                " changed after the run, so no receipt can be made"
            )
