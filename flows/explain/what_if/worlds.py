"""Many changes scored at once by the real rules: each change is a world of its own.

Every world holds all the rows under its own person and employer numbers, so that one call of the
ledger scores them all and no world can reach another's points.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from flows.common.points import centipoints
from flows.explain.what_if.accepted_rows import Records
from flows.explain.what_if.change import Change, Edit
from flows.run.score import eligibility, scores
from transforms.facts import Feeds
from transforms.policy import Edition
from transforms.rounds import Round
from transforms.scorecard import ledger


def scored(
    of: Records, changes: Sequence[Change], edition: Edition, this_round: Round
) -> pl.DataFrame:
    """application_no, total (centipoints), eligible: change by change, each by person."""
    feeds = worlds(of, changes)
    found = ledger(feeds, edition, this_round, with_evidence=False)
    people = feeds["applications"].select("person", "application_no").collect()
    return people.select(
        "application_no",
        total=scores(people, found).select(centipoints("total")).to_series(),
        eligible=eligibility(people, found)["eligible"],
    )


def worlds(of: Records, changes: Sequence[Change]) -> Feeds:
    """The accepted feeds of all worlds."""
    edits = list(dict.fromkeys(edit for change in changes for edit in change.edits))
    place = {edit: number for number, edit in enumerate(edits)}
    pairs = pl.DataFrame(
        [(world, place[edit]) for world, change in enumerate(changes) for edit in change.edits],
        schema={"world": pl.UInt32, "edit": pl.UInt32},
        orient="row",
    )
    every = pl.DataFrame({"world": pl.int_range(len(changes), dtype=pl.UInt32, eager=True)})
    keys = {"person": of.people, "employer": of.employers}
    feeds = {}
    for feed, rows in of.feeds.items():
        edited = {place[edit]: edit for edit in edits if edit.feed == feed}
        everywhere = rows.with_row_index("line").join(every, how="cross")
        changed = with_edits(everywhere, rows, edited, pairs) if edited else everywhere
        numbered = changed.select(
            own(name, keys[name]) if name in keys else pl.col(name) for name in rows.columns
        )
        # as ingest leaves them: sorted, but for insurance, whose order no rule may rely on
        feeds[feed] = (
            numbered if feed == "social_insurance" else numbered.sort(rows.columns)
        ).lazy()
    return feeds


def with_edits(
    everywhere: pl.DataFrame, rows: pl.DataFrame, edited: dict[int, Edit], pairs: pl.DataFrame
) -> pl.DataFrame:
    """A feed in every world, with the edits of each world made in it."""
    gone = pl.DataFrame(
        {"edit": list(edited), "line": lines(rows, edited.values())},
        schema={"edit": pl.UInt32, "line": pl.UInt32},
    ).drop_nulls()
    put = {number: edit.after for number, edit in edited.items() if edit.after is not None}
    new = pl.DataFrame(list(put.values()), schema=rows.schema).with_columns(
        edit=pl.Series(list(put), dtype=pl.UInt32)
    )
    taken_out = pairs.join(gone, on="edit", validate="m:1")
    left = everywhere.join(taken_out, on=["world", "line"], how="anti")
    return pl.concat(
        [left, pairs.join(new, on="edit", validate="m:1").drop("edit")], how="diagonal"
    )


def lines(rows: pl.DataFrame, edits: Iterable[Edit]) -> list[int | None]:
    """The line of the row each edit starts from; edits of equal rows take them in turn."""
    equal: dict[tuple[Any, ...], deque[int]] = defaultdict(deque)
    for line, row in enumerate(rows.iter_rows()):
        equal[row].append(line)
    found: list[int | None] = []
    for edit in edits:
        if edit.before is None:
            found.append(None)
            continue
        of_row = equal[tuple(edit.before[name] for name in rows.columns)]
        found.append(of_row[0])
        of_row.rotate(-1)
    return found


def own(name: str, keys: list[int]) -> pl.Expr:
    """A world's own numbers: dense from 0, as the rules expect of persons."""
    dense = pl.col(name).replace_strict(keys, list(range(len(keys))), return_dtype=pl.UInt32)
    return (dense + pl.col("world") * len(keys)).cast(pl.UInt32).alias(name)
