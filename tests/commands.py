"""Run the luohu command as a user does: in a process of its own, of this code or of another."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from flows.cli import app
from flows.common.settings import HOME


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
        shutil.copytree(
            HOME / package, code / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file, old, new in edits:
        edited(code / file, old, new)
    return code


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
