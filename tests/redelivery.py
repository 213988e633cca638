"""Deliver feeds again with some rows changed: what a single change would have looked like on arrival.

The changes of `flows.explain.what_if` are rows as accepted, under the run's numbers; here they become rows as
departments deliver them, so that the whole pipeline can be asked whether they are true.
"""

import shutil
from pathlib import Path
from typing import Any

import polars as pl

from flows.explain.what_if import Change, Edit

Row = dict[str, Any]
DISTRICTS = ("district", "work_district")


class Delivery:
    """The feeds a run was made from, read once, and who is who in them."""

    def __init__(self, feeds: Path, run: Path) -> None:
        self.folder = feeds
        self.feeds = {path.name: pl.read_parquet(path / "*.parquet") for path in feeds.iterdir()}
        people = pl.read_parquet(run / "restricted" / "people.parquet")
        self.ids = dict(people.select("person", "person_id").iter_rows())
        applications = pl.read_parquet(run / "accepted" / "applications.parquet")
        filed = applications.join(self.feeds["applications"], on="application_no")
        employers = pl.read_parquet(run / "accepted" / "employers.parquet")
        pairs = (
            filed.select("employer", "employer_id"),
            employers.select("employer", "employer_id"),
        )
        self.codes = dict(pl.concat(pairs).iter_rows())

    def with_changes(self, changes: list[Change], out: Path) -> Path:
        """The delivery with all these changes made in it."""
        rows = {
            feed: frame.to_dicts() for feed, frame in self.feeds.items() if edited(changes, feed)
        }
        for change in changes:
            for edit in change.edits:
                self.edit(rows[edit.feed], edit)
        for feed, frame in self.feeds.items():
            (out / feed).mkdir(parents=True)
            if feed in rows:
                pl.DataFrame(rows[feed], schema=frame.schema).write_parquet(
                    out / feed / "a.parquet"
                )
            else:
                for path in (self.folder / feed).iterdir():
                    shutil.copy(path, out / feed)
        return out

    def edit(self, rows: list[Row], edit: Edit) -> None:
        """Put, replace or take out one row; the row it starts from must be there."""
        if edit.before is None:
            assert edit.after is not None
            rows.append(self.delivered(edit.feed, edit.after))
            return
        wanted = self.delivered(edit.feed, edit.before)
        place = next(n for n, row in enumerate(rows) if wanted.items() <= row.items())
        if edit.after is None:
            del rows[place]
        else:
            rows[place] = rows[place] | self.delivered(edit.feed, edit.after)

    def delivered(self, feed: str, row: Row) -> Row:
        """A row as delivered; an employer nobody ever told of stays out, so that it matches any."""
        found = {name: value for name, value in row.items() if name in self.feeds[feed].columns}
        found |= {name: str(row[name]) for name in DISTRICTS if name in row}
        if feed == "sanctions":
            found["subject_id"] = self.ids.get(row["person"]) or self.codes[row["employer"]]
            return found
        if "person" in row:
            found["person_id"] = self.ids[row["person"]]
        if row.get("employer") in self.codes:
            found["employer_id"] = self.codes[row["employer"]]
        return found


def edited(changes: list[Change], feed: str) -> bool:
    """Whether some change is about a feed."""
    return any(edit.feed == feed for change in changes for edit in change.edits)
