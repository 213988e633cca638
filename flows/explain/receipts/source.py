"""The run receipts are made from: its directory, held against its manifest and the database first.

A receipt vouches for what a run wrote.  So every file it is made from must have the digest of the
manifest, and the manifest the digest the database keeps since the run was published.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from flows.common.by_name import scan_table
from flows.common.database import DATABASE, open_read_only
from flows.common.failures import BadUsage, CheckFailed
from flows.common.files import sha256, sha256_of
from flows.common.settings import Order
from flows.kept.past_run import MANIFEST, PastRun, past_run
from flows.kept.rejects import rejects_of
from schemas.feeds import FEEDS
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
MADE_FROM = ("round", "policy", "codes", "feeds", "options", "code")
RUN_ID_DIGITS = 16


@dataclass(frozen=True)
class Source:
    """A run whose files are as they were written, with its round and edition as pinned."""

    directory: Path
    run_id: str
    made: Round
    edition: Edition
    made_from: dict[str, Any]  # what the run is named by

    def table(self, name: str) -> pl.LazyFrame:
        """A table of the run."""
        if name == "rejects":
            return rejects_of(self.directory)
        return scan_table(self.directory / f"{name}.parquet")

    def feed(self, name: str) -> pl.LazyFrame:
        """The accepted rows of a feed."""
        return scan_table(self.directory / "accepted" / f"{name}.parquet")


def source(warehouse: Path, year: int, run_id: str | None = None) -> Source:
    """The published run of a round, or the one named; raises Failure when it cannot be vouched for."""
    if not run_id and not (warehouse / DATABASE).is_file():
        open_read_only(warehouse)  # says what to do
    try:
        past = past_run(warehouse, year, run_id)
        require_published(past)
        require_files(past)
    except OSError as error:
        raise BadUsage(f"cannot read {error.filename}: {error.strerror}") from None
    order = Order(past.year, past.directory, warehouse, data=past.directory / "pinned")
    made_from = {name: past.manifest[name] for name in MADE_FROM}
    return Source(past.directory, past.run_id, order.round(), order.edition(), made_from)


def require_published(past: PastRun) -> None:
    """Raise CheckFailed when the manifest is not the one the database knows, or names another run."""
    where = past.directory / MANIFEST
    if past.publication.trouble:
        raise CheckFailed(f"{past.warehouse / DATABASE}: {past.publication.trouble}")
    expected = past.publication.manifests.get(past.run_id)
    found = sha256(where)
    if expected not in (None, found):
        raise CheckFailed(
            f"{where}: expected sha256 {expected} as published, found {found}: the manifest was"
            " edited after publication, so no receipt can be made"
        )
    named = sha256_of({name: past.manifest[name] for name in MADE_FROM})[:RUN_ID_DIGITS]
    if named != past.run_id:
        raise CheckFailed(f"{where}: expected what names run {past.run_id}, found that of {named}")


def require_files(past: PastRun) -> None:
    """Raise CheckFailed when a file a receipt is made from is absent or is not as it was written."""
    expected = {
        f"{name}.parquet": past.manifest["outputs"].get(f"{name}.parquet", {}).get("sha256")
        for name in (*TABLES, *(f"accepted/{feed}" for feed in FEEDS))
    }
    for kind, folder in (("policy", "pinned/policy"), ("round", "pinned/rounds")):
        expected |= {f"{folder}/{name}": each for name, each in past.manifest[kind].items()}
    for name, digest in expected.items():
        path = past.directory / name
        if not path.is_file():
            raise CheckFailed(f"{path}: expected a file of the run, found none")
        if (found := sha256(path)) != digest:
            raise CheckFailed(
                f"{path}: expected sha256 {digest} as in the manifest, found {found}: the file was"
                " changed after the run, so no receipt can be made"
            )
