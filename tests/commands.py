"""Run the luohu command as a user does: in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path


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
