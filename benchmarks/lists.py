"""Measure the published list: pages and files from 1, 4 and 16 clients, also while runs publish; the static page in Chromium.

A round of 6,000 settled people is simulated and run in a temporary folder, unless --warehouse names one
whose newest round is to be asked for.  Ends with status 1 where a figure of contract 10.2 or 10.3 is not
reached.  Prints tables and writes `lists.md`.
"""

import argparse
import http.client
import os
import platform
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import psutil
from web import HERE, clients_asking, port_of

from flows.public.rounds.in_memory import rounds_of
from flows.public.rounds.shown_round import ShownRound
from flows.public.web.addresses import in_folder, static
from flows.public.web.list_page import list_html

MOST_MS, MOST_PAINT_MS, MOST_SEARCH_MS = 100, 1_000, 100
APPLICANTS = 12_000  # of whom somewhat more than 6,000 are eligible
PUBLISH = """
import sys
from pathlib import Path
from flows.run.publish import publish
warehouse, year, tables = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
while True:
    publish(tables, year, warehouse)
    print("published", flush=True)
"""
WORDS = ["张", "李", "科技", "北京", "有限", "2020", "王伟", "软件", "欧阳", "０００１", "银行", ""]
SORTS = ["serial", "-total", "total", "name", "-name", "born", "-born", "employer", "-employer"]
# what somebody who types sees: from the input to the next frame that is drawn
SEARCH = """async word => {
  const field = document.getElementById("q");
  const start = performance.now();
  field.value = word;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
  return performance.now() - start;
}"""


def address(year: int, number: int) -> str:
    """One of many questions: mostly pages, now and then a file of what was found."""
    chance = random.Random(number)
    asked: dict[str, str | int] = {"q": chance.choice(WORDS), "sort": chance.choice(SORTS)}
    if chance.random() < 0.3:
        asked |= {"points_from": chance.randint(60, 100), "born_to": chance.randint(1970, 1990)}
    if chance.random() < 0.5:
        asked |= {"page": chance.randint(1, 60), "size": chance.choice([50, 50, 50, 100, 200])}
    return f"/rounds/{year}/list{'.csv' if chance.random() < 0.03 else ''}?{urlencode(asked)}"


def client(
    year: int, port: int, numbers: list[int], seconds: list[float], statuses: list[int]
) -> None:
    """One client: asks, waits for the answer, asks again."""
    talking = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in numbers:
        start = time.perf_counter()
        talking.request("GET", address(year, number))
        answer = talking.getresponse()
        answer.read()
        seconds.append(time.perf_counter() - start)
        statuses.append(answer.status)
    talking.close()


def made(folder: Path) -> Path:
    """A warehouse with a round of the real size."""
    feeds, warehouse = folder / "feeds", folder / "warehouse"
    luohu = [sys.executable, "-m", "flows.cli"]
    for command in (
        ["simulate", "2020", "--out", feeds, "--applicants", APPLICANTS],
        ["run", "2020", "--feeds", feeds, "--warehouse", warehouse, "--direct"],
    ):
        subprocess.run([*luohu, *map(str, command)], check=True, capture_output=True)
    return warehouse


