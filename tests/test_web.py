"""`luohu web`: a real server, asked by many at once and attacked; it gives what `luohu score` gives, and logs nothing."""

import asyncio
import contextlib
import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import uvicorn
from commands import here
from hypothesis import HealthCheck, Phase, given, settings
from web_server import Web, running, started

from flows.public.answer import answer
from flows.public.facts import read_facts
from flows.public.json_text import MOST_BYTES
from flows.public.web import guard, patience

pytestmark = pytest.mark.server
JSON = {"content-type": "application/json"}
MB = 1_000_000
Facts = dict[str, Any]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with running(tmp_path_factory.mktemp("web")) as server:
        yield server


def somebody(year: int = 1984, **feeds: Any) -> Facts:
    return {
        "round": 2026,
        "application": {"birth_date": f"{year}-05-01", "retirement_class": "male_60"},
        "feeds": {
            "social_insurance": [
                {
                    "from": "2010-01-01",
                    "to": "2025-12-01",
                    "work_district": "110112",
                    "status": "paid",
                }
            ],
            **feeds,
        },
    }


def asked(web: Web, content: Any, **headers: str) -> httpx.Response:
    body = content if isinstance(content, str | bytes) else json.dumps(content)
    return httpx.post(f"{web.url}/api/score", content=body, headers=JSON | headers, timeout=60)


def test_it_answers_as_score_does(web: Web) -> None:
    education = [
        {"level": "bachelor", "has_diploma": True, "has_degree": True, "graduated_on": "2012-07-01"}
    ]
    for facts in (somebody(), somebody(1978, education=education)):
        given = asked(web, facts)
        assert given.status_code == 200
        assert given.json() == answer(read_facts(json.dumps(facts)))


def test_many_at_once_get_their_own_answers(web: Web) -> None:
    people = [somebody(1950 + place, honours=[]) for place in range(48)]
    bad = [{"round": 2026}, somebody() | {"round": 1999}]
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda facts: asked(web, facts), [*people, *bad]))
    assert [each.status_code for each in found] == [200] * 48 + [422] * 2
    years = [each.json()["receipt"]["facts"]["birth_date"][:4] for each in found[:48]]
    assert years == [str(1950 + place) for place in range(48)]
    assert found[-1].json()["faults"][0]["path"] == "round"


def test_bad_facts_are_told_with_their_places(web: Web) -> None:
    facts = somebody(
        tax=[{"treasury_date": "2025-13-01", "income_kind": "wage", "amount_fen": 1.5}]
    )
    given = asked(web, facts)
    assert given.status_code == 422
    assert [each["path"] for each in given.json()["faults"]] == [
        "feeds.tax[0].treasury_date",
        "feeds.tax[0].amount_fen",
    ]


@pytest.mark.parametrize(
    "path", ["/", "/calculator", "/api/openapi.json", "/api/score", "/static/base.css", "/nothing"]
)
def test_every_answer_has_the_headers_and_no_cookie(path: str, web: Web) -> None:
    given = httpx.get(web.url + path)
    headers = given.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert not {"set-cookie", "server", "x-powered-by"} & set(headers)
    kept = path.startswith("/static/") and given.status_code == 200
    assert headers["cache-control"] == ("public, max-age=86400" if kept else "no-store")
    if given.headers["content-type"].startswith("text/html"):
        text = given.text
        assert '<html lang="zh-CN">' in text
        assert " style=" not in text
        assert " on" + "click=" not in text
        assert "<style" not in text
        assert "//" not in text.replace("<!doctype", ""), "nothing from elsewhere"


def test_scoring_is_for_post_and_pages_for_get(web: Web) -> None:
    assert httpx.get(f"{web.url}/api/score").status_code == 405
    assert httpx.post(web.url).status_code == 405
    assert httpx.put(f"{web.url}/calculator").status_code == 405
    assert httpx.head(f"{web.url}/calculator").status_code == 200
    other = httpx.post(f"{web.url}/api/score", content="{}", headers={"content-type": "text/plain"})
    assert other.status_code == 415
    for outside in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/steps.toml"):
        assert httpx.get(web.url + outside).status_code == 404


def pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // 65_536):
        yield b" " * 65_536


def test_too_much_is_refused_whether_it_says_so_or_not(web: Web) -> None:
    exact = json.dumps(somebody()).encode().ljust(MOST_BYTES)
    assert asked(web, exact).status_code == 200
    assert asked(web, exact + b" ").status_code == 413
    in_pieces = httpx.post(
        f"{web.url}/api/score", content=pieces(3 * MOST_BYTES), headers=JSON, timeout=60
    )
    assert in_pieces.status_code == 413
    field = {"facts": "x" * (MOST_BYTES + 1)}
    assert httpx.post(f"{web.url}/calculator", data=field, timeout=60).status_code == 413


def test_hostile_facts_cost_little(web: Web) -> None:
    months = [{"from": "1026-01-01", "to": "2025-12-01", "status": "paid"}]
    long = [{"from": "1926-01-01", "to": "9999-12-01", "status": "paid"}]
    hostile = {
        "a thousand years": json.dumps(somebody(social_insurance=months)),
        "eight thousand": json.dumps(somebody(social_insurance=long)),
        "ten thousand rows": json.dumps(
            somebody(detentions=[{"decided_on": "2020-01-01"}] * 10_000)
        ),
        "deep": "[" * 500_000,
        "deep objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
        "digits": '{"round": ' + "9" * 900_000 + "}",
        "no number": '{"round": NaN}',
        "a surrogate": '{"round": 2026, "\\ud800": 1}',
        "nothing": "",
        "bytes": b"\xff\xfe",
    }
    for name, text in hostile.items():
        start = time.perf_counter()
        given = asked(web, text)
        assert given.status_code == 422, name
        assert time.perf_counter() - start < 10, name
        assert given.json()["faults"], name


