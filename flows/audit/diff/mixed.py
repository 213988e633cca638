"""Recompute mixed combinations of two runs: the data of one, say, with the policy of the other.

A combination is a folder of links into both run directories, laid out like a run directory.  A
process of its own works it out with the code pinned with the run whose code it takes
(`flows.audit.own_code`).  One after the other: each takes a gigabyte.
"""

import tempfile
from contextlib import suppress
from pathlib import Path

import polars as pl

from flows.audit.diff.attribution import POINTS, Results, aligned
from flows.audit.diff.causes import CODE, DECISION, POLICY, Causes, accepted, libraries
from flows.audit.own_code import CannotBeRepeated, code_of, run_code, today
from flows.common.failures import CheckFailed
from flows.common.points import centipoints
from flows.common.progress import report
from flows.kept.known_code import Trust
from flows.kept.manifest import environment
from flows.kept.named_run import NamedRun
from flows.kept.tables import table

PAIR = 2  # causes whose combinations alone are those without the other
RESULTS = ("scores", "eligibility", "ranking")

Combination = frozenset[str]  # the causes taken from the second run, the others from the first


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
        own = [
            code_of(run, folder / f"code-{name}", trust, self.unknown)
            for name, run in (("a", a), ("b", b))
        ]
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
        self.known: dict[Combination, Results | CannotBeRepeated] = {}

    def results(self, from_b: Combination) -> Results:
        """A combination's results; raises CannotBeRepeated, each time it is asked for."""
        if from_b not in self.known:
            causes = ", ".join(sorted(from_b)) or "nothing"
            report(f"recomputing A with {causes} of B", len(self.known), self.expected)
            try:
                self.known[from_b] = self.recomputed(from_b)
            except CannotBeRepeated as failure:
                self.known[from_b] = failure
        found = self.known[from_b]
        if isinstance(found, CannotBeRepeated):
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
        }
        with tempfile.TemporaryDirectory(dir=self.folder) as made:
            folder = Path(made)
            (folder / "pinned").mkdir()
            for name, path in parts.items():
                (folder / name).symlink_to(path.resolve())
            (folder / "pinned" / "rounds").mkdir()
            for path in (side(DECISION).directory / "pinned" / "rounds").glob("*.toml"):
                says = without_phases(path.read_bytes())
                (folder / "pinned" / "rounds" / path.name).write_bytes(says)
            code = self.code[CODE in from_b]
            if code.warning and code.warning not in self.said:
                self.said.add(code.warning)
                self.trust.say(f"--trust-code {code.warning}")
            run_code(code, folder)
            return aligned(results(folder), self.numbers)


def without_phases(text: bytes) -> bytes:
    """A round file that code of any version can read: its phases, which move no table, left out.

    Versions list them in ways of their own.
    """
    kept, is_phase = [], False
    for line in text.splitlines(keepends=True):
        if line.startswith(b"["):
            is_phase = line.startswith((b"[phases", b"[[phases"))
        kept.append(b"" if is_phase else line)
    return b"".join(kept)


def results(folder: Path) -> pl.DataFrame:
    """Points in centipoints, eligibility, rank and settlement of every application of a run."""
    with suppress(pl.exceptions.PolarsError, pl.exceptions.PanicException):
        scores, eligibility, ranking = (table(folder, name) for name in RESULTS)
        return (
            scores.select("application_no", *(centipoints(name).alias(name) for name in POINTS))
            .join(
                eligibility.select("application_no", "eligible"),
                on="application_no",
                validate="1:1",
            )
            .join(
                ranking.select("application_no", "rank", "settled"),
                on="application_no",
                how="left",
                validate="1:1",
            )
            .with_columns(pl.col("settled").fill_null(value=False))
            .sort("application_no")
            .collect()
        )
    raise CheckFailed(
        f"{folder}: expected {', '.join(RESULTS)} with a row an application and the columns of a run,"
        " found others"
    )
