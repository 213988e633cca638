"""Measure a run against one DuckDB statement over the same insurance rows; write results.md.

The statement computes, per person, the paid count, the coverage of the window and the back-paid
count of each of the five insurances.  Runs and statements alternate, each in a process of its own on
the same cores; the figure that counts is the ratio of medians, since machines are noisy.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
INSURANCES = ("pension", "medical", "unemployment", "injury", "maternity")
APPLICANTS = 122_852
REPEATS = 5
IN_BUCKETS = 3 * APPLICANTS  # two buckets: a smaller round asks no worker
WAYS = {"one process": (), "1 worker": ("--workers", "1"), "2 workers": ("--workers", "2")}

STATEMENT = """
import duckdb, json, resource, sys, time
start = time.perf_counter()
window = "month BETWEEN DATE '2013-01-01' AND DATE '2019-12-01'"
columns = ", ".join(
    f"count(*) FILTER ({name} = 'paid'),"
    f" count(*) FILTER ({name} IS NOT NULL AND {window}),"
    f" count(*) FILTER ({name} = 'back_paid' AND {window})"
    for name in ("pension", "medical", "unemployment", "injury", "maternity")
)
rows = duckdb.execute(
    f"CREATE TABLE people AS SELECT person_id, {columns}"
    f" FROM read_parquet('{sys.argv[1]}/social_insurance/*.parquet') GROUP BY person_id"
).fetchall()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": time.perf_counter() - start, "peak_mb": peak}))
"""

RUN = """
import time
start = time.perf_counter()
import functools, json, resource, sys
from pathlib import Path
import flows.run.stages as pipeline
from flows.common.settings import Order
steps = {}
def timed(name):
    stage = getattr(pipeline, name)
    @functools.wraps(stage)
    def measured(*arguments):
        began = time.perf_counter()
        done = stage(*arguments)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        steps[name.removesuffix("_stage")] = [time.perf_counter() - began, peak]
        return done
    setattr(pipeline, name, measured)
for name in dir(pipeline):
    if name.endswith("_stage"):
        timed(name)
steps["imports"] = [time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]
order = Order(2020, Path(sys.argv[1]), Path(sys.argv[2]), recheck=sys.argv[3] == "both engines")
pipeline.run(order)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": time.perf_counter() - start, "peak_mb": peak, "steps": steps}))
"""

COMMAND = """
import time
start = time.perf_counter()
import contextlib, io, json, resource, sys
from flows.cli import app
with contextlib.redirect_stdout(io.StringIO()):
    try:
        app(sys.argv[1:])
    except SystemExit as done:
        assert not done.code, done.code
