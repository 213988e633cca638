"""Workers that somebody else started are looked at before they get anything to do.

Each must see the folder the run works in and the delivery, have the same code, policy and libraries, and
work on one task at a time.  One that does not is refused by name.
"""

import platform
import secrets
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
from distributed import Client

from flows.common.failures import WorkersRefused
from flows.common.files import sha256_of
from flows.common.settings import DATA
from flows.kept.manifest import LIBRARIES, code_digest, file_digests
from flows.kept.pinned_code import MAKE_TABLES

TASKS = "flows.orchestration.bucket_tasks"
CODE = code_digest(TASKS, *MAKE_TABLES)  # as this process started, even if files changed since

ANSWER_WITHIN = 60  # seconds for all workers, each of which gives Prefect 15
ALONE_WITHIN = 20


def require_alike(client: Client, server: str, store: Path, delivery: Path, data: Path) -> None:
    """Raise WorkersRefused, naming each worker and what is wrong with it, unless all will do."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    if not workers:
        raise WorkersRefused("expected workers at that scheduler, found none; nothing was done")
    token = store / f"token-{secrets.token_hex(8)}"
    token.write_text(secrets.token_hex(16), encoding="ascii")
    asked = (server, *(str(path.absolute()) for path in (token, delivery, data)))
    try:
        mine = seen(*asked)
        found = answers(client, asked, sorted(workers))
    finally:
        token.unlink()
    refused = [
        f"worker {workers[address]['name']} at {address}: {trouble}"
        for address in sorted(workers)
        if (trouble := trouble_with(found.get(address), mine, workers[address]["nthreads"]))
    ]
    if refused:
        raise WorkersRefused("\n".join(refused))


def answers(client: Client, asked: tuple[str, ...], workers: list[str]) -> dict[str, Any]:
    """What each worker sees; one that says nothing, a suspended process perhaps, holds up nobody for long."""
    with suppress(TimeoutError):
        return run_in(client, asked, workers, ANSWER_WITHIN)
    found: dict[str, Any] = {}
    for each in workers:
        try:
            found |= run_in(client, asked, [each], ALONE_WITHIN)
        except TimeoutError as error:
            found[each] = error
    return found


def run_in(
    client: Client, asked: tuple[str, ...], workers: list[str], patience: float
) -> dict[str, Any]:
    """What some workers see; raises TimeoutError where one does not say."""
    return dict(
        client.run(seen, *asked, workers=workers, on_error="return", callback_timeout=patience)
    )


def trouble_with(found: Any, mine: dict[str, Any], threads: int) -> str:
    """What is wrong with a worker; nothing when it will do."""
    if isinstance(found, TimeoutError):
        return "expected an answer, found none"
    if not isinstance(found, dict):
        return f"expected the same code, found none it could run ({type(found).__name__})"
    differs = [what for what, each in mine.items() if found.get(what) != each]
    if differs:
        what = differs[0]
        return f"expected {WORDS.get(what, f'{what} {mine[what]}')}, found {said(found.get(what))}"
    if threads != 1:
        return f"expected one thread (--nthreads 1), found {threads}"
    return ""


WORDS = {
    "folder": "to see the folder the run works in",
    "delivery": "to see the delivery as the run does",
    "code": "the same code",
    "policy": "the same policy and rounds",
    "server": "to reach Prefect's server",
}


def said(found: object) -> str:
    """What was found, where that is short; else that it is something else."""
    return str(found) if isinstance(found, str) and len(found) < len(sha256_of("")) else "another"


def seen(server: str, token: str, delivery: str, data: str) -> dict[str, Any]:
    """What a process sees and has; called in each worker, and here."""
    return {
        "folder": content(Path(token)),
        "code": CODE,
        "policy": sha256_of(
            [
                file_digests(Path(data) / "policy", "*.toml"),
                file_digests(Path(data) / "rounds", "*.toml"),
                file_digests(DATA, "*.toml"),
            ]
        ),
        "delivery": sha256_of(
            sorted(
                [path.relative_to(delivery).as_posix(), path.stat().st_size]
                for path in Path(delivery).rglob("*")
                if path.is_file()
            )
        ),
        **{name: version(name) for name in (*LIBRARIES, "prefect", "prefect-dask", "distributed")},
        "Python": platform.python_version(),
        "server": answer(server),
    }


def content(path: Path) -> str:
    """What a file holds; that it is not there."""
    try:
        return sha256_of(path.read_text(encoding="ascii"))
    except OSError:
        return "nothing there"


def answer(server: str) -> str:
    """Whether Prefect's server can be reached."""
    try:
        return "an answer" if httpx.get(f"{server}/health", timeout=15).is_success else "a refusal"
    except httpx.HTTPError:
        return "no answer"
