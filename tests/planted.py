"""A delivery with identities planted wherever somebody might type them, run on Prefect's embedded server."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import polars as pl
import psutil

from schemas.feeds import FEEDS

NAME = "钟无忌测试"
ID = "110101198001010010"
# the same number as people write it, none of which may come through as an application number
AS_WRITTEN = (
    *(ID, "110101-19800101-0010", "110101_19800101_0010", "A110101198001010010", "110101800101001"),
    *("110101 19800101 0010", "１１０１０１１９８００１０１００１０"),
)


def planted(copied: Path) -> None:
    """An applicant of that name and number; both in every column of every feed, and in file names."""
    for feed in FEEDS:
        (path,) = (copied / feed).iterdir()
        rows = pl.read_parquet(path)
        texts = [name for name, dtype in rows.schema.items() if dtype == pl.String]
        bad = [
            rows.head(1).with_columns(pl.lit(each).alias(name), *own(rows, name))
            for name in texts
            for each in (NAME, ID)
        ]
        pl.concat([rows, *bad]).write_parquet(path)
        path.rename(path.with_name(f"{NAME}-{ID}-{feed}.parquet"))
    (path,) = (copied / "applications").iterdir()
    rows = pl.read_parquet(path)
    person = rows.head(1).with_columns(
        application_no=pl.lit("2020PLANTED"),
        person_id=pl.lit(ID),
        name=pl.lit(NAME),
        birth_date=pl.date(1980, 1, 1),
    )
    numbered = [person.with_columns(application_no=pl.lit(each)) for each in AS_WRITTEN]
    inside = person.with_columns(application_no=pl.lit("2020INSIDE"), name=pl.lit(f"{NAME}{ID}"))
    pl.concat([rows, person, *numbered, inside]).write_parquet(path)


def own(rows: pl.DataFrame, planted_in: str) -> list[pl.Expr]:
    """The planted number as the person of a row, so that the reject is about somebody."""
    return [pl.lit(ID).alias("person_id")] if {"person_id"} & {*rows.columns} - {planted_in} else []


class Planted(NamedTuple):
    """A run of the planted delivery: what it left, what it said, and whether it had no network."""

    feeds: Path
    warehouse: Path
    home: Path
    stdout: str
    stderr: str
    cut_off: bool

    @property
    def told(self) -> str:
        return self.stdout + self.stderr


def run_planted(delivery: Path, folder: Path) -> Planted:
    """In a network namespace whose only device is its own loopback, where the machine allows one.

    The folders have names that are names: nobody puts anything in for them.
    """
    feeds = Path(shutil.copytree(delivery, folder / "{x} {year} {{ y }}"))
    planted(feeds)
    warehouse, home = folder / "w[12]", folder / "prefect"
    command = [
        sys.executable, "-m", "flows.cli", "run", "2020",
        "--feeds", str(feeds), "--warehouse", str(warehouse), "--max-rejects", "1",
    ]  # fmt: skip
    apart = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    cut_off = (
        shutil.which("ip") is not None
        and shutil.which("unshare") is not None
        and subprocess.run([*apart, "true"], check=False, capture_output=True).returncode == 0
    )
    done = subprocess.run(
        [*apart, *command] if cut_off else command,
        env=os.environ | {"PREFECT_HOME": str(home), "PREFECT_API_URL": "", "TMPDIR": str(folder)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert servers_of(home) == []
    return Planted(feeds, warehouse, home, done.stdout, done.stderr, cut_off)


def servers_of(home: Path) -> list[psutil.Process]:
    """Embedded servers whose Prefect lives in a home."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = "flows.orchestration.server" in process.cmdline()
            if ours and process.environ().get("PREFECT_HOME") == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]
