"""Find a run by its id, the beginning of it or its directory, and hold its files against its manifest.

Only run directories are read, no database: runs of two warehouses can be named side by side.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.common.failures import BadUsage, CheckFailed, NotFound
from flows.common.files import sha256
from flows.kept.past_run import MANIFEST, beginning, listed, read_manifest, require_there, runs_of
from flows.kept.run_files import SHORT, expected_digests, odd_rounds
from flows.kept.run_id import run_id_of


@dataclass(frozen=True)
class NamedRun:
    """A run directory and its manifest."""

    directory: Path
    year: int
    run_id: str
    manifest: dict[str, Any]

    @property
    def expected(self) -> dict[str, str]:
        """File -> SHA-256, as the manifest has it."""
        return expected_digests(self.manifest)

    def require_untouched(self, names: Iterable[str]) -> None:
        """Raise CheckFailed where a file is not the one the manifest names."""
        expected = self.expected
        for name in odd_rounds(self.directory, self.manifest):
            raise CheckFailed(
                f"{self.directory / name}: expected what names run {self.run_id}, found another"
                " decision: luohu audit says more"
            )
        for name in names:
            path = self.directory / name
            found = sha256(path) if path.is_file() else None
            if found is None or found != expected.get(name):
                wanted = expected.get(name, "none")[:SHORT]
                raise CheckFailed(
                    f"{path}: expected sha256 {wanted} as the manifest has it, found"
                    f" {found[:SHORT] if found else 'no file'}: what differs cannot be distinguished from a"
                    f" run that was changed; try: luohu audit {self.year} --run {self.run_id}"
                )


def named_run(name: str, warehouse: Path) -> NamedRun:
    """The run of that directory, or whose id begins so; raises NotFound that says which exist."""
    directory = Path(name)
    if (directory / MANIFEST).is_file():
        return read(directory)
    if "/" in name:
        raise NotFound(f"{name}: expected a run directory with a {MANIFEST}, found none")
    require_there(warehouse)
    runs = [run for year in runs_of(warehouse / "runs").values() for run in runs_of(year).values()]
    ids = beginning(name, (path.name for path in runs))
    fitting = [path for path in runs if path.name in ids]
    if not fitting:
        raise NotFound(f"{warehouse} holds no run {name}; runs: {by_round(runs)}")
    if len(fitting) > 1:
        raise BadUsage(f"run {name}: expected one run, found {by_round(fitting)}")
    return read(fitting[0])


def by_round(runs: list[Path]) -> str:
    """Runs for a message, each round with its own."""
    rounds = sorted({run.parent.name for run in runs})
    ids = {year: listed(run.name for run in runs if run.parent.name == year) for year in rounds}
    return "; ".join(f"{year}: {each}" for year, each in ids.items()) or "none"


def read(directory: Path) -> NamedRun:
    """A run whose manifest names it; raises CheckFailed for one that was edited."""
    manifest = read_manifest(directory / MANIFEST)
    run_id = str(manifest["run_id"])
    years = [Path(name).stem for name in manifest["round"]]
    if run_id != run_id_of(manifest) or len(years) != 1 or not years[0].isdigit():
        raise CheckFailed(
            f"{directory / MANIFEST}: expected what it was made from to give run {run_id}, found"
            f" {run_id_of(manifest)}: it was edited; luohu audit says more"
        )
    return NamedRun(directory, int(years[0]), run_id, manifest)
