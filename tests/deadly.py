"""What is done to a bucket, going wrong as a folder says, in whichever process does it.

A file `STAGE.HOW.N` there is an accident that happens once; `STAGE.poison` says what happens to the bucket of a
person again and again.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from flows.run.buckets import exchange_elsewhere, ingest, rank, recheck, score

FOLDER = "LUOHU_DEADLY"
STAGES = {  # where each is looked up by name
    "exchange": (exchange_elsewhere, "exchange_files"),
    "accept": (ingest, "accept_bucket"),
    "score": (score, "score_bucket"),
    "rank": (rank, "rank_bucket"),
    "recheck": (recheck, "recompute_bucket"),
}
REAL = {stage: getattr(*each) for stage, each in STAGES.items()}


def accident(stage: str, folder: Path) -> None:
    if FOLDER not in os.environ:
        return
    place = Path(os.environ[FOLDER])
    poison = place / f"{stage}.poison"
    if poison.exists():
        how, person = poison.read_text(encoding="utf-8").split()
        if person in people(folder):
            HOW[how]()
    for each in sorted(place.glob(f"{stage}.*.[0-9]")):
        try:
            each.unlink()  # only one process can
        except FileNotFoundError:
            continue
        HOW[each.name.split(".")[1]]()


def people(folder: Path) -> set[str]:
    """The ID numbers of a bucket, wherever a stage is told them."""
    tables = (*folder.glob("keys/people.parquet"), *folder.glob("restricted/people.parquet"))
    return {each for path in tables for each in pl.read_parquet(path)["person_id"].cast(pl.String)}


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def full() -> None:
    with Path("/dev/full").open("wb") as disk:
        disk.write(b"x" * (1 << 20))


def greedy() -> None:
    held = []
    while True:
        held.append(bytearray(b"x") * (64 << 20))


HOW: dict[str, Callable[[], None]] = {"kill": killed, "full": full, "greedy": greedy}


def exchange(folder: Path, *given: Any) -> Any:
    exchange_elsewhere.prove_validator_once = lambda: (
        None
    )  # not the point, and a second of a worker
    accident("exchange", folder)
    return REAL["exchange"](folder, *given)


def accept_(folder: Path) -> Any:
    accident("accept", folder)
    return REAL["accept"](folder)


def score_(folder: Path, *given: Any) -> Any:
    accident("score", folder)
    return REAL["score"](folder, *given)


def rank_(folder: Path) -> Any:
    accident("rank", folder)
    return REAL["rank"](folder)


def recheck_(folder: Path, *given: Any) -> Any:
    accident("recheck", folder)
    return REAL["recheck"](folder, *given)


DEADLY = {
    "exchange": exchange, "accept": accept_, "score": score_, "rank": rank_, "recheck": recheck_,
}  # fmt: skip
