"""Letters written side by side: a process takes a batch of receipts and leaves as many files."""

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from flows.common.failures import CheckFailed, PublicationFailed
from flows.common.workers import serve_parent
from flows.process.places.bar import Bar
from flows.public.letters.addressees import Addressee
from flows.public.letters.common import Common
from flows.public.letters.folder import put
from flows.public.letters.letter import letter
from flows.public.letters.page import page
from flows.public.letters.round_state import Appeal, Place

PROCESSES = 2
WAITING = 2 * PROCESSES  # batches in memory, some fifty megabytes each


class Batch(NamedTuple):
    """Some receipts, and what else letters of them say."""

    receipts: Sequence[str]
    addressees: Sequence[Addressee]
    appeals: Mapping[str, tuple[Appeal, ...]]
    places: Mapping[int, Place]
    bars: Mapping[str, Bar]


def pages(batch: Batch, common: Common) -> Iterator[tuple[str, bytes]]:
    """Application number and page of each, in order."""
    for text, addressee in zip(batch.receipts, batch.addressees, strict=True):
        receipt = json.loads(text)
        number = addressee.application_no
        if receipt["application_no"] != number:
            raise CheckFailed("expected the receipt of an addressee, found another's")
        filed = batch.appeals.get(number, ())
        place = batch.places.get(receipt["standing"]["serial"])
        bar = batch.bars.get(number)
        yield number, page(letter(receipt, addressee, common, filed=filed, place=place, bar=bar))


def write(batch: Batch, common: Common, folder: Path) -> int:
    """Write the letters of a batch; returns how many."""
    for number, content in pages(batch, common):
        put(folder, number, content)
    return len(batch.receipts)


def written(batches: Iterator[Batch], common: Common, folder: Path) -> Iterator[int]:
    """Write all batches; yields how many letters each had, as it is done."""
    waiting: deque[Future[int]] = deque()
    pool = ProcessPoolExecutor(PROCESSES, get_context("spawn"), initializer=serve_parent)
    try:
        for batch in batches:
            waiting.append(pool.submit(write, batch, common, folder))
            if len(waiting) > WAITING:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise PublicationFailed(
            "letters: a process that wrote them was ended; nothing was left there"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
