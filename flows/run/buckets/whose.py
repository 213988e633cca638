"""Which bucket a person is in: the first bits of the SHA-256 of their ID number."""

from hashlib import sha256
from threading import Lock

import numpy as np
import polars as pl

from schemas.columns import PersonId

BITS = 32  # of the digest that are looked at
UNKNOWN = np.iinfo(np.uint32).max


def bucket_of(person_id: str, buckets: int) -> int:
    """The bucket of a person among a power of two."""
    first = int.from_bytes(sha256(person_id.encode()).digest()[: BITS // 8])
    return first * buckets >> BITS


class Whose:
    """The buckets of people by the code polars keeps for an ID number: each is hashed once."""

    def __init__(self, buckets: int) -> None:
        self.buckets = buckets
        self.known = np.empty(0, np.uint32)
        self.lock = Lock()
        # a code stands for its ID number as long as there is a column with codes
        self.codes = pl.select(pl.lit("").cast(PersonId)).to_series()

    def of(self, people: pl.Series) -> pl.Series:
        """The bucket of each ID number of a column."""
        codes = people.to_physical().to_numpy()
        with self.lock:
            self.learn(people, codes)
            return pl.Series("bucket", self.known[codes])

    def learn(self, people: pl.Series, codes: np.ndarray[tuple[int], np.dtype[np.uint32]]) -> None:
        """Hash whoever was not met before."""
        size = int(codes.max(initial=0)) + 1
        if size > len(self.known):
            more = np.full(2 * size - len(self.known), UNKNOWN, np.uint32)
            self.known = np.concatenate([self.known, more])
        new = people.filter(pl.Series(self.known[codes] == UNKNOWN)).unique()
        texts = new.cast(pl.String)
        self.known[new.to_physical().to_numpy()] = [bucket_of(each, self.buckets) for each in texts]
