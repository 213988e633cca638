r"""Salts: why nobody finds out about people by guessing what a published digest is the digest of.

A digest shows whether a guess is right.  Of a feed with a handful of rows, or of a neighbour's
receipt, that is a guess somebody could make; a hundred thousand digests take a third of a second.  So
what leaves the restricted folder is salted with a key that is the SHA-256 of a label and the bytes
of the restricted table of people:

    key             SHA-256("luohu salts 1\n" + bytes of restricted/people.parquet)
    receipt's salt  HMAC-SHA256(key, "receipt" 0 run id 0 application number)
    salted digest   HMAC-SHA256(key, "file" 0 name 0 SHA-256 of the file in hexadecimal)

with a zero byte for each 0, texts in UTF-8, and as the name `delivered/FEED` for a file of a
delivery, else that of the run's file.  The key is stored nowhere.  It does not follow from the
digest of that table, which a full manifest holds: the label comes first.  Equal inputs give the same
key, so that bytes repeat, and whoever may see the table, an auditor with the warehouse or a full
capsule, can work out every salt.  It is as hard to guess as the ID numbers, names and application
numbers of all applicants together are: a round of one applicant is no secret to that applicant.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LABEL = b"luohu salts 1\n"
PEOPLE = "restricted/people.parquet"
SALTED = "salted"
ANONYMOUS = re.compile("part-[0-9]+")


@dataclass(frozen=True)
class Salts:
    """The salts of one run."""

    key: bytes = field(repr=False)

    def of_receipt(self, run_id: str, application_no: str) -> str:
        """What is hidden in a receipt, so that its hash shows nothing to anyone who does not have it."""
        return self._hmac("receipt", run_id, application_no)

    def of_file(self, name: str, sha256: str) -> str:
        """The salted digest of a file, by its name and SHA-256."""
        return self._hmac("file", name, sha256)

    def _hmac(self, *parts: str) -> str:
        """A keyed digest of texts that hold no zero byte."""
        return hmac.digest(self.key, "\0".join(parts).encode(), "sha256").hex()


def salts_of(directory: Path) -> Salts:
    """The salts of the run in a directory; raises OSError where the table of people cannot be read."""
    key = hashlib.sha256(LABEL)
    with (directory / PEOPLE).open("rb") as file:
        while chunk := file.read(1 << 20):
            key.update(chunk)
    return Salts(key.digest())


def delivered(feeds: dict[str, Any], salts: Salts) -> dict[str, Any]:
    """The record of a delivery for anybody: its counts, and the salted digest of every file.

    A file has no name but its place: what a department calls one is nobody's business.
    """
    return {
        feed: {
            **{name: each for name, each in counts.items() if type(each) is int},
            "files": {
                name if ANONYMOUS.fullmatch(name) else f"part-{place}": {
                    "rows": each["rows"],
                    SALTED: salts.of_file(f"delivered/{feed}", each["sha256"]),
                }
                for place, (name, each) in enumerate(sorted(counts["files"].items()))
            },
        }
        for feed, counts in feeds.items()
    }
