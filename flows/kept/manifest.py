"""The record of a run: what went in, what came out, and with which code (`manifest.json`).

A run is named by what it was made from: round, policy, delivered files, options and code (`run_id`).
No clock goes in, so the same inputs give the same name and the same bytes.
"""

import json
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from flows.common.by_name import scan_table
from flows.common.files import sha256, sha256_of
from flows.common.settings import DATA, HOME, Order, luohu_version
from flows.kept import pinned_code
from schemas.results import TABLES
from transforms.policy import read_toml

# 2: named by one digest over all feeds; delivered files are part-N by place, their names restricted
# 3: named by what the round file says but for its phases; the file's own digest is among the pinned
FORMAT = 3
FILE_NAMES = (
    "restricted/file_names.json"  # kept beside the run: the same rows may come under others
)
LIBRARIES = ("duckdb", "pandera", "polars", "pyarrow")
# tables that name the run or the rows of a delivery's files; the others depend on facts alone
OF_THE_RUN = ("rejects", "feeds", "rounds")


def made_from(order: Order, delivery: dict[str, Any]) -> dict[str, Any]:
    """What a run is made from, which names it, and the format it is written in."""
    return {
        "format": FORMAT,
        "round": {f"{order.year}.toml": round_digest(order.data / "rounds" / f"{order.year}.toml")},
        "policy": file_digests(order.data / "policy", "*.toml"),
        "codes": file_digests(DATA, "codes.toml"),  # those that are read, whatever --data says
        "feeds": delivery["feeds"],
        "options": {"max_rejects": order.max_rejects, "recheck": order.recheck},
        "code": {"version": luohu_version(), "digest": code_digest()},
    }


def pin(order: Order, work: Path) -> None:
    """Keep the round, the policy files and the code a run was made with beside its tables."""
    kept = work / "pinned"
    shutil.copytree(
        *(order.data / "policy", kept / "policy"),
        ignore=lambda _, names: [name for name in names if not name.endswith(".toml")],
    )
    (kept / "rounds").mkdir()
    shutil.copy(order.data / "rounds" / f"{order.year}.toml", kept / "rounds")
    pinned_code.keep(kept / pinned_code.NAME)


def manifest(run_id: str, source: dict[str, Any], work: Path) -> dict[str, Any]:
    """The manifest of a run whose files all lie in `work`."""
    outputs = {
        path.relative_to(work).as_posix(): {
            "sha256": sha256(path),
            "rows": scan_table(path).select(pl.len()).collect().item(),
        }
        for path in sorted(work.rglob("*.parquet"))
    }
    results = {
        name: outputs[f"{name}.parquet"]["sha256"] for name in TABLES if name not in OF_THE_RUN
    }
    rounds = [f"rounds/{name}" for name in source["round"]]
    return {
        "run_id": run_id,
        **source,
        "outputs": outputs,
        "result_digest": sha256_of(results),
        "report": sha256(work / "report.html"),
        "pinned": {name: sha256(work / "pinned" / name) for name in (pinned_code.NAME, *rounds)},
        "environment": environment(),
    }


def round_digest(path: Path) -> str:
    """The digest of what a round file says; its phases move no table."""
    says = {name: each for name, each in read_toml(path).items() if name != "phases"}
    return sha256_of(json.loads(json.dumps(says, default=str)))


def file_digests(folder: Path, pattern: str) -> dict[str, str]:
    """SHA-256 by file name."""
    return {path.name: sha256(path) for path in sorted(folder.glob(pattern))}


def code_digest(*starts: str) -> str:
    """One digest of the code that makes tables, or of what other modules import."""
    return pinned_code.digest_of(pinned_code.present(*starts))


def environment() -> dict[str, Any]:
    """Versions, lock and validator settings: what a difference may come from, not what names a run."""
    from pandera.config import get_config_global  # slow to import, and explain needs none of it

    lock = HOME / "requirements.lock"
    config = get_config_global()
    return {
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "lock": sha256(lock) if lock.is_file() else None,
        "pandera": {
            "validation_enabled": config.validation_enabled,
            "validation_depth": config.validation_depth.value if config.validation_depth else None,
        },
    }