peak = max(resource.getrusage(who).ru_maxrss
           for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
print(json.dumps({"seconds": time.perf_counter() - start, "peak_mb": peak}))
"""


def measured(code: str, *arguments: str | Path) -> dict:
    """One process's figures."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def delivery(folder: Path, applicants: int) -> Path:
    """A simulated delivery of so many applicants."""
    feeds = folder / f"feeds-{applicants}"
    if not feeds.exists():
        subprocess.run(
            [sys.executable, "-m", "flows.cli", "simulate", "2020", "--out", str(feeds),
             "--applicants", str(applicants)],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    return feeds


def compared(folder: Path, applicants: int, repeats: int) -> dict:
    """Statement and run, alternately; medians and their ratio."""
    feeds = delivery(folder, applicants)
    statements, runs, alone, commands = [], [], [], {}
    for _ in range(repeats):
        statements.append(measured(STATEMENT, feeds))
        warehouse = folder / "warehouse"
        alone.append(measured(RUN, feeds, warehouse, "one engine"))
        shutil.rmtree(warehouse)
        runs.append(measured(RUN, feeds, warehouse, "both engines"))
        if len(runs) == repeats and applicants <= APPLICANTS:
            commands = afterwards(folder, feeds, warehouse)
        shutil.rmtree(warehouse)
    rows = insurance_rows(feeds)
    return {
        "applicants": applicants,
        "insurance_rows": rows,
        "repeats": repeats,
        "statement": statistics.median(each["seconds"] for each in statements),
        "statement_mb": max(each["peak_mb"] for each in statements),
        "run": statistics.median(each["seconds"] for each in runs),
        "run_mb": max(each["peak_mb"] for each in runs),
        "alone": statistics.median(each["seconds"] for each in alone),
        "score_alone": statistics.median(each["steps"]["score"][0] for each in alone),
        "commands": commands,
        "steps": {
            name: [
                statistics.median(each["steps"][name][0] for each in runs),
                max(each["steps"][name][1] for each in runs),
            ]
            for name in runs[0]["steps"]
        },
    }


def afterwards(folder: Path, feeds: Path, warehouse: Path) -> dict[str, dict]:
    """What an auditor asks of a run, each in a process of its own."""
    out = folder / "out"
    out.mkdir()
    (first,) = (path.name for path in (warehouse / "runs" / "2020").iterdir())
    found = {
        name: measured(COMMAND, *words, "--warehouse", warehouse)
        for name, words in {
            "audit": ("audit", "2020"),
            "receipts of everybody": ("receipts", "2020", "--out", out / "all.jsonl.gz"),
            "capsule": ("capsule", "2020", "--out", out / "2020.capsule"),
        }.items()
    }
    found["audit of the capsule"] = measured(COMMAND, "audit", out / "2020.capsule")
    measured(
        COMMAND, "run", "2020", "--direct", "--feeds", other_delivery(feeds, out),
        "--data", other_policy(out), "--warehouse", warehouse,
    )  # fmt: skip
    (second,) = {path.name for path in (warehouse / "runs" / "2020").iterdir()} - {first}
    found["diff, two causes"] = measured(COMMAND, "diff", first, second, "--warehouse", warehouse)
    shutil.rmtree(out)
    return found


def by_workers(folder: Path, applicants: int) -> dict:
    """A round in buckets by one process and by workers, as a command each; their tables are the same."""
    feeds, warehouse = delivery(folder, applicants), folder / "warehouse"
    ways, tables = {}, {}
    for name, options in WAYS.items():
        ways[name] = measured(
            COMMAND, "run", "2020", "--feeds", feeds, "--warehouse", warehouse, *options
        )
        (manifest,) = (warehouse / "runs" / "2020").glob("*/manifest.json")
        tables[name] = json.loads(manifest.read_text())["outputs"]
        shutil.rmtree(warehouse)
    assert all(each == tables["one process"] for each in tables.values()), "tables differ"
    return {"applicants": applicants, "ways": ways}


def other_delivery(feeds: Path, out: Path) -> Path:
    """The delivery less every thirtieth row of tax."""
    import polars as pl

    other = out / "feeds"
    shutil.copytree(feeds, other, copy_function=os.link)
    for path in (other / "tax").iterdir():
        rows = pl.read_parquet(path).with_row_index("row")
        path.unlink()
        rows.filter(pl.col("row") % 30 != 0).drop("row").write_parquet(path)
    return other


def other_policy(out: Path) -> Path:
    """The policy with full points for age to a year less."""
    other = out / "data"
    shutil.copytree(HERE.parent / "data", other)
    file = other / "policy" / "age.toml"
    text = file.read_text()
    assert "value = 45" in text
    file.write_text(text.replace("value = 45", "value = 44"))
    return other


def insurance_rows(feeds: Path) -> int:
    """How many insurance rows a delivery holds."""
    import polars as pl

    return (
        pl.scan_parquet(feeds / "social_insurance" / "*.parquet").select(pl.len()).collect().item()
    )


def machine() -> str:
    """What this was measured on."""
    processor = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")),
        platform.processor(),
    )  # fmt: skip
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("polars", "duckdb", "pandera", "pyarrow")
    )
    return f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB; Python {platform.python_version()}, {versions}"


