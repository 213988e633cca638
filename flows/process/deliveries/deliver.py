"""`deliver`: held against its note, screened, kept as it came, and recorded (docs/process.md, 3).

The files are copied first, and everything is looked at in the copy.  The same delivery again is
recognised before anything else.  What is refused leaves nothing behind; a killed command leaves at
most a complete copy that no entry names, which is taken up when the delivery comes again.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl

from flows.common.access import OWN_FOLDER
from flows.common.failures import FeedRefused, ProcessRefused
from flows.common.files import sha256, sync_entry
from flows.common.messages import message_without_values
from flows.common.private_folder import private_folder
from flows.common.settings import Order
from flows.ledger.entries import FILES, Entry, at_text
from flows.ledger.file import read
from flows.ledger.operations import APPEAL_DECIDE, DELIVER
from flows.ledger.state import State
from flows.process.deliveries.brought import (
    Figures,
    figures,
    refuse_figures,
    refuse_files,
    some_parts,
)
from flows.process.deliveries.held import Held, delivery_ids, held
from flows.process.deliveries.note import ALL, PART, PEOPLE, Note, read_note
from flows.process.deliveries.screened import Found, screened
from flows.process.deliveries.subjects import in_parts, in_withdrawn, replaced, standing
from flows.process.turn import Asked, Turn, make_up, turn
from flows.run.delivery import SUFFIXES, Part
from flows.run.known import REPLACED, subject_of
from schemas.feeds import FEEDS
from transforms.phases import shown

FOLDER = "deliveries"
READ_ONLY = 0o400
# where the subjects of a correction have to stand; a sanction's is a person or an employer
STAND_IN = {
    "person_id": ("applications",),
    "employer_id": ("employers",),
    "subject_id": ("applications", "employers"),
}


@dataclass(frozen=True)
class Delivered:
    """What a delivery came to: its entry, what screening found, and whether it was known already."""

    entry: Entry
    state: State
    found: Found | None = None  # none where it was recognised: it was screened when it came

    @property
    def recorded(self) -> tuple[Entry, ...]:
        """The entry, where this made it."""
        return (self.entry,) if self.found else ()


@dataclass(frozen=True)
class Copied:
    """A delivery as it lies in a private folder: note, files and withdrawn file, unchanged."""

    note: Note
    note_path: Path
    parts: list[Part]
    withdrawn: Path | None
    figures: Figures
    names: dict[Path, str]  # by place: where it is kept in the warehouse


def deliver(
    asked: Asked,
    feed: str,
    paths: Sequence[Path],
    note_path: Path,
    *,
    withdrawn: Path | None = None,
    max_rejects: Fraction,
) -> Delivered:
    """Take a delivery in; raises a Failure for one that is refused, and records nothing then."""
    note, content = read_note(note_path)
    require_for(note, asked, feed, withdrawn)
    parts = some_parts(feed, paths, note_path, withdrawn=withdrawn)
    state = read(asked.warehouse)
    if known := recognised(state, note, parts, withdrawn):
        make_up(asked, state)
        return Delivered(known, state)
    with turn(asked) as before:  # what can be refused at once is refused before anything is read
        before.judge()
        require_in_order(before, note)
    with private_folder(asked.warehouse) as work, message_without_values(DELIVER):
        copied = copy(note, content, parts, withdrawn, work)
        result = looked_at(asked, copied, before.state, max_rejects)
        with turn(asked) as now:
            now.judge()
            if known := recognised(now.state, note, parts, withdrawn):
                return Delivered(known, now.state)
            require_in_order(now, note)
            if delivery_ids(now.state, note.round) != delivery_ids(before.state, note.round):
                result = looked_at(asked, copied, now.state, max_rejects)  # another came meanwhile
            body = body_of(now.state, copied, result)
            keep(copied, asked.warehouse)
            (entry,) = now.record(body)
    return Delivered(entry, now.state, result)


def share(text: str) -> Fraction:
    """The largest share of bad rows a delivery may have; raises BadUsage for another text."""
    return Order(0, Path(), max_rejects=text).share()


def require_for(note: Note, asked: Asked, feed: str, withdrawn: Path | None) -> None:
    """Raise FeedRefused where a note is for something else than what is asked."""
    if feed not in FEEDS:
        raise FeedRefused(f"expected one of {', '.join(FEEDS)}, found another feed")
    if note.feed != feed:
        raise FeedRefused(f"note: feed: expected {feed}, found {note.feed}")
    if note.round != asked.round:
        raise FeedRefused(f"note: round: expected {asked.round}, found {note.round}")
    if note.scope != PEOPLE and (withdrawn or note.withdrawn):
        raise FeedRefused(
            f"withdrawn: expected none in scope {note.scope}, found one: only a correction of scope"
            f" {PEOPLE} withdraws"
        )


def recognised(
    state: State, note: Note, parts: Sequence[Part], withdrawn: Path | None
) -> Entry | None:
    """The delivery of the same files and note, if there is one that stands."""
    for entry in state.standing(DELIVER, note.round, feed=note.feed, identity=note.digest):
        require_files(note, parts, withdrawn)  # the note alone is not the delivery
        return entry
    return None


def require_files(note: Note, parts: Sequence[Part], withdrawn: Path | None) -> None:
    """Raise FeedRefused where the files are not those of the note."""
    refuse_files(note.feed, note.files, [part.path for part in parts])
    refuse_files("withdrawn", note.withdrawn, [withdrawn] if withdrawn else [])


def require_in_order(now: Turn, note: Note) -> None:
    """Raise a Failure where the ledger stands against a delivery, whatever is in it."""
    earlier = list(now.state.standing(DELIVER, note.round, feed=note.feed))
    times = [each.body["delivered_at"] for each in earlier]
    if times and at_text(note.delivered_at) < max(times):
        last = earlier[times.index(max(times))]
        raise FeedRefused(
            f"note: delivered_at: expected {max(times)} or later, when {last.body['id']} was delivered,"
            f" found {shown(note.delivered_at)}"
        )
    of_feed = held(now.state, note.round, note.feed)
    if note.scope == PEOPLE and of_feed.is_missing:
        raise FeedRefused(
            f"{note.feed}: expected a delivery of scope {ALL} or {PART} before a correction, found none"
        )
    if note.scope == ALL and now.asked.override is None:
        require_undecided(now.state, of_feed, note)


def require_undecided(state: State, of_feed: Held, note: Note) -> None:
    """Raise ProcessRefused where a delivery would replace what an upheld appeal rests on."""
    ids = set(of_feed.ids)
    for decision in state.standing(APPEAL_DECIDE, note.round):
        if named := sorted(ids & set(decision.body.get("deliveries", []))):
            raise ProcessRefused(
                f"{note.feed}: expected no delivery of scope {ALL} after {named[0]}, which decision"
                f" {decision.seq} of an appeal names: it would be undone; correct with scope {PEOPLE},"
                " or --override REASON --by A --and-by B"
            )


def copy(
    note: Note, content: bytes, parts: Sequence[Part], withdrawn: Path | None, work: Path
) -> Copied:
    """Copy a delivery into a private folder and hold the copy against the note."""
    folder = work / note.feed
    folder.mkdir()
    copies = [Part(part.feed, part.number, folder / part.path.name) for part in parts]
    for part, mine in zip(parts, copies, strict=True):
        shutil.copyfile(part.path, mine.path)
    beside: Path | None = None
    if withdrawn:
        beside = work / "withdrawn" / withdrawn.name
        beside.parent.mkdir()
        shutil.copyfile(withdrawn, beside)
    require_files(note, copies, beside)
    note_path = work / "note.toml"
    note_path.write_bytes(content)
    found = figures(note.feed, copies)
    refuse_figures(note, found)
    paths = [note_path, *(part.path for part in copies), *([beside] if beside else [])]
    return Copied(note, note_path, copies, beside, found, {path: kept_as(path) for path in paths})


def looked_at(asked: Asked, copied: Copied, state: State, max_rejects: Fraction) -> Found:
    """What screening a delivery comes to beside what is known; raises a Failure where it is refused."""
    note, warehouse = copied.note, asked.warehouse
    known = held(state, note.round, note.feed)
    if note.scope == ALL:
        known = Held(note.feed)
    gone = replaced(warehouse, known)
    if note.scope == PART:
        require_new(copied, known)
    if note.scope == PEOPLE:
        people = corrected(copied)
        require_known(warehouse, state, note, people)
        ours = pl.DataFrame({"subject": people, "before": len(known.parts(warehouse))}, REPLACED)
        gone = pl.concat([gone, ours]).group_by("subject").agg(pl.col("before").max())
    return screened(
        *(copied.parts, asked.this_round.received_on),
        Fraction(0) if note.scope == PEOPLE else max_rejects,
        feed=note.feed,
        known=known,
        replaced=gone,
        warehouse=warehouse,
    )


def require_new(copied: Copied, known: Held) -> None:
    """Raise FeedRefused for a piece with a file whose bytes stand in the feed already."""
    there = {
        part["content"]: each.body["id"]
        for each in known.deliveries
        for part in each.body["parts"]
        if part["rows"]
    }
    for part in copied.parts:
        name = part.path.name
        found = there.get(copied.figures.bytes[name].content_sha256)
        if found and copied.figures.file_rows[name]:
            raise FeedRefused(
                f"{part.name}: expected a file whose rows are new to the feed, found one that stands in"
                f" {found} byte for byte"
            )


def corrected(copied: Copied) -> pl.Series:
    """Everybody a correction is about; raises FeedRefused for one both withdrawn and in the rows."""
    rows = in_parts(copied.note.feed, copied.parts)
    if copied.withdrawn is None:
        return rows
    withdrawn = in_withdrawn(copied.withdrawn)
    if both := withdrawn.is_in(rows.implode()).sum():
        raise FeedRefused(
            f"withdrawn: expected subjects that are not in the rows, found {both:,} that are"
        )
    return pl.concat([rows, withdrawn])


def require_known(warehouse: Path, state: State, note: Note, people: pl.Series) -> None:
    """Raise FeedRefused where a correction is about somebody who did not apply."""
    if note.feed == "applications":
        return
    where = STAND_IN[subject_of(note.feed)]
    there = [standing(warehouse, held(state, note.round, feed)) for feed in where]
    if strangers := (~people.is_in(pl.concat(there).implode())).sum():
        raise FeedRefused(
            f"{note.feed}: expected a correction about subjects that stand in {' or '.join(where)},"
            f" found {strangers:,} of {people.len():,} that do not"
        )


def kept_as(path: Path) -> str:
    """Where a file is kept in a warehouse: by its digest, with what says how it is read."""
    suffix = next((each for each in (*SUFFIXES, ".toml") if path.name.endswith(each)), "")
    return f"{FOLDER}/{sha256(path)}{suffix}"


def keep(copied: Copied, warehouse: Path) -> None:
    """Put the copies where they stay, read-only and for their owner alone; complete, or not there."""
    folder = warehouse / FOLDER
    folder.mkdir(mode=OWN_FOLDER, exist_ok=True)
    folder.chmod(OWN_FOLDER)
    for path, name in copied.names.items():
        path.chmod(READ_ONLY)
        sync_entry(path)
        os.replace(path, warehouse / name)
    sync_entry(folder)
    sync_entry(warehouse)


def body_of(state: State, copied: Copied, found: Found) -> dict[str, Any]:
    """The entry of a delivery: figures and digests, and nobody's name or number."""
    note, names = copied.note, copied.names
    before = sum(each.body["feed"] == note.feed for each in state.made(DELIVER, note.round))
    parts = [
        {
            "file": names[part.path],
            "rows": copied.figures.file_rows[part.path.name],
            "content": copied.figures.bytes[part.path.name].content_sha256,
        }
        for part in copied.parts
    ]
    return {
        "id": f"{note.round}-{note.feed}-{before + 1:04}",
        "feed": note.feed,
        "scope": note.scope,
        "department": note.department,
        "delivered_at": at_text(note.delivered_at),
        "rows": found.rows,
        "accepted": found.accepted,
        "quarantined": found.quarantined,
        "withdrawn": 0 if copied.withdrawn is None else in_withdrawn(copied.withdrawn).len(),
        "parts": parts,
        "withdrawn_file": names[copied.withdrawn] if copied.withdrawn else None,
        "note": names[copied.note_path],
        "identity": note.digest,
        FILES: {name: digest_in(name) for name in names.values()},
    }


def digest_in(name: str) -> str:
    """The digest a kept file is named by."""
    return name.removeprefix(f"{FOLDER}/").partition(".")[0]
