"""Deliveries for tests: taken in by calls, from simulated pieces or from rows written by hand."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from flows.common.moments import moment
from flows.process import turn as turns
from flows.process.deliveries.deliver import Delivered, deliver
from flows.process.deliveries.write_note import noted, write_note
from flows.process.turn import Asked
from schemas.feeds import FEEDS

YEAR = 2021
SHARE = Fraction(1, 20)


def asked(warehouse: Path, at: str | None, operation: str = "deliver", **more: Any) -> Asked:
    given = {"by": "李明", "at": moment(at) if at else None, **more}
    return Asked(operation, YEAR, warehouse=warehouse, **given)


@contextmanager
def tables_later() -> Iterator[None]:
    """Let no operation make the tables of the process again: whoever looks at them does, once for all.

    That every operation does so by itself is for `test_ledger.py`.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "rebuilt", lambda *_: False)
        yield


def rows_file(path: Path, feed: str, rows: Iterable[dict[str, object]]) -> Path:
    """A CSV file of a feed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(FEEDS[feed].schema().columns), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def withdrawn_file(path: Path, subjects: Iterable[str]) -> Path:
    path.write_text("\n".join(["subject", *subjects]) + "\n", encoding="utf-8")
    return path


def bring(
    warehouse: Path,
    feed: str,
    paths: list[Path],
    scope: str = "all",
    at: str | None = "2021-06-05",
    *,
    withdrawn: Path | None = None,
    delivered_at: str = "2021-06-01",
    note: Path | None = None,
    share: Fraction = SHARE,
    **more: Any,
) -> Delivered:
    """Write the note and deliver."""
    if note is None:
        note = (
            paths[0].with_name(f"{paths[0].name}.{scope}.toml")
            if paths
            else withdrawn.with_suffix(".toml")
        )
        write_note(
            noted(
                *(YEAR, feed, paths), scope=scope, department="局", withdrawn=withdrawn,
                delivered_at=moment(delivered_at),
            ),
            note,
        )  # fmt: skip
    return deliver(
        *(asked(warehouse, at, **more), feed, paths, note), withdrawn=withdrawn, max_rejects=share
    )


def bring_piece(warehouse: Path, folder: Path, feed: str, at: str) -> Delivered:
    """Deliver a simulated piece."""
    beside = folder / "withdrawn.csv"
    return deliver(
        *(asked(warehouse, at), feed, [folder / "files"], folder / "note.toml"),
        withdrawn=beside if beside.exists() else None,
        max_rejects=SHARE,
    )
