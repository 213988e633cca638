"""Measure `luohu web`: scores asked for by 4 and by 16 clients, and its memory over ten thousand requests.

A server of its own is started; the clients are threads of this process, on the same cores, each with a
connection of its own and people of its own, who differ in length and kind of work, home and study.
Ends with status 1 where a figure of contract 10.2 is not reached.  Prints a table and writes `web.md`.
"""

import argparse
import http.client
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

HERE = Path(__file__).parent
MOST_MS, MOST_GROWTH = 300, 1.10
WARM = 400  # requests before memory is first looked at


def somebody(number: int) -> bytes:
    """Facts of one of many people."""
    start = 2000 + number % 15
    return json.dumps(
        {
            "round": 2026,
            "application": {
                "birth_date": f"{1970 + number % 25}-05-01",
                "retirement_class": "male_60",
            },
            "feeds": {
                "social_insurance": [
                    {
                        "from": f"{start}-03-01",
                        "to": "2025-12-01",
                        "work_district": "110112",
                        "status": "paid",
                    }
                ],
                "housing": [
                    {
                        "kind": "rent",
                        "district": "110105",
                        "start_date": f"{start}-03-01",
                        "end_date": "2017-04-30",
                    },
                    {"kind": "own", "district": "110112", "start_date": "2017-05-10"},
                ],
                "education": [
                    {
                        "level": "master",
                        "has_diploma": True,
                        "has_degree": True,
                        "graduated_on": f"{start}-07-01",
                    }
                ],
                "tax": [
                    {
                        "treasury_date": f"{year}-06-30",
                        "income_kind": "comprehensive",
                        "amount_fen": 10**6 * number,
                    }
                    for year in (2023, 2024, 2025)
                ],
            },
        }
    ).encode()


def client(port: int, numbers: list[int], seconds: list[float], statuses: list[int]) -> None:
    """One client: asks, waits for the answer, asks again."""
    talking = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in numbers:
        start = time.perf_counter()
        talking.request(
            "POST", "/api/score", somebody(number), {"content-type": "application/json"}
        )
        answer = talking.getresponse()
        answer.read()
        seconds.append(time.perf_counter() - start)
        statuses.append(answer.status)
    talking.close()


def asked(port: int, clients: int, requests: int) -> dict[str, float]:
    """What that many clients saw who asked for scores."""
    return clients_asking(client, port, clients, requests)


def clients_asking(
    client: Callable[..., None], port: int, clients: int, requests: int
) -> dict[str, float]:
    """What that many clients saw, each in a thread; every one of them asks for a part of the requests."""
    seconds: list[float] = []
    statuses: list[int] = []
    threads = [
        threading.Thread(
            target=client, args=(port, list(range(each, requests, clients)), seconds, statuses)
        )
        for each in range(clients)
    ]
    start = time.perf_counter()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    ordered = sorted(seconds)
    return {
        "clients": clients,
        "requests": len(seconds),
        "median_ms": 1000 * statistics.median(ordered),
        "p95_ms": 1000 * ordered[len(ordered) * 95 // 100],
        "worst_ms": 1000 * ordered[-1],
        "a_second": len(seconds) / (time.perf_counter() - start),
        "errors": sum(status != 200 for status in statuses) + requests - len(statuses),
    }


def port_of(server: subprocess.Popen[str]) -> int:
    """Where a server that starts can be asked: it says so once it answers, after what else it has to say."""
    assert server.stderr
    said = next(line for line in server.stderr if line.startswith("The pages are at "))
    return int(said.split()[4].rstrip("/").rpartition(":")[2])


def memory_mb(process: psutil.Process) -> float:
    """What the server and its processes hold."""
    return sum(each.memory_info().rss for each in [process, *process.children()]) / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=400, help="for each number of clients")
    parser.add_argument(
        "--memory", type=int, default=10_000, help="requests over which memory is watched"
    )
    parser.add_argument("--out", type=Path, default=HERE / "web.md")
    given = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "web", "--port", "0"], stderr=subprocess.PIPE, text=True
    )
    try:
        port = port_of(server)
        process = psutil.Process(server.pid)
        asked(port, 16, WARM)
        before = memory_mb(process)
        found = [asked(port, clients, given.requests) for clients in (1, 4, 16)]
        most = asked(port, 16, given.memory)
        after = memory_mb(process)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    table = [
        "| clients | requests | median ms | 95 % ms | worst ms | a second | errors |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(
            "| {clients} | {requests} | {median_ms:.0f} | {p95_ms:.0f} | {worst_ms:.0f} | {a_second:.1f}"
            " | {errors} |".format(**each)
            for each in [*found, most]
        ),
    ]
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    on = f"`make bench-web` on {os.cpu_count()} cores, Python {platform.python_version()}, load {load}"
    requests = sum(each["requests"] for each in [*found, most])
    then = f"{after:.0f} MB after {requests:.0f} more"
    text = "\n".join(
        [
            "# Scores from `luohu web`",
            "",
            f"{on}; server and clients share the cores.",
            "",
            *table,
            "",
            f"Memory of the server with its processes: {before:.0f} MB after {WARM} requests, {then}.",
            "",
        ]
    )
    print(text)
    given.out.write_text(text, encoding="utf-8")
    four = found[1]
    good = four["p95_ms"] < MOST_MS and not sum(each["errors"] for each in [*found, most])
    return 0 if good and after < MOST_GROWTH * before else 1


if __name__ == "__main__":
    sys.exit(main())
