"""The exchange as tasks: some files of a feed each, wherever there is a process for it.

A task counts positions from the first of its files; where that begins in the feed is known when all are
done.  What a message or the report may need of the files lies beside their rows.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from flows.common.by_name import read_table
from flows.common.failures import FeedRefused, StageFailed
from flows.common.files import write_json, write_table
from flows.common.settings import of_buckets
from flows.run.buckets.exchange import exchange
from flows.run.buckets.layout import OF_BUCKETS, batches, bucket, delivered, exchanged
from flows.run.buckets.sent_rows import types
from flows.run.buckets.tasks import Task, all_done
from flows.run.buckets.whose import Whose
from flows.run.canaries import prove_validator
from flows.run.delivery import Folder, Part, folder_of
from flows.run.file_bytes import FileBytes, bytes_of
from flows.run.known import digest_of, replaced_in
from flows.run.screening import Checked

BYTES_A_TASK: int = of_buckets()["bytes_a_task"]
STAGE = "files exchanged"
FOUND, REJECTS = "found.json", "rejects.parquet"

looked: "dict[Files, dict[str, FileBytes | None]]" = {}  # of the task this process is at


class Files(NamedTuple):
    """Some files of a feed, one after the other, and what is to be known of the run to read them."""

    delivery: Path
    feed: str
    first: int
    end: int
    of: int  # how many the feed has
    received_on: date | None
    known: Path | None
    buckets: int

    def parts(self) -> list[Part]:
        """The files; raises StageFailed where a process sees others."""
        there = folder_of(self.delivery, self.feed).parts
        if len(there) != self.of:
            raise StageFailed(f"{self.feed}: expected {self.of:,} files, found {len(there):,}")
        return there[self.first : self.end]


class Exchanged(NamedTuple):
    """What all tasks came to: batches by feed, files by name, and feeds that are refused."""

    done: dict[str, list[Checked]]
    looked: dict[str, FileBytes | None]
    refused: dict[str, str]


def exchange_all(folders: dict[str, Folder], delivery: Path, work: Path, *asked: Any) -> Exchanged:
    """Send the rows of all feeds to the buckets below a work folder."""
    files = [
        Files(delivery.absolute(), feed, first, end, len(folders[feed].parts), *asked)
        for feed in OF_BUCKETS
        for first, end in groups([each.path.stat().st_size for each in folders[feed].parts])
    ]
    tasks = [
        Task(title(each), exchange_files, exchanged(work, each.feed, each.first), each, reads=read)
        for each in files
    ]
    refusals = [each["refused"] for each in all_done(STAGE, tasks)]
    found = Exchanged({}, {}, {})
    for each, task, refusal in zip(files, tasks, refusals, strict=True):
        if refusal:
            found.refused.setdefault(each.feed, refusal)
        elif each.feed not in found.refused:
            gather(each, task.folder, work, found)
    return found


def groups(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where tasks begin and end, so that none has much more than BYTES_A_TASK, or one file."""
    first = 0
    for end in range(1, len(sizes) + 1):
        if end == len(sizes) or sum(sizes[first : end + 1]) > BYTES_A_TASK:
            yield first, end
            first = end


def title(files: Files) -> str:
    """What people see; a file's own name may be somebody's."""
    which = f"files {files.first + 1} to {files.end} of {files.of}" if files.of > 1 else "its file"
    return f"exchange {files.feed}, {which}"


def read(*given: Any) -> dict[str, Any]:
    """The digests of what a task reads."""
    files = Files(*given)
    looked[files] = {part.name: bytes_of(part) for part in files.parts()}
    return {
        "files": [each and each.sha256 for each in looked[files].values()],
        "replaced": digest_of(replaced_in(files.known, files.feed)),
        "how": [files.feed, files.first, str(files.received_on), files.buckets],
    }


@cache
def prove_validator_once() -> None:
    """Prove the validator of this process."""
    prove_validator()


def exchange_files(folder: Path, *given: Any) -> dict[str, str | None]:
    """Send the rows of some files to buckets below a folder; returns a refusal instead of raising it."""
    prove_validator_once()
    files = Files(*given)
    try:
        done = exchange(
            *(files.feed, files.parts(), files.received_on),
            replaced=replaced_in(files.known, files.feed),
            folders=[bucket(folder, number) for number in range(files.buckets)],
            whose=Whose(files.buckets),
            as_texts=True,
        )
    except FeedRefused as failure:
        return {"refused": str(failure)}
    write_table(pl.concat(each.rejects for each in done), folder / REJECTS)
    found = {
        "file_rows": summed([each.file_rows for each in done]),
        "left_out": summed([each.left_out for each in done]),
        "looked": {name: each and as_json(each) for name, each in looked.pop(files).items()},
    }
    write_json(found, folder / FOUND)
    return {"refused": None}


def summed(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    """The sums, file by file."""
    total = Counter[str]()
    for each in counts:
        total.update(each)  # which keeps a file without rows
    return dict(total)


def as_json(looked: FileBytes) -> dict[str, Any]:
    """What a file is, for a file of the store."""
    return {**asdict(looked), "end": looked.end.hex()}


def gather(files: Files, folder: Path, work: Path, found: Exchanged) -> None:
    """Put what a task left where a feed's rows are looked for, by their place in the feed."""
    noted = json.loads((folder / FOUND).read_text(encoding="utf-8"))
    for name, each in noted["looked"].items():
        found.looked[name] = each and FileBytes(**{**each, "end": bytes.fromhex(each["end"])})
    before = found.done.setdefault(files.feed, [])
    start = sum(sum(each.file_rows.values()) for each in before)
    for number in range(files.buckets):
        for path in batches(bucket(folder, number), files.feed):
            target = delivered(bucket(work, number), files.feed, start + int(path.stem))
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    rejects = read_table(folder / REJECTS)
    before.append(
        Checked(
            good=pl.DataFrame(schema=types(files.feed)),
            rejects=rejects.with_columns(pl.col("position") + start),
            left_out=noted["left_out"],
            file_rows=ordered(files, noted["file_rows"]),
            start=start,
        )
    )


def ordered(files: Files, file_rows: dict[str, int]) -> dict[str, int]:
    """Rows by file in the order of the feed, as positions count."""
    names = [f"{files.feed}/part-{number}" for number in range(files.first, files.end)]
    return {name: file_rows[name] for name in names if name in file_rows}
