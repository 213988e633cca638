"""What a file of a delivery is, byte by byte: its digests, and its lines counted without any reader.

The digest of the content shows a file that came twice, also once as it is and once compressed.  The
lines are held against the rows a reader gives, so that no row is lost or doubled unseen.
"""

import gzip
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, cast

from flows.common.files import sha256
from flows.run.delivery import Part

BLOCK = 1 << 20
END_BYTES = 1 << 16
JOINED = b"PAR1PAR1"  # an end and a beginning
# what a gz raises that is damaged, cut short or no gz at all
NOT_READ = (OSError, EOFError, ValueError)


@dataclass(frozen=True)
class FileBytes:
    """Digests of a file and of what is in it, and its physical lines, the last with or without end."""

    sha256: str
    content_sha256: str
    lines: int
    end: bytes  # the last of it, so that the last line can be looked at
    joined: bool  # whether two Parquet files stand in it, of which a reader would see one


def bytes_of(part: Part) -> FileBytes | None:
    """Look once at every byte of a file; nothing for one that cannot be read: its reader says why."""
    try:
        found = looked_at(part)
        return replace(found, sha256=sha256(part.path)) if part.is_gzip else found
    except NOT_READ:
        return None


def looked_at(part: Part) -> FileBytes:
    """What the content is, and of CSV the lines, which end in LF, CRLF or a lone CR."""
    digest = hashlib.sha256()
    ends, last, end, joined = 0, b"\n", b"", False
    with opened(part) as file:
        for block in blocks(file):
            digest.update(block)
            if part.is_parquet:
                joined |= JOINED in end + block[: len(JOINED)] or JOINED in block
                end = block[-len(JOINED) :]
            else:
                ends += block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")
                ends -= last == b"\r" and block.startswith(b"\n")  # a CRLF that two blocks share
                last, end = block[-1:], (end + block)[-END_BYTES:]
    lines = ends + (last not in {b"\n", b"\r"})
    return FileBytes(digest.hexdigest(), digest.hexdigest(), lines, end, joined)


def blocks(file: IO[bytes]) -> Iterator[bytes]:
    """The content of a file, some of it at a time."""
    while block := file.read(BLOCK):
        yield block


@contextmanager
def opened(part: Part) -> Iterator[IO[bytes]]:
    """The content of a file for reading, decompressed; a gz may have several members."""
    if part.is_gzip:
        with gzip.open(part.path) as file:
            yield cast("IO[bytes]", file)
    else:
        with part.path.open("rb") as plain:
            yield plain
