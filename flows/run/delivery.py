"""What lies in a delivery: every entry is read, is known litter, or is refused by name (data contract 1).

A feed is a folder; its files, sorted by name, are `feed/part-0`, `feed/part-1` ...  A name that a
department chose may hold somebody's name or number, so it is shown only while it is short and plain.
"""

import os
import re
import stat
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from flows.common.failures import FeedRefused
from flows.common.shapes import shape
from flows.run.refusal import refusal
from schemas.feeds import FEEDS
from schemas.identifiers import holds_any_id_number

SUFFIXES = (".parquet", ".csv", ".csv.gz")
# what file managers, file servers and Spark leave beside files
LITTER = (
    *(".DS_Store", "._*", "Thumbs.db", "desktop.ini", "_SUCCESS", "*.crc", ".gitkeep", ".nfs*"),
    "~$*",
)
SHOWABLE = re.compile(r"(?!.*[0-9]{15})[A-Za-z0-9._\-~\[\]]{1,64}")
READ = f"{', '.join(f'*{suffix}' for suffix in SUFFIXES)}"


@dataclass(frozen=True)
class Part:
    """One file of a feed, by its place among the feed's files."""

    feed: str
    number: int
    path: Path

    @property
    def name(self) -> str:
        """What messages and tables call it."""
        return f"{self.feed}/part-{self.number}"

    @property
    def is_parquet(self) -> bool:
        """Whether it is a Parquet file, or else CSV."""
        return self.path.name.endswith(".parquet")

    @property
    def is_gzip(self) -> bool:
        """Whether it is compressed CSV."""
        return self.path.name.endswith(".gz")


@dataclass(frozen=True)
class Folder:
    """The files of a feed in name order, and how many entries were passed over as litter."""

    parts: list[Part] = field(default_factory=list)
    litter: int = 0


def refuse_strange_entries(feeds: Path) -> None:
    """Raise FeedRefused for an entry of the delivery that is neither a feed's folder nor litter."""
    names = enumerate(sorted(entry.name for entry in feeds.iterdir()), start=1)
    found = [
        f"expected one folder a feed and nothing else, found {shown(name, place)}"
        f" {trouble_with_file(feeds / name, feeds) or '(a file)'}"
        for place, name in names
        if name not in FEEDS and not is_litter(feeds / name)
    ]
    if found:
        raise FeedRefused("\n".join(found))


def folder_of(feeds: Path, feed: str) -> Folder:
    """The files of a feed; raises FeedRefused when there is none, or an entry that is not read."""
    folder = feeds / feed
    if not os.path.lexists(folder):
        raise FeedRefused(
            refusal(feed, "a folder of that name in the delivery", "none")
            + " (an empty feed is a file with a header and no rows)"
        )
    if (trouble := trouble_with(folder, feeds)) or not folder.is_dir():
        raise FeedRefused(refusal(feed, "a folder of the delivery", trouble or "a file"))
    names = sorted(entry.name for entry in folder.iterdir())
    litter = {name for name in names if is_litter(folder / name)}
    refused = [
        f"{shown(name, place)} {trouble}"
        for place, name in enumerate(names, start=1)
        if name not in litter and (trouble := trouble_with_file(folder / name, feeds))
    ]
    if refused:
        raise FeedRefused(refusal(feed, f"only {READ}, all of them read", "; ".join(refused)))
    files = [name for name in names if name not in litter]
    if not files:
        raise FeedRefused(refusal(feed, f"at least one of {READ}", "nothing to read"))
    parts = [Part(feed, number, folder / name) for number, name in enumerate(files)]
    return Folder(parts, len(litter))


def is_litter(path: Path) -> bool:
    """Whether an entry is a file of a kind that is never part of a delivery."""
    named_so = any(fnmatchcase(path.name, pattern) for pattern in LITTER)
    return named_so and stat.S_ISREG(path.lstat().st_mode)


def trouble_with_file(path: Path, feeds: Path) -> str:
    """Why an entry of a feed's folder is not read; nothing when it is."""
    if trouble := trouble_with(path, feeds):
        return f"({trouble})"
    if path.is_dir():
        return "(a folder)"
    if not path.is_file():
        return "(neither a file nor a folder)"
    if path.name.startswith("."):
        return "(hidden)"
    return "" if path.name.endswith(SUFFIXES) else "(another kind of file)"


def trouble_with(path: Path, feeds: Path) -> str:
    """What is wrong with an entry that is a link; nothing when it stays in the delivery."""
    if not path.is_symlink():
        return ""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "a link that leads nowhere"
    return "" if target.is_relative_to(feeds.resolve()) else "a link that leaves the delivery"


def shown(name: str, place: int) -> str:
    """An entry by its name where that is short, plain and no ID number, else by its place and its shape."""
    plain = SHOWABLE.fullmatch(name) and not holds_any_id_number(name)
    return name if plain else f"entry {place} named like {shape(name)}"