def table(found: list[dict], workers: dict) -> str:
    """The page of results."""
    base = found[0]
    lines = [
        "# Benchmark",
        "",
        "Written by `make bench`.  The statement is one DuckDB query over the same insurance Parquet: paid",
        "count, window coverage and back-paid count of each of the five insurances, per person.  Statement and",
        "run alternate, each in its own process; seconds are medians and include the imports, memory is the",
        "largest resident set.  Bars: ratio with both engines at most 6, peak at most 2 GB at 122,852",
        "applicants; ten times the people at most 10.5 times the time within 4 GB.",
        "",
        f"Machine: {machine()}",
        "",
        "A run reads, validates, scores, ranks, works everything out again with the second engine, and",
        "publishes.  Beside it the same with one engine (`--no-recheck`), and what the second adds as a share",
        "of the time of scoring alone.",
        "",
        "| applicants | insurance rows | repeats | statement s | run s | ratio | one engine s | ratio | second engine / score | peak MB | run / base | people / base |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {each['applicants']:,} | {each['insurance_rows']:,} | {each['repeats']} | {each['statement']:.2f}"
        f" | {each['run']:.2f} | {each['run'] / each['statement']:.2f}"
        f" | {each['alone']:.2f} | {each['alone'] / each['statement']:.2f}"
        f" | {(each['run'] - each['alone']) / each['score_alone']:.2f} | {each['run_mb']:,.0f}"
        f" | {each['run'] / base['run']:.2f} | {each['applicants'] / base['applicants']:.2f} |"
        for each in found
    ]
    lines += [
        "",
        "## Steps",
        "",
        "| applicants | step | seconds | peak MB so far |",
        "| ---: | --- | ---: | ---: |",
    ]
    lines += [
        f"| {each['applicants']:,} | {name} | {seconds:.2f} | {peak:,.0f} |"
        for each in found
        for name, (seconds, peak) in each["steps"].items()
    ]
    lines += [
        "",
        "## After a run",
        "",
        "Each once, after the last run.  Bars at 122,852 applicants: audit at most 1.5 times the run it repeats,",
        "receipts 60 s, diff 20 s and 4 GB.",
        "",
        "| applicants | command | seconds | of a run | peak MB |",
        "| ---: | --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {each['applicants']:,} | {name} | {figures['seconds']:.2f}"
        f" | {figures['seconds'] / each['run']:.2f} | {figures['peak_mb']:,.0f} |"
        for each in found
        for name, figures in each["commands"].items()
    ]
    alone = workers["ways"]["one process"]["seconds"]
    lines += [
        "",
        "## On workers",
        "",
        f"`luohu run` on {workers['applicants']:,} applicants, two buckets, once each; the tables are the same.",
        "The workers share the cores of this machine, so no speed-up beyond them can show.  Memory is that of",
        "the largest process.",
        "",
        "| by | seconds | of one process | peak MB |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {name} | {figures['seconds']:.1f} | {figures['seconds'] / alone:.2f}"
        f" | {figures['peak_mb']:,.0f} |"
        for name, figures in workers["ways"].items()
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure the sizes asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[APPLICANTS, APPLICANTS // 10, APPLICANTS * 10]
    )
    parser.add_argument(
        "--workers", type=int, default=IN_BUCKETS, help="people of the rows by workers"
    )
    parser.add_argument("--folder", type=Path, help="keep deliveries here between benchmarks")
    parser.add_argument("--print-only", action="store_true", help="do not write results.md")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="luohu-bench-") as temporary:
        folder = chosen.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = [
            compared(folder, size, chosen.repeats if size <= APPLICANTS else 1)
            for size in chosen.sizes
        ]
        workers = by_workers(folder, chosen.workers)
    page = table(found, workers)
    print(page)
    if not chosen.print_only:
        (HERE / "results.md").write_text(page)


if __name__ == "__main__":
    main()
