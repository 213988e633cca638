"""Which bucket a person is in: the first bits of the SHA-256 of their ID number."""

from hashlib import sha256
from threading import Lock

import numpy as np
import polars as pl

from flows.run.codes import held

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
        self.codes = held()

    def of(self, people: pl.Series) -> pl.Series:
        """The bucket of each ID number of a column."""
        codes = people.to_physical()
        with self.lock:
            # rows of a person come together: looking at the first of each run is enough
            self.learn(people.filter(codes.ne_missing(codes.shift())).unique())
            return pl.Series("bucket", self.known[codes.to_numpy()])

    def learn(self, people: pl.Series) -> None:
        """Hash the ID numbers that were not seen before."""
        codes = people.to_physical().to_numpy()
        size = int(codes.max(initial=0)) + 1
        if size > len(self.known):
            more = np.full(2 * size - len(self.known), UNKNOWN, np.uint32)
            self.known = np.concatenate([self.known, more])
        new = self.known[codes] == UNKNOWN
        texts = people.filter(pl.Series(new)).cast(pl.String)
        self.known[codes[new]] = [bucket_of(each, self.buckets) for each in texts]
