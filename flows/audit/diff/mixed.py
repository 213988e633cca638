"""Recompute mixed combinations of two runs: the data of one, say, with the policy of the other.

A combination is a folder of links into both run directories, laid out like a run directory.  A
process of its own works it out with the code pinned with the run whose code it takes, so that old
code and new never meet in one process.  One after the other: each takes a gigabyte.  Pinned code is
run only where it is known here (`flows.kept.known_code`), or on the user's word.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import polars as pl

from flows.audit.diff.attribution import POINTS, Results, aligned
from flows.audit.diff.causes import CODE, DECISION, POLICY, Causes, accepted, libraries
from flows.common.by_name import scan_table
from flows.common.failures import CheckFailed, Failure, StageFailed
from flows.common.files import sha256
from flows.common.limits import require_size
from flows.common.points import centipoints
from flows.common.progress import report
from flows.common.settings import HOME
from flows.kept import pinned_code
from flows.kept.integrity import CODE as ARCHIVE
from flows.kept.known_code import Trust, what_it_does
from flows.kept.manifest import code_digest, environment
from flows.kept.named_run import NamedRun
from flows.run.recompute import CANNOT, FAILED

# `python -m flows.recompute FOLDER` with the code of a folder first; PYTHONPATH would part it at a colon
RECOMPUTE = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1));"
    " runpy.run_module('flows.recompute', run_name='__main__', alter_sys=True)"
)
PAIR = 2  # causes whose combinations alone are those without the other
RESULTS = tuple(f"{name}.parquet" for name in ("scores", "eligibility", "ranking"))

Combination = frozenset[str]  # the causes taken from the second run, the others from the first


class CannotBeCombined(Failure):
    """Rows, policy, round and code of a combination do not fit together."""


class Code(NamedTuple):
    """A folder with a version of the code, ready to be run, its digest, and what to say before."""

    folder: Path
    digest: str
    warning: str = ""


class Mixer:
    """Works out combinations of two runs, each once.

    Where the code of a run was not kept, or may not be run, one code measures both: the code of the
    other, or today's.
    """

    def __init__(
        self,
        a: NamedRun,
        b: NamedRun,
        found: Causes,
        numbers: pl.Series,
        folder: Path,
        *,
        trust: Trust,
    ) -> None:
        self.runs, self.rows_with = (a, b), found.rows_with
        self.numbers, self.folder = numbers, folder
        count = len(found.differing)
        self.expected = count if count <= PAIR else 2 * count
        self.trust = trust
        self.unknown: dict[Path, str] = {}  # code that was not run, with its digest
        self.said: set[str] = set()
        own = (self.code_of(a, folder / "code-a"), self.code_of(b, folder / "code-b"))
        one = own[1] or own[0] or today()
        self.code = (own[0] or one, own[1] or one) if all(own) else (one, one)
        self.kept = all(own)
        libraries_as_then = [
            libraries(run.manifest["environment"]) == libraries(environment()) for run in self.runs
        ]
        self.other_libraries = not all(libraries_as_then)
        self.as_then = [
            mine == used and same
            for mine, used, same in zip(own, self.code, libraries_as_then, strict=True)
        ]
        self.known: dict[Combination, Results | CannotBeCombined] = {}

    def code_of(self, run: NamedRun, folder: Path) -> Code | None:
        """The code of a run; nothing where it was not kept or may not be run."""
        named = str(run.manifest["code"].get("digest"))
        if ARCHIVE not in run.expected:
            return today() if named == code_digest() else None
        archive, copy = run.directory / ARCHIVE, folder.with_suffix(".zip")
        require_size(archive, pinned_code.MOST_BYTES)
        shutil.copyfile(archive, copy)  # so that what was looked at is what is run
        contents = pinned_code.contents(copy, archive)
        if pinned_code.digest_of(contents) != named:
            raise CheckFailed(f"{archive}: expected code {named}, found another")
        if contents == pinned_code.present():
            return today()  # compiled already
        digest = sha256(copy)
        if digest in self.trust.known:
            return Code(pinned_code.unpack(copy, folder), named)
        if not self.trust.whatever:
            self.unknown[archive] = digest
            return None
        return Code(pinned_code.unpack(copy, folder), named, what_it_does(archive, digest))

    def results(self, from_b: Combination) -> Results:
        """A combination's results; raises CannotBeCombined, each time it is asked for."""
        if from_b not in self.known:
            told = ", ".join(sorted(from_b)) or "nothing"
            report(f"recomputing A with {told} of B", len(self.known), self.expected)
            try:
                self.known[from_b] = self.recomputed(from_b)
            except CannotBeCombined as failure:
                self.known[from_b] = failure
        found = self.known[from_b]
        if isinstance(found, CannotBeCombined):
            raise found
        return found

    def recomputed(self, from_b: Combination) -> Results:
        """Put the combination together and run its code on it."""

        def side(*causes: str) -> NamedRun:
            return self.runs[from_b.issuperset(causes)]

        rows = side(*self.rows_with)
        rows.require_untouched(accepted(rows))
        parts = {
            "accepted": rows.directory / "accepted",
            "pinned/policy": side(POLICY).directory / "pinned" / "policy",
            "pinned/rounds": side(DECISION).directory / "pinned" / "rounds",
        }
        with tempfile.TemporaryDirectory(dir=self.folder) as made:
            folder = Path(made)
            (folder / "pinned").mkdir()
            for name, path in parts.items():
                (folder / name).symlink_to(path.resolve())
            code = self.code[CODE in from_b]
            if code.warning and code.warning not in self.said:
                self.said.add(code.warning)
                self.trust.say(f"--trust-code {code.warning}")
            run_code(code, folder)
            return aligned(results(folder), self.numbers)


def today() -> Code:
    """The code that runs now."""
    return Code(HOME, code_digest())


def run_code(code: Code, folder: Path) -> None:
    """Recompute a folder with a version of the code; raises CannotBeCombined where it cannot."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-P", "-c", RECOMPUTE, str(code.folder), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stderr.strip().splitlines()[-1:]
    if done.returncode == CANNOT:
        raise CannotBeCombined(*told)
    if done.returncode == FAILED:
        raise StageFailed(*told)
    if done.returncode:
        # what code says when it fails unforeseen may hold somebody's ID or name
        raise StageFailed(f"recomputing: the code stopped with status {done.returncode}")
    if done.stdout.split()[-1:] != [code.digest]:
        raise StageFailed(f"recomputing: expected code {code.digest}, another one ran")


def results(folder: Path) -> pl.DataFrame:
    """Points in centipoints, eligibility, rank and settlement of every application of a run."""
    scores, eligibility, ranking = (scan_table(folder / name) for name in RESULTS)
    rows = (
        scores.select("application_no", *(centipoints(name).alias(name) for name in POINTS))
        .join(eligibility.select("application_no", "eligible"), on="application_no", validate="1:1")
        .join(
            ranking.select("application_no", "rank", "settled"),
            on="application_no",
            how="left",
            validate="1:1",
        )
        .with_columns(pl.col("settled").fill_null(value=False))
        .sort("application_no")
    )
    try:
        return rows.collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        raise CheckFailed(
            f"{folder}: expected {', '.join(RESULTS)} with a row an application and the columns of"
            " a run, found others"
        ) from None
