"""A zip archive from elsewhere, opened without believing how long its list of members is.

Python reads the whole list before it shows one name, and makes ten times its bytes of it.
"""

import io
import struct
import zipfile
import zlib
from pathlib import Path

MOST_LIST = 4 << 20  # bytes of the list of members, and of what is read at once
NOT_A_ZIP = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(ValueError, NotImplementedError, RuntimeError),
)  # every error that a zip reader raises for an odd archive


class LimitedReader(io.BufferedReader):
    """A file of which only so much is read at once; raises ValueError when more is asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Some bytes, never more than the limit."""
        rest = size is None or size < 0
        found = super().read(MOST_LIST + 1 if rest else min(size or 0, MOST_LIST + 1))
        if len(found) > MOST_LIST:
            raise ValueError(f"expected at most {MOST_LIST:,} bytes of a list of members")
        return found


def limited(path: Path) -> LimitedReader:
    """A file for reading, a piece at a time; raises OSError where there is none."""
    return LimitedReader(io.FileIO(path))
