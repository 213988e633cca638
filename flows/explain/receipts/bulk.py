"""Receipts of everybody in a run: one a line, ascending by application number, and their root.

The root is over the receipts in the order of their hashes: see `tree`.

The file is written aside and renamed: it is complete or absent.  Equal runs give equal bytes.
"""

import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from flows.common.failures import BadUsage
from flows.common.files import may_become, written_aside
from flows.common.messages import message_without_values
from flows.common.progress import report
from flows.explain.receipts.applicants import everybody
from flows.explain.receipts.compose import FORMAT, texts
from flows.explain.receipts.leaves import keep
from flows.explain.receipts.material import material
from flows.explain.receipts.seal import sealed
from flows.explain.receipts.source import Source, source, source_of
from flows.explain.receipts.tree import leaf_hash, root
from flows.kept.past_run import PastRun

VERIFIER = Path(__file__).with_name("verify_receipt.py")
WORKERS = 2
WAITING = 2 * WORKERS  # chunks in memory, about a hundred megabytes each
GZIP_LEVEL = 1  # receipts repeat much: a higher level takes three times as long for little
GZIP = 16 + zlib.MAX_WBITS  # a gzip member, with no time in it

Lines: TypeAlias = tuple[bytes, list[bytes]]  # receipts as they are written, and their hashes


@dataclass(frozen=True)
class Written:
    """What was written: the run, how many receipts, and the root over them in order."""

    run_id: str
    format: int
    receipts: int
    root: str


def write_receipts(warehouse: Path, year: int, out: Path, run_id: str | None = None) -> Written:
    """Write the receipts of the published run of a round, or of the run named; `.gz` compresses."""
    require_folder(out)
    with message_without_values("receipts"):
        report("reading the run", 0, 1)
        run = source(warehouse, year, run_id)
        people = everybody(run)
        chunks = texts(material(people), run) if people.rows.height else iter(())
        hashes: list[bytes] = []
        try:
            with written_aside(out, private=True) as file:
                for lines, of_lines in side_by_side(chunks, compress=out.suffix == ".gz"):
                    file.write(lines)
                    hashes += of_lines
                    report("receipts", len(hashes), people.rows.height)
        except OSError as error:
            raise BadUsage(f"cannot write {out}: {error.strerror}") from None
    hashes.sort()
    keep(warehouse, run, hashes)
    return Written(run.run_id, FORMAT, len(hashes), root(hashes))


def hashes_of(run: Source, stage: str) -> list[bytes]:
    """The hashes of all receipts of a run in the order of the tree; no receipt is kept."""
    people = everybody(run)
    chunks = texts(material(people), run) if people.rows.height else iter(())
    hashes: list[bytes] = []
    for _, of_lines in side_by_side(chunks, compress=False):
        hashes += of_lines
        report(stage, len(hashes), people.rows.height)
    return sorted(hashes)


def receipts_root(past: PastRun, *, kept: bool = False) -> dict[str, Any]:
    """Format, number and root of the receipts of a run; `kept` leaves their hashes for proofs.

    A capsule carries it, also a public one: an applicant with their receipt and the proof beside it
    can show that the run published gave them just these points.  It is made of the rows, not of a file
    of receipts, so an audit of a full capsule makes it again.
    """
    run = source_of(past)
    hashes = hashes_of(run, "receipts root")
    if kept:
        keep(past.warehouse, run, hashes)
    return {"format": FORMAT, "receipts": len(hashes), "root": root(hashes)}


def side_by_side(chunks: Iterator[pl.Series], *, compress: bool) -> Iterator[Lines]:
    """Chunks sealed and compressed while the next are put together; in order."""
    waiting: deque[Future[Lines]] = deque()
    with ThreadPoolExecutor(WORKERS) as workers:
        for chunk in chunks:
            waiting.append(workers.submit(lines_of, chunk, compress=compress))
            if len(waiting) > WAITING:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def lines_of(chunk: pl.Series, *, compress: bool) -> Lines:
    """Receipts sealed, a line each, and hashed."""
    receipts = [sealed(text) for text in chunk.cast(pl.Binary)]
    written = b"\n".join([*receipts, b""])
    if compress:
        member = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP)
        written = member.compress(written) + member.flush()
    return written, list(map(leaf_hash, receipts))


def require_folder(out: Path) -> None:
    """Raise BadUsage where no file can be written, before a minute is spent."""
    if not out.parent.is_dir() or not may_become(out):
        raise BadUsage(f"expected the name of a file in a folder there is, found {out}")
