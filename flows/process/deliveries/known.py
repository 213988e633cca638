"""What is known: the folder of feeds that the deliveries of a ledger come to (docs/process.md, 3).

Delivered files are linked, not copied or changed, and numbered in ledger order; beside them lies which
rows corrections took the place of.  The same ledger gives the same folder, whenever it is made.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flows.common.failures import FeedRefused, LedgerDamaged
from flows.common.files import write_table
from flows.ledger.entries import LEDGER, Entry
from flows.ledger.state import State
from flows.ledger.verify import other_files
from flows.process.deliveries.held import Held, all_held, delivery_ids, missing
from flows.process.deliveries.subjects import replaced
from flows.run.known import replaced_path
from schemas.feeds import FEEDS


@dataclass(frozen=True)
class Known:
    """Where the feeds lie, and what comes beside them; from which deliveries, and what is missing."""

    feeds: Path
    beside: Path
    deliveries: list[str]
    missing: list[str]


def known(
    state: State, warehouse: Path, year: int, into: Path, *, allow_missing: bool = False
) -> Known:
    """Put together what the feeds of a round hold by a ledger; raises FeedRefused where one is missing.

    For what was known at a moment, give the ledger of that moment (`state.known_at`).
    """
    feeds = all_held(state, year)
    lacking = missing_in(state, year, allow_missing=allow_missing)
    for each in feeds.values():
        require_untouched(warehouse, each.deliveries)
    folder, beside = into / "feeds", into / "known"
    folder.mkdir()
    beside.mkdir()
    for feed, each in feeds.items():
        (folder / feed).mkdir()
        if feed in lacking:
            header = ",".join(FEEDS[feed].schema().columns)
            (folder / feed / "nothing.csv").write_text(f"{header}\n")
            continue
        link(warehouse, each, folder / feed)
        rows = replaced(warehouse, each)
        if rows.height:
            write_table(rows, replaced_path(beside, feed))
    return Known(folder, beside, delivery_ids(state, year), lacking)


def missing_in(state: State, year: int, *, allow_missing: bool) -> list[str]:
    """The feeds that nothing came for; raises FeedRefused where they may not be missing."""
    found = missing(state, year)
    if found and not allow_missing:
        raise FeedRefused(
            f"round {year}: expected a delivery of every feed, found none of {', '.join(found)};"
            " --allow-missing takes them as empty, and such a run cannot be published; --feeds runs on"
            " a folder"
        )
    return found


def require_untouched(warehouse: Path, deliveries: Iterable[Entry]) -> None:
    """Raise LedgerDamaged where a kept file is not the one that was delivered."""
    for entry in deliveries:
        for name, found in other_files(warehouse, entry):
            raise LedgerDamaged(
                f"{LEDGER}: entry {entry.seq}: expected the file {name} as it was delivered, found"
                f" {found}; restore it from a backup"
            )


def link(warehouse: Path, of_feed: Held, folder: Path) -> None:
    """The delivered files of a feed in a folder, under names in the order in which they count."""
    names = iter(
        f"{entry.body['id']}{Path(part['file']).name[64:]}"
        for entry in of_feed.deliveries
        for part in entry.body["parts"]
    )
    for part in of_feed.parts(warehouse):
        target = folder / f"{part.number:06}-{next(names)}"
        try:
            os.link(part.path, target)
        except OSError:  # another file system, or one without links
            shutil.copyfile(part.path, target)
