"""What a public capsule says: its tables, round and policy, and the counts in its manifest, read."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from flows.audit.capsule.contents import LEFT_OUT
from flows.common.failures import Failure
from flows.common.points import centipoints
from flows.kept.past_run import PastRun, pinned
from flows.kept.tables import table
from flows.run.tables import feed_counts
from schemas.feeds import FEEDS
from schemas.results import INDICATORS, TABLES, columns_of
from transforms.policy import Edition
from transforms.rounds import Round

UNREADABLE = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    pl.exceptions.PolarsError,
)
HELD = ("rounds", "feeds", "segments", "clauses", "public_list")


@dataclass(frozen=True)
class Published:
    """What a public capsule holds, read; points of the list in centipoints.

    delivered, rows, rechecked: what the manifest says of the run, in the types a run writes.
    """

    past: PastRun
    this_round: Round
    edition: Edition
    rounds: dict[str, Any]
    feeds: pl.DataFrame
    segments: pl.DataFrame
    clauses: pl.DataFrame
    listed: pl.DataFrame
    delivered: pl.DataFrame  # the feeds table that follows
    rows: dict[str, int]  # of every table, here or left out
    rechecked: bool


def read(past: PastRun) -> Published:
    """The tables, each validated by its model, and the round as pinned."""
    order = pinned(past.directory, past.year)
    tables = {name: table(past.directory, name).collect() for name in HELD}
    for name, rows in tables.items():
        TABLES[name].validate(rows, lazy=True)
    if tables["rounds"].height != 1:
        raise Failure(f"rounds: expected one row, found {tables['rounds'].height}")
    points = [centipoints(name).alias(name) for name in (*INDICATORS, "total")]
    return Published(
        past=past,
        this_round=order.round(),
        edition=order.edition(),
        rounds=tables["rounds"].row(0, named=True),
        feeds=tables["feeds"],
        segments=tables["segments"],
        clauses=tables["clauses"],
        listed=tables["public_list"].with_columns(points),
        **counts_in(past.manifest, past.year),
    )


def counts_in(manifest: dict[str, Any], year: int) -> dict[str, Any]:
    """What is needed of a manifest; raises Failure where it does not say so."""
    try:
        if not set(manifest["feeds"]) <= set(FEEDS):
            raise Failure("manifest.json: feeds: expected the feeds of a delivery, found others")
        outputs = manifest["outputs"] | manifest.get(LEFT_OUT, {})
        there = [name for name in TABLES if f"{name}.parquet" in outputs]
        names = (*there, *(f"accepted/{feed}" for feed in manifest["feeds"]))
        delivered = feed_counts(year, {"feeds": manifest["feeds"]}).select(columns_of("feeds"))
        return {
            "delivered": delivered,
            "rows": {name: int(outputs[f"{name}.parquet"]["rows"]) for name in names},
            "rechecked": manifest["options"]["recheck"] is True,
        }
    except UNREADABLE:
        raise Failure(
            "manifest.json: expected counts of every feed and table, found something else"
        ) from None
