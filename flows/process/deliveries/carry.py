"""`carry`: last round's verified facts of those who apply again, as a draft correction (docs/process.md, 3).

What did not change is not entered again.  The draft follows the feed's first delivery and leaves out
everybody who is in it already; a department looks at it, corrects it and delivers it as its own.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from flows.common.access import OWN_FOLDER
from flows.common.by_name import read_table
from flows.common.database import DATABASE, open_read_only
from flows.common.failures import BadUsage, NotFound, ProcessRefused
from flows.common.files import written_aside
from flows.ledger.state import State
from flows.process.deliveries.held import held
from flows.process.deliveries.note import PEOPLE, Note
from flows.process.deliveries.subjects import standing
from flows.process.deliveries.write_note import noted, write_note
from schemas.feeds import FEEDS

CARRIED = ("housing", "education")  # facts that stay true from one round to the next
DIGITS = 6  # of a district


@dataclass(frozen=True)
class Carried:
    """A draft delivery: from which round, of how many people, and its note."""

    round: int
    people: int
    note: Note
    folder: Path


def carry(
    state: State,
    warehouse: Path,
    year: int,
    feed: str,
    out: Path,
    *,
    department: str,
    delivered_at: datetime,
) -> Carried:
    """Write the draft with its note into a new folder, for its owner only."""
    if feed not in CARRIED:
        raise BadUsage(f"expected one of {', '.join(CARRIED)}, found another feed")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadUsage(f"--out: expected a new folder, found {out}: a draft is never overwritten")
    of_feed = held(state, year, feed)
    if of_feed.is_missing:
        raise ProcessRefused(
            f"{feed}: expected the feed's first delivery of round {year} before what is carried, found none"
        )
    last, run = last_run(warehouse, year)
    applying = standing(warehouse, held(state, year, "applications"))
    there = standing(warehouse, of_feed)
    rows = delivered_again(run, feed).filter(
        pl.col("person_id").is_in(applying.implode()),
        ~pl.col("person_id").is_in(there.implode()),
    )
    out.mkdir(mode=OWN_FOLDER, exist_ok=True)
    out.chmod(OWN_FOLDER)
    path = out / f"{feed}-{last}.csv"
    with written_aside(path, private=True) as file:
        file.write(rows.write_csv().encode())
    note = noted(
        *(year, feed, [path]), scope=PEOPLE, department=department, delivered_at=delivered_at
    )
    write_note(note, out / "note.toml")
    return Carried(last, rows["person_id"].n_unique(), note, out)


def last_run(warehouse: Path, year: int) -> tuple[int, Path]:
    """The latest earlier round that has a current run, and the run; raises NotFound."""
    found = None
    if (warehouse / DATABASE).exists():
        with open_read_only(warehouse) as database:
            query = "SELECT round, run_id FROM rounds WHERE round < ? ORDER BY round DESC LIMIT 1"
            found = database.execute(query, [year]).fetchone()
    if found is None:
        raise NotFound(f"expected a current run of a round before {year} to carry from, found none")
    last, run_id = found
    return last, warehouse / "runs" / str(last) / run_id


def delivered_again(run: Path, feed: str) -> pl.DataFrame:
    """The rows a run accepted of a feed, as a department delivers them."""
    people = read_table(run / "restricted" / "people.parquet", columns=["person", "person_id"])
    rows = read_table(run / "accepted" / f"{feed}.parquet").join(
        people, on="person", validate="m:1"
    )
    districts = pl.col("^district$").cast(pl.String).str.zfill(DIGITS)
    columns = list(FEEDS[feed].schema().columns)
    return rows.with_columns(districts).select(columns).sort(columns)