def test_a_process_that_dies_is_replaced(web: Web) -> None:
    before = web.workers()
    os.kill(before[0].pid, 9)
    deadline = time.monotonic() + 60
    while asked(web, somebody()).status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert asked(web, somebody()).status_code == 200
    while len(web.workers()) < len(before) and time.monotonic() < deadline:
        time.sleep(0.1)  # nobody has to wait for it
    after = {each.pid for each in web.workers()}
    assert len(after) == len(before)
    assert before[0].pid not in after


def cases(web: Web) -> Any:
    import schemathesis  # half a second for every worker that lists the tests

    schema = schemathesis.openapi.from_url(f"{web.url}/api/openapi.json")
    return schema["/api/score"]["POST"]


def fuzz(web: Web, most: int) -> Counter[int]:
    """Requests made of the description, right ones and wrong ones: each is answered as it says."""
    from schemathesis import GenerationMode

    operation = cases(web)
    seen = Counter[int]()

    def tried(case: Any) -> None:
        found = case.call(base_url=web.url, timeout=60)
        seen[found.status_code] += 1
        assert found.status_code < 500, found.status_code
        operation.validate_response(found)

    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    for mode in modes:
        strategy = operation.as_strategy(generation_mode=mode)
        trial = settings(
            max_examples=most // 2,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(given(strategy)(tried))
        trial()
    assert sum(seen.values()) >= most * 9 // 10
    assert seen[422], seen
    return seen


def test_fuzzed_requests_never_fail_it(web: Web) -> None:
    fuzz(web, 60)


@pytest.mark.soak
def test_ten_thousand_fuzzed_requests_leave_no_memory_behind(web: Web) -> None:
    seen = fuzz(web, 500)
    workers = web.workers()
    before = sum(each.memory_info().rss for each in workers)
    with ThreadPoolExecutor(4) as threads:
        seen += sum(threads.map(lambda _: fuzz(web, 2_400), range(4)), Counter())
    assert set(web.workers()) == set(workers), "a process died: what others hold tells nothing"
    after = sum(each.memory_info().rss for each in workers)
    print(
        f"{seen.total():,} requests: {dict(seen)}; {before / MB:.0f} MB before, {after / MB:.0f} after"
    )
    assert after < 1.2 * before, (before, after)


def test_an_address_that_is_taken_is_told(web: Web) -> None:
    done = here("web", "--port", web.url.rpartition(":")[2])
    assert done.returncode == 2
    assert done.stderr.startswith("luohu: cannot listen at 127.0.0.1 port ")
    assert done.stderr.endswith(": Address already in use\n")
    assert len(done.stderr.splitlines()) == 1


@contextlib.contextmanager
def served_here(app: Any) -> Iterator[int]:
    """An application behind the guard, served by a real uvicorn in this process."""
    at = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        guard.Guard(app),
        http=patience.Patient,
        log_config=None,
        log_level="critical",
        lifespan="off",
        timeout_keep_alive=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[at])))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield at.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        at.close()


def heard(port: int, text: bytes) -> bytes:
    """All that comes back to somebody who says this and no more."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as talking:
        talking.sendall(text)
        found = b""
        while piece := talking.recv(65_536):
            found += piece
    return found


async def echo(_: Any, receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    if body == b"fail":
        raise ValueError("1984-05-01")
    if body == b"hang":
        await asyncio.sleep(60)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def test_slow_clients_are_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module, name in (
        (patience, "SECONDS"),
        (guard, "SECONDS_TO_SEND"),
        (guard, "SECONDS_IN_ALL"),
    ):
        monkeypatch.setattr(module, name, 0.4 if name != "SECONDS_IN_ALL" else 1.0)
    with served_here(echo) as port:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        assert heard(port, b"") == b""
        assert heard(port, b"POST / HTTP/1.1\r\nHost: a\r\nX-Slow: ") == b""
        assert heard(port, head % 10 + b"half").startswith(b"HTTP/1.1 408 ")
        assert heard(port, head % 4 + b"hang").startswith(b"HTTP/1.1 503 ")
        whole = heard(port, head % 4 + b"good")
        assert whole.startswith(b"HTTP/1.1 200 ")
        assert b"\r\ngood\r\n" in whole
        twice = heard(port, (head % 4).replace(b"Connection: close\r\n", b"") + b"goodPOST / HT")
        assert b"\r\ngood\r\n" in twice
        assert capsys.readouterr().err == ""
        failed = heard(port, head % 4 + b"fail")
        assert failed.startswith(b"HTTP/1.1 500 ")
        assert b"nosniff" in failed
    told = capsys.readouterr().err
    assert told.startswith("luohu web: ValueError at test_web.py:")
    assert "1984" not in told


def test_whoever_dribbles_holds_up_nobody(web: Web) -> None:
    host, port = web.url.removeprefix("http://").split(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(60)]
    for each in slow:
        each.sendall(b"POST /api/score HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
    try:
        assert asked(web, somebody()).status_code == 200
    finally:
        for each in slow:
            each.close()


@pytest.mark.soak
def test_the_processes_end_with_a_server_that_was_killed(tmp_path: Path) -> None:
    server = started(tmp_path)
    workers = server.workers()
    assert len(workers) >= 2
    server.process.kill()
    server.process.communicate()
    assert psutil.wait_procs(workers, timeout=10)[1] == []