@contextmanager
def served(warehouse: Path) -> Iterator[tuple[int, psutil.Process]]:
    """A server of its own: its port, its process."""
    command = ["web", "--port", "0", "--preliminary", "--warehouse", str(warehouse)]
    server = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *command], stderr=subprocess.PIPE, text=True
    )
    try:
        yield port_of(server), psutil.Process(server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


@contextmanager
def publishing(warehouse: Path, year: int) -> Iterator[list[str]]:
    """The round published again and again meanwhile; how often."""
    run = next((warehouse / "runs" / str(year)).iterdir())
    publisher = subprocess.Popen(
        [sys.executable, "-c", PUBLISH, str(warehouse), str(year), str(run)],
        stdout=subprocess.PIPE, text=True, cwd=HERE.parent,
    )  # fmt: skip
    times: list[str] = []
    assert publisher.stdout
    reader = threading.Thread(target=lambda: times.extend(publisher.stdout or ()))
    reader.start()
    try:
        yield times
    finally:
        publisher.terminate()
        publisher.wait(30)
        reader.join()


def in_chromium(this_round: ShownRound, folder: Path) -> dict[str, float] | None:
    """The static page: milliseconds to the first paint and to what is found; none without a browser."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if chromium is None:
        return None
    (folder / f"{this_round.year}").mkdir()
    for name, content in static().items():
        (folder / name).write_bytes(content)
    path = folder / f"{this_round.year}" / "list.html"
    path.write_text(list_html(this_round, in_folder(1, None)), encoding="utf-8")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        paints, ready, searches = [], [], []
        for _ in range(3):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            start = time.perf_counter()
            page.goto(path.as_uri())
            ready.append(1000 * (time.perf_counter() - start))
            paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
            while (drawn := page.evaluate(paint)) is None:
                time.sleep(0.05)
            paints.append(drawn)
            searches += [page.evaluate(SEARCH, word) for word in WORDS]
            page.close()
        browser.close()
    return {
        "people": len(this_round.people),
        "megabytes": path.stat().st_size / 1e6,
        "paint_ms": max(paints),
        "ready_ms": max(ready),
        "median_ms": statistics.median(searches),
        "search_ms": max(searches),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=2_000, help="for each number of clients")
    parser.add_argument("--warehouse", type=Path, help="one that may be published to again")
    parser.add_argument("--out", type=Path, default=HERE / "lists.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        warehouse = given.warehouse or made(Path(name))
        this_round = next(iter(rounds_of(warehouse, preliminary=True).values()))
        year = this_round.year

        def ask(port: int, *more: list[int] | list[float]) -> None:
            client(year, port, *more)

        with served(warehouse) as (port, server):
            clients_asking(ask, port, 4, 200)
            before = sum(server.cpu_times()[:2])
            found = [clients_asking(ask, port, clients, given.requests) for clients in (1, 4, 16)]
            cpu_ms = 1000 * (sum(server.cpu_times()[:2]) - before) / (3 * given.requests)
            with publishing(warehouse, year) as times:
                meanwhile = clients_asking(ask, port, 16, given.requests)
        drawn = in_chromium(this_round, Path(name))
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    line = (
        "| {clients} | {requests} | {median_ms:.0f} | {p95_ms:.0f} | {worst_ms:.0f} | {a_second:.0f}"
        " | {errors} | {how} |"
    )
    on = (
        f"`make bench-web` on {os.cpu_count()} cores, Python {platform.python_version()}, load {load};"
        f" server and clients share the cores.  {len(this_round.people):,} people."
    )
    published = f"{len(times)} publications meanwhile"
    rows = [line.format(**each, how="") for each in found]
    text = "\n".join(
        [
            "# The published list",
            "",
            on,
            "",
            "| clients | requests | median ms | 95 % ms | worst ms | a second | errors | |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
            *rows,
            line.format(**meanwhile, how=published),
            "",
            f"A request takes {cpu_ms:.1f} ms of the server's core.",
            "",
            "The static page in Chromium, {megabytes:.1f} MB: first paint after {paint_ms:.0f} ms, ready after"
            " {ready_ms:.0f} ms (the worst of three); search {median_ms:.0f} ms, at worst {search_ms:.0f}"
            " ms.".format(**drawn)
            if drawn
            else "No Chromium here: the static page was not measured.",
            "",
        ]
    )
    print(text)
    given.out.write_text(text, encoding="utf-8")
    sixteen = [found[-1], meanwhile]
    good = all(each["p95_ms"] < MOST_MS and not each["errors"] for each in sixteen)
    if drawn:
        good = good and drawn["paint_ms"] < MOST_PAINT_MS and drawn["search_ms"] < MOST_SEARCH_MS
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
