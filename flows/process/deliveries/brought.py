"""What was brought: the files of a delivery in the order of their names, and the figures of a note.

Figures are counted, never screened: every record counts, bad ones too; of a sum, cells that are
empty or do not parse are left out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.common.failures import FeedRefused
from flows.common.files import sha256
from flows.process.deliveries.note import Note, summed
from flows.run.delivery import SUFFIXES, Part, is_litter, shown, trouble_with_file
from flows.run.file_bytes import FileBytes, bytes_of
from flows.run.file_columns import types_of
from flows.run.read_files import check_columns, read, require_all_rows
from flows.run.refusal import refusal
from schemas.feeds import FEEDS


@dataclass(frozen=True)
class Figures:
    """The figures of a delivery, and each of its files, by name."""

    rows: int
    sums: dict[str, int]
    file_rows: dict[str, int]
    bytes: dict[str, FileBytes]


def parts_of(feed: str, paths: Sequence[Path], *beside: Path | None) -> list[Part]:
    """The files at some paths, or in folders, in the order of their names; raises FeedRefused.

    A note or a withdrawn file that lies in such a folder (`beside`) is no file of the feed.
    """
    files: list[Path] = []
    others = {each.absolute() for each in beside if each}
    for path in paths:
        if path.is_dir():
            files += [
                each
                for each in path.iterdir()
                if not is_litter(each) and each.absolute() not in others
            ]
        else:
            files.append(path)
    files.sort(key=lambda each: (each.name, each))
    again = [name for name, times in Counter(each.name for each in files).items() if times > 1]
    if again:
        found = f"{len(again)} of them twice"
        raise FeedRefused(refusal(feed, "files of different names", found))
    for place, each in enumerate(files, 1):
        trouble = "(none there)" if not each.exists() else trouble_with_file(each, each.parent)
        try:
            each.name.encode()
        except UnicodeEncodeError:
            trouble = "(a name that is not UTF-8)"
        if trouble:
            found = f"{shown(each.name, place)} {trouble}"
            raise FeedRefused(refusal(feed, f"files of {', '.join(SUFFIXES)}", found))
    return [Part(feed, number, path) for number, path in enumerate(files)]


def some_parts(
    feed: str, paths: Sequence[Path], note: Path | None, *, withdrawn: Path | None
) -> list[Part]:
    """The files of a delivery; raises FeedRefused for one that neither brings nor withdraws anything."""
    parts = parts_of(feed, paths, note, withdrawn)
    if not parts and withdrawn is None:
        raise FeedRefused(f"{feed}: expected a file (an empty feed is a header alone), found none")
    return parts


def figures(feed: str, parts: Sequence[Part]) -> Figures:
    """Rows and sums of the files of a delivery; raises FeedRefused for one that cannot be read."""
    schema = FEEDS[feed].schema()
    file_rows: dict[str, int] = {}
    looked: dict[str, FileBytes] = {}
    sums = dict.fromkeys(summed(feed), 0)
    contents: dict[str, str] = {}
    for part in parts:
        check_columns(part, types_of(schema))
        rows = 0
        for piece in read(part, schema):
            rows += piece.rows.height
            for name in sums:
                # wider than the column: what a department sums up may not overflow here
                sums[name] += int(piece.rows[name].cast(pl.Int128).sum())
        found = bytes_of(part)
        require_all_rows(part, rows, found)
        assert found is not None
        first = contents.setdefault(found.content_sha256, part.name)
        if rows and first != part.name:
            raise FeedRefused(refusal(part.name, "a file of its own", f"{first} again"))
        file_rows[part.path.name], looked[part.path.name] = rows, found
    return Figures(sum(file_rows.values()), sums, file_rows, looked)


def refuse_figures(note: Note, found: Figures) -> None:
    """Raise FeedRefused where rows or a sum are not what the note says: which, and by how much."""
    figures = {"rows": (note.rows, found.rows)}
    figures |= {f"the sum of {name}": (said, found.sums[name]) for name, said in note.sums.items()}
    wrong = [
        f"{name}: expected {said:,} as the note says, found {came:,}: {difference(came - said)}"
        for name, (said, came) in figures.items()
        if said != came
    ]
    if wrong:
        raise FeedRefused(f"{note.feed}: {'; '.join(wrong)}")


def difference(by: int) -> str:
    """How much more or less."""
    return f"{abs(by):,} {'more' if by > 0 else 'less'}"


def refuse_files(what: str, said: Mapping[str, str], paths: Sequence[Path]) -> None:
    """Raise FeedRefused where the files are not those a note names, byte for byte."""
    names = {path.name: path for path in paths}
    order = sorted(names.keys() | said.keys())
    lacking, unknown = said.keys() - names.keys(), names.keys() - said.keys()
    troubles = [
        f"{shown(name, order.index(name) + 1)} is in the note and did not come"
        for name in sorted(lacking)
    ]
    troubles += [
        f"{shown(name, order.index(name) + 1)} came and is not in the note"
        for name in sorted(unknown)
    ]
    troubles += [
        f"{shown(name, order.index(name) + 1)} has another SHA-256 ({found[:8]} in place of"
        f" {said[name][:8]})"
        for name, path in sorted(names.items())
        if name in said and (found := sha256(path)) != said[name]
    ]
    if troubles:
        raise FeedRefused(f"{what}: expected the files of the note, found: {'; '.join(troubles)}")
