"""The note of a delivery: what a department says it brings, in TOML, held against what came.

Whole numbers only, digests in full, nothing that is not asked for: a note that is read in two ways is
no note.  `luohu note` writes one, so that a department needs nothing else.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from flows.common.failures import BadUsage
from flows.common.files import sha256_of
from flows.common.limits import require_size
from flows.common.messages import message_with_file
from flows.process.signatures import LONGEST_NAME, free_text
from schemas.feeds import FEEDS
from transforms.phases import in_beijing

ALL, PART, PEOPLE = SCOPES = ("all", "part", "people")
SUMMED = ("amount_fen", "attributed_fen", "points", "share_bp")
NEEDED = {"feed", "round", "department", "scope", "delivered_at", "rows", "files", "sums"}
OPTIONAL = {"withdrawn", "text"}
MOST_BYTES = 4 << 20
DIGEST = re.compile("[0-9a-f]{64}")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DELETE = "\x7f"  # JSON writes it as it is, TOML does not


@dataclass(frozen=True)
class Note:
    """What a delivery is said to be; file names with their SHA-256."""

    feed: str
    round: int
    department: str
    scope: str
    delivered_at: datetime
    rows: int
    files: Mapping[str, str]
    sums: Mapping[str, int]
    withdrawn: Mapping[str, str]
    text: str | None = None

    @property
    def digest(self) -> str:
        """What distinguishes one delivery from another: all the note says, the files' bytes included."""
        return sha256_of(
            {
                **{name: getattr(self, name) for name in sorted(NEEDED | OPTIONAL)},
                "delivered_at": self.delivered_at.isoformat(),
            }
        )


def summed(feed: str) -> list[str]:
    """The columns of a feed that a note has a sum of."""
    columns = FEEDS[feed].schema().columns
    return [name for name in SUMMED if name in columns]


def read_note(path: Path) -> tuple[Note, bytes]:
    """A note and its bytes; raises BadUsage that names the first key that is not right."""
    with message_with_file():
        require_size(path, MOST_BYTES)
        content = path.read_bytes()
    try:
        text = content.removeprefix(BYTE_ORDER_MARK).decode("utf-8")
    except UnicodeDecodeError:
        raise wrong("text in UTF-8", "another encoding") from None
    try:
        keys = tomllib.loads(text.replace("\r\n", "\n"))
    except (ValueError, RecursionError):  # also a number of more digits than Python reads
        raise wrong("TOML, as luohu note writes it", "something else") from None
    return note_of(keys), content


def note_of(keys: dict[str, Any]) -> Note:
    """A note from its keys."""
    if lacking := sorted(NEEDED - keys.keys()):
        raise wrong(f"the key {lacking[0]}", "none")
    if unknown := sorted(keys.keys() - NEEDED - OPTIONAL):
        raise wrong(f"the keys {', '.join(sorted(NEEDED | OPTIONAL))}", f"{len(unknown)} other")
    for where, value in values(keys):
        if isinstance(value, float):
            raise wrong("a whole number", "one with a point", where)
    feed = one_of(keys["feed"], tuple(FEEDS), "feed")
    return Note(
        feed=feed,
        round=whole(keys["round"], "round"),
        department=said(keys["department"], "department", LONGEST_NAME),
        scope=one_of(keys["scope"], SCOPES, "scope"),
        delivered_at=time_of(keys["delivered_at"]),
        rows=whole(keys["rows"], "rows", least=0),
        files=digests(keys["files"], "files"),
        sums=sums(keys["sums"], feed),
        withdrawn=digests(keys.get("withdrawn", {}), "withdrawn"),
        text=said(keys["text"], "text") if "text" in keys else None,
    )


def values(of: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a note with the top key it stands below."""
    if isinstance(of, dict):
        for name, each in of.items():
            yield from values(each, where or name)
    elif isinstance(of, list):
        for each in of:
            yield from values(each, where)
    else:
        yield where, of


def whole(value: Any, key: str, least: int | None = None) -> int:
    """A whole number; TOML's true is none."""
    if type(value) is not int or (least is not None and value < least):
        raise wrong(f"a whole number{'' if least is None else f' from {least}'}", "another", key)
    return value


def one_of(value: Any, choices: tuple[str, ...], key: str) -> str:
    """One of a few words."""
    if value not in choices:
        raise wrong(f"one of {', '.join(choices)}", "another", key)
    return str(value)


def said(value: Any, key: str, longest: int = 2000) -> str:
    """A text without an ID number, in one line."""
    if not isinstance(value, str):
        raise wrong("text", "another type", key)
    return free_text(value, f"note: {key}", longest)


def time_of(value: Any) -> datetime:
    """A date or a time, as TOML or as text; Beijing's where no zone is given."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(found, date):  # a datetime is one too
            return in_beijing(found)
    except (ValueError, OverflowError):
        pass
    raise wrong("a date or a time by ISO 8601", "something else", "delivered_at")


def digests(value: Any, key: str) -> dict[str, str]:
    """File names with their SHA-256."""
    if not isinstance(value, dict) or not all(
        isinstance(each, str) and DIGEST.fullmatch(each) for each in value.values()
    ):
        raise wrong("file names, each with its SHA-256 in 64 hexadecimal digits", "others", key)
    return dict(value)


def sums(value: Any, feed: str) -> dict[str, int]:
    """A whole number for each column of the feed that is summed."""
    wanted = summed(feed)
    if not isinstance(value, dict) or set(value) != set(wanted):
        names = ", ".join(wanted) or "none: an empty table"
        raise wrong(f"a sum of each of {names}" if wanted else names, "others", "sums")
    return {name: whole(value[name], f"sums.{name}") for name in wanted}


def wrong(expected: str, found: str, key: str = "") -> BadUsage:
    """What is wrong with a note."""
    return BadUsage(f"note: {f'{key}: ' if key else ''}expected {expected}, found {found}")


def written(note: Note) -> str:
    """A note as TOML that `read_note` reads as the same."""
    lines = [
        f"feed = {quoted(note.feed)}",
        f"round = {note.round}",
        f"department = {quoted(note.department)}",
        f"scope = {quoted(note.scope)}",
        f"delivered_at = {note.delivered_at.isoformat()}",
        f"rows = {note.rows}",
        *([f"text = {quoted(note.text)}"] if note.text is not None else []),
    ]
    tables = [("files", note.files), ("withdrawn", note.withdrawn)]
    for name, table in tables:
        if table or name == "files":
            lines += ["", f"[{name}]"]
            lines += [f"{quoted(file)} = {quoted(digest)}" for file, digest in table.items()]
    lines += ["", "[sums]", *(f"{name} = {value}" for name, value in note.sums.items())]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A TOML string."""
    return json.dumps(text, ensure_ascii=False).replace(DELETE, "\\u007f")
