"""A database as a DuckDB of the future would write it."""

import struct
from pathlib import Path


def written_by_a_newer_duckdb(database: Path) -> bytes:
    """Change the version in a database file; returns the file as it was."""
    kept = database.read_bytes()
    newer = (99).to_bytes(8, "little").join((kept[8:12], kept[20:4096]))
    checksum = 5381  # as DuckDB works it out, or it would take the file for a damaged one
    for (each,) in struct.iter_unpack("<Q", newer):
        checksum ^= each * 0xBF58476D1CE4E5B9 & (2**64 - 1)
    database.write_bytes(checksum.to_bytes(8, "little") + newer + kept[4096:])
    return kept
