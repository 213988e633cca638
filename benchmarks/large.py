"""Measure a round of 12.3 million applicants stage by stage; write large.md.

It takes more than an hour and some 60 GB of disk.  Each piece (the delivery, then every stage) is a process of
its own, and what a piece came to is kept: the same command goes on behind the last piece that was completed.
A stage works in a copy of the folder, by links, so that one that was stopped leaves nothing half.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench import HERE, delivery, insurance_rows, machine

APPLICANTS = 12_285_200
BARS = "at most 8 GB"
STAGES = ("ingest", "score", "rank", "recheck", "publish")
STAGE = """
import json, resource, sys, time
from pathlib import Path
start = time.perf_counter()
from flows.common.private_folder import spilling_into
from flows.common.settings import Order
from flows.run import stages
name, work = sys.argv[1], Path(sys.argv[2])
order = Order(2020, Path(sys.argv[3]), Path(sys.argv[4]))
with spilling_into(work.parent / "spill"):
    getattr(stages, f"{name}_stage")(order, work)
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "seconds": time.perf_counter() - start,
    "cpu_seconds": used.ru_utime + used.ru_stime,
    "peak_mb": used.ru_maxrss / 1024,
}))
"""


class Pieces:
    """What was measured so far, in a file of the folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "measured.json"
        self.found: dict[str, dict] = (
            json.loads(self.path.read_text()) if self.path.exists() else {}
        )

    def note(self, name: str, found: dict) -> None:
        """Keep what a piece came to."""
        self.found[name] = found
        aside = self.path.with_suffix(".partial")
        aside.write_text(json.dumps(self.found, indent=2))
        aside.replace(self.path)
        print(f"{name}: {found}", flush=True)


def stage(folder: Path, feeds: Path, name: str) -> dict:
    """A stage in a copy of the work folder, which takes its place."""
    work, copy = folder / "work", folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    (folder / "spill").mkdir(exist_ok=True)
    if name == STAGES[0]:
        shutil.rmtree(work, ignore_errors=True)
        copy.mkdir(mode=0o700)
    else:
        shutil.copytree(work, copy, copy_function=os.link)
    warehouse = folder / "warehouse"
    warehouse.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", STAGE, name, str(copy), str(feeds), str(warehouse)],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    shutil.rmtree(work, ignore_errors=True)
    if copy.exists():  # publication moves it into the warehouse
        copy.rename(work)
    return json.loads(done.stdout.splitlines()[-1])


def gigabytes(path: Path) -> float:
    """What a folder takes of the disk."""
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file()) / 1e9


def table(found: dict, applicants: int, rows: int) -> str:
    """The page of results."""
    stages = [found[name] for name in STAGES]
    seconds, cpu_seconds = (
        sum(each[name] for each in stages) for name in ("seconds", "cpu_seconds")
    )
    peak_mb = max(each["peak_mb"] for each in stages)
    lines = [
        "# A round of many buckets",
        "",
        f"Written by `make bench-large`: {applicants:,} invented applicants, {rows:,} insurance rows, both",
        f"engines, one process, each stage once.  Memory is the largest resident set ({BARS}).",
        "",
        f"Machine: {machine()}.  Load when it ended: {os.getloadavg()[2]:.1f}.",
        "",
        "| stage | seconds | CPU seconds | peak MB |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| {name} | {each['seconds']:,.0f} | {each['cpu_seconds']:,.0f} | {each['peak_mb']:,.0f} |"
            for name, each in zip(STAGES, stages, strict=True)
        ),
        f"| all | {seconds:,.0f} | {cpu_seconds:,.0f} | {peak_mb:,.0f} |",
        "",
        f"Gigabytes of disk: the delivery {found['delivery']['gb']:.1f}, the work folder before publication",
        f"{found['recheck']['work_gb']:.1f}, of which the run keeps {found['publish']['run_gb']:.1f}, the database",
        f"{found['publish']['database_gb']:.1f}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure what was not measured yet, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--applicants", type=int, default=APPLICANTS)
    parser.add_argument("--folder", type=Path, default=HERE.parent / "out" / "bench-large")
    parser.add_argument("--print-only", action="store_true", help="do not write large.md")
    chosen = parser.parse_args()
    folder = chosen.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    pieces = Pieces(folder)
    feeds = delivery(folder, chosen.applicants)
    if "delivery" not in pieces.found:
        pieces.note("delivery", {"gb": gigabytes(feeds)})
    for name in STAGES:
        if name in pieces.found:
            continue
        found = stage(folder, feeds, name)
        if name == "publish":
            warehouse = folder / "warehouse"
            found["run_gb"] = gigabytes(warehouse / "runs")
            found["database_gb"] = (warehouse / "luohu.duckdb").stat().st_size / 1e9
        else:
            found["work_gb"] = gigabytes(folder / "work")
        pieces.note(name, found)
    page = table(pieces.found, chosen.applicants, insurance_rows(feeds))
    print(page)
    print(f"{folder} keeps the delivery and the run: remove it when they are not needed any more")
    if not chosen.print_only:
        (HERE / "large.md").write_text(page)


if __name__ == "__main__":
    main()
