"""Run the code that a run pinned, in a process of its own: old code and new never meet in one.

Pinned code is run only where it is known here (`flows.kept.known_code`), or on the user's word.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from flows.common.failures import CheckFailed, Failure, StageFailed
from flows.common.files import sha256
from flows.common.limits import require_size
from flows.common.settings import HOME
from flows.kept import pinned_code
from flows.kept.known_code import Trust, what_it_does
from flows.kept.manifest import code_digest
from flows.kept.named_run import NamedRun
from flows.kept.past_run import PastRun
from flows.kept.run_files import CODE, expected_digests
from flows.run.recompute import CANNOT, FAILED

# `python -m flows.recompute FOLDER` with the code of a folder first; PYTHONPATH would part it at a colon
RECOMPUTE = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1));"
    " runpy.run_module('flows.recompute', run_name='__main__', alter_sys=True)"
)


class CannotBeRepeated(Failure):
    """Rows, policy, round and code do not fit together."""


class Code(NamedTuple):
    """A folder with a version of the code, ready to be run, its digest, and what to say before."""

    folder: Path
    digest: str
    warning: str = ""


def today() -> Code:
    """The code that runs now."""
    return Code(HOME, code_digest())


def code_of(
    run: NamedRun | PastRun, folder: Path, trust: Trust, unknown: dict[Path, str]
) -> Code | None:
    """The code of a run; nothing where it was not kept, or may not be run: then it is `unknown`."""
    named = str(run.manifest["code"].get("digest"))
    if CODE not in expected_digests(run.manifest):
        return today() if named == code_digest() else None
    archive, copy = run.directory / CODE, folder.with_suffix(".zip")
    require_size(archive, pinned_code.MOST_BYTES)
    shutil.copyfile(archive, copy)  # so that what was looked at is what is run
    contents = pinned_code.contents(copy, archive)
    if pinned_code.digest_of(contents) != named:
        raise CheckFailed(f"{archive}: expected code {named}, found another")
    if contents == pinned_code.present():
        return today()  # compiled already
    digest = sha256(copy)
    if digest in trust.known:
        return Code(pinned_code.unpack(copy, folder), named)
    if not trust.whatever:
        unknown[archive] = digest
        return None
    return Code(pinned_code.unpack(copy, folder), named, what_it_does(archive, digest))


def run_code(code: Code, folder: Path) -> None:
    """Recompute a folder with a version of the code; raises CannotBeRepeated where it cannot."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-P", "-c", RECOMPUTE, str(code.folder), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    message = done.stderr.strip().splitlines()[-1:]
    if done.returncode == CANNOT:
        raise CannotBeRepeated(*message)
    if done.returncode == FAILED:
        raise StageFailed(*message)
    if done.returncode:
        # what code says when it fails unforeseen may hold somebody's ID or name
        raise StageFailed(f"recomputing: the code stopped with status {done.returncode}")
    if done.stdout.split()[-1:] != [code.digest]:
        raise StageFailed(f"recomputing: expected code {code.digest}, another one ran")
