"""The story in docs/: a small round carried through all its phases, as somebody at a shell does it."""

import os
import subprocess
from pathlib import Path

import pytest
from cases import ROOT


@pytest.mark.soak
def test_the_story_comes_to_its_end(tmp_path: Path) -> None:
    """Some hundred commands in processes of their own: three minutes of work."""
    done = subprocess.run(
        ["bash", ROOT / "docs" / "a-round.sh", tmp_path / "round"],
        env=os.environ | {"APPLICANTS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr}"
    assert done.stdout.splitlines()[-1] == "a-round: everything is as it must be"
    verified = done.stdout.split("$ luohu ledger --verify")[1]
    assert "and the files they name" in verified
