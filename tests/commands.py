"""Run the luohu command as a user does: in a process of its own, of this code or of another."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from typer import testing
from typer.testing import CliRunner

from flows.cli import app
from flows.common.settings import DATA, HOME

# a command line is made of its functions once, not for every command that is tried: a user has one, too
testing._get_command = functools.cache(testing._get_command)  # type: ignore[attr-defined]


def luohu(
    *arguments: object, env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The finished command with its exit status, stdout and stderr."""
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=cwd,
        env=os.environ | (env or {}),
    )


def other_code(folder: Path, *edits: tuple[str, str, str]) -> Path:
    """A copy of the source with some texts replaced, to be run with `luohu(..., cwd=it)`."""
    code = folder / "code"
    for package in ("flows", "schemas", "transforms", "data"):
        # compiled modules too, which fit as long as the time and size of their source do; half of one does not
        shutil.copytree(HOME / package, code / package, ignore=shutil.ignore_patterns("*.pyc.*"))
    for file, old, new in edits:
        edited(code / file, old, new)
    return code


RUN = """
import sys
from pathlib import Path
from flows.common.settings import Order
from flows.run import ingest, stages
ingest.prove_validator = lambda: None  # as in the runs of this process: it is not the point
print(stages.run(Order(2020, *map(Path, sys.argv[1:]), recheck=False)).run_id)
"""


def run_by(code: Path, feeds: Path, warehouse: Path, data: Path = DATA) -> str:
    """A run by another version of the code, in a process of its own; its id."""
    return subprocess.run(
        [sys.executable, "-c", RUN, feeds, warehouse, data],
        cwd=code, check=True, stdout=subprocess.PIPE, text=True,
    ).stdout.strip()  # fmt: skip


def edited(path: Path, old: str, new: str) -> None:
    """Replace the one place where a file has a text."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def here(
    *arguments: object, env: dict[str, str | None] | None = None
) -> subprocess.CompletedProcess[str]:
    """The same in this process, a second and more faster: where the process is not the point."""
    given = list(map(str, arguments))
    done = CliRunner().invoke(app, given, env=env, prog_name="luohu")
    return subprocess.CompletedProcess(given, done.exit_code, done.stdout, done.stderr)
