"""How many buckets a delivery is worked on in: it alone decides, so every machine comes to the same.

The smallest power of two that leaves at most so many applications to each (`data/buckets.toml`).
"""

from pathlib import Path

import pyarrow as arrow
from pyarrow import parquet

from flows.common.by_name import named
from flows.common.failures import FeedRefused
from flows.common.settings import of_buckets
from flows.run.delivery import Part, folder_of
from flows.run.file_bytes import bytes_of

APPLICATIONS_A_BUCKET: int = of_buckets()["applications_a_bucket"]


def how_many(feeds: Path) -> int:
    """The number of buckets; 1 for what cannot be read, which ingest refuses in its own words."""
    try:
        parts = folder_of(feeds, "applications").parts
    except (FeedRefused, OSError):
        return 1
    return buckets_for(sum(map(rows_of, parts)))


def buckets_for(applications: int) -> int:
    """The smallest power of two that leaves at most APPLICATIONS_A_BUCKET to each."""
    least = -(-applications // APPLICATIONS_A_BUCKET)
    return 1 << max(0, least - 1).bit_length()


def rows_of(part: Part) -> int:
    """The rows a Parquet file says it has, the lines of a CSV file below its header."""
    if part.is_parquet:
        try:
            return int(parquet.read_metadata(named(part.path)).num_rows)
        except (arrow.ArrowException, OSError):
            return 0
    found = bytes_of(part)
    return max(0, found.lines - 1) if found else 0
