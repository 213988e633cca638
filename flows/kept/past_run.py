"""Find a past run in a warehouse and read what it says about itself, without believing any of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.common.database import DATABASE, open_read_only
from flows.common.failures import (
    BadUsage,
    CheckFailed,
    DatabaseUnreadable,
    NewerWarehouse,
    NotFound,
)
from flows.common.limits import MOST_JSON, MOST_ROWS, require_size
from flows.common.settings import Order
from flows.kept.manifest import FORMAT
from flows.kept.run_id import DELIVERY
from flows.kept.salts import SALTED

MANIFEST = "manifest.json"
SHORTEST = 6  # characters of a run id: fewer may fit too much
SHAPE: dict[str, type] = {
    **dict.fromkeys(("run_id", "result_digest"), str),
    **dict.fromkeys(("round", "policy", "codes", "feeds", "options", "code"), dict),
    **dict.fromkeys(("outputs", "environment"), dict),
}


@dataclass(frozen=True)
class Publication:
    """What the analysts' database knows of the runs of a round; no trouble when it could be read."""

    current: str | None = None  # the run published last
    manifests: dict[str, str] = field(default_factory=dict)  # run -> digest of its manifest
    rounds: tuple[int, ...] = ()
    absent: bool = False
    trouble: str | None = None  # why it could not be read


@dataclass(frozen=True)
class PastRun:
    """One run directory, its manifest as it lies there, and the database's view of it."""

    year: int
    run_id: str  # the directory's name; the manifest may say otherwise
    directory: Path
    warehouse: Path
    manifest: dict[str, Any]
    publication: Publication
    left_out: frozenset[str] = frozenset()  # outputs a public capsule does not hold

    @property
    def published(self) -> bool:
        """Whether the database shows this run for its round."""
        return self.publication.current == self.run_id


def past_run(warehouse: Path, year: int, run_id: str | None) -> PastRun:
    """The named run, or the published one, or the only one; raises NotFound that says which exist,
    or DatabaseUnreadable where neither the database nor a run directory says it."""
    require_there(warehouse)
    publication = published(warehouse, year)
    kept = {path.name: runs_of(path) for path in runs_of(warehouse / "runs").values()}
    runs = kept.get(str(year), {})
    if not runs and publication.trouble:
        raise DatabaseUnreadable(f"{warehouse / DATABASE}: {publication.trouble}")
    if not runs and publication.current is None:
        known = {*filter(str.isdigit, kept), *map(str, publication.rounds)}
        raise NotFound(f"{warehouse} holds no round {year}; rounds: {listed(known)}")
    named = None if run_id is None else chosen(run_id, year, runs)
    if publication.trouble and not named and len(runs) > 1:
        raise DatabaseUnreadable(f"{warehouse / DATABASE}: {publication.trouble}")
    wanted = named or publication.current or only(runs, year)
    if wanted not in runs:
        raise CheckFailed(
            f"expected the run {wanted} the database shows for round {year} in"
            f" {warehouse / 'runs' / str(year)}, found {listed(runs)}"
        )
    manifest = read_manifest(runs[wanted] / MANIFEST)
    return PastRun(year, wanted, runs[wanted], warehouse, manifest, publication)


def pinned(directory: Path, year: int, *, recheck: bool = False) -> Order:
    """A past run as an order: its round and its policy are the ones pinned in its directory."""
    return Order(year, directory, directory, directory / "pinned", recheck=recheck)


def require_there(warehouse: Path) -> None:
    """Raise NotFound where there is no warehouse: the default is one in the current folder."""
    if (warehouse / "runs").is_dir() or (warehouse / DATABASE).is_file():
        return
    there = "none"
    if warehouse.exists():
        there = f"a {'folder' if warehouse.is_dir() else 'file'} with neither {DATABASE} nor runs"
    raise NotFound(
        f"expected a warehouse {warehouse}, found {there}: run `luohu run ROUND --feeds DIR` first,"
        " or name the warehouse with --warehouse"
    )


def runs_of(folder: Path) -> dict[str, Path]:
    """The folders in a folder by name, without those a run works in."""
    if not folder.is_dir():
        return {}
    return {
        path.name: path
        for path in sorted(folder.iterdir())
        if path.is_dir() and not path.name.startswith(".")
    }


def chosen(name: str, year: int, runs: Iterable[str]) -> str:
    """The run of a round of that id, or the only one whose id begins so."""
    fitting = beginning(name, runs)
    if not fitting:
        raise NotFound(f"round {year} has no run {name}; runs: {listed(runs)}")
    if len(fitting) > 1:
        raise BadUsage(f"run {name}: expected one run, found {listed(fitting)}")
    return fitting[0]


def beginning(name: str, runs: Iterable[str]) -> list[str]:
    """The run of that id, or those whose ids begin so; raises BadUsage for a beginning too short."""
    ids = list(runs)
    if name in ids:
        return [name]
    found = [each for each in ids if each.startswith(name)]
    if found and len(name) < SHORTEST:
        raise BadUsage(f"run {name}: expected at least {SHORTEST} characters, found {len(name)}")
    return found


def only(runs: dict[str, Path], year: int) -> str:
    """The one run there is; raises NotFound when it has to be named."""
    if len(runs) > 1:
        raise NotFound(
            f"no database says which run of round {year} was published; name one with --run:"
            f" {listed(runs)}"
        )
    return next(iter(runs))


def listed(names: Iterable[str]) -> str:
    """Names for a message."""
    return ", ".join(sorted(names)) or "none"


def read_manifest(path: Path, *, public: bool = False) -> dict[str, Any]:
    """A manifest of the expected shape; raises CheckFailed, or NewerWarehouse for a later format.

    `public` is one whose digests are salted, as a public capsule has it.
    """
    try:
        require_size(path, MOST_JSON)
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckFailed(f"{path}: expected the run's manifest, found none") from None
    except (ValueError, RecursionError):
        raise CheckFailed(f"{path}: expected JSON, found something else") from None
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if type(found) is not int or found < 1:
        raise CheckFailed(f"{path}: format: expected a whole number from 1, found {found!r}")
    if found > FORMAT:
        raise NewerWarehouse(
            f"{path}: this version reads manifests up to format {FORMAT}, found format {found}:"
            " audit with the newer luohu that wrote it"
        )
    for name, kind in SHAPE.items():
        if not isinstance(manifest.get(name), kind):
            what = type(manifest.get(name)).__name__
            raise CheckFailed(f"{path}: {name}: expected a {kind.__name__}, found {what}")
    if not isinstance(manifest.get("pinned", {}), dict):
        raise CheckFailed(f"{path}: pinned: expected a dict, found something else")
    if (DELIVERY in manifest) != public:
        found = "with" if DELIVERY in manifest else "without"
        raise CheckFailed(
            f"{path}: expected a {'public' if public else 'run'} manifest, found one {found}"
            f" {DELIVERY}"
        )
    require_rows(path, "outputs", manifest["outputs"], "sha256")
    if public:
        require_rows(path, "left_out", manifest.get("left_out"), SALTED)
    return dict(manifest)


def require_rows(path: Path, field_name: str, found: Any, digest: str) -> None:
    """Raise CheckFailed where files are not listed with their digest and a number of rows."""
    if not isinstance(found, dict):
        raise CheckFailed(f"{path}: {field_name}: expected a dict, found something else")
    for name, each in found.items():
        if not isinstance(each, dict) or not {digest, "rows"} <= each.keys():
            raise CheckFailed(f"{path}: {field_name}: {name}: expected {digest} and rows")
        if type(each["rows"]) is not int or not 0 <= each["rows"] <= MOST_ROWS:
            raise CheckFailed(
                f"{path}: {field_name}: {name}: rows: expected a whole number up to {MOST_ROWS:,},"
                " found something else"
            )


def published(warehouse: Path, year: int) -> Publication:
    """What the database says of a round; raises NewerWarehouse where only a newer DuckDB reads it."""
    if not (warehouse / DATABASE).is_file():
        return Publication(absent=True)
    try:
        with open_read_only(warehouse) as database:
            runs = dict(database.execute("SELECT round, run_id FROM rounds").fetchall())
            manifests = (
                database.execute(
                    "SELECT table_name FROM duckdb_tables() WHERE table_name = 'manifests'"
                ).fetchall()
                and database.execute(
                    "SELECT run_id, manifest_sha256 FROM manifests WHERE round = ?", [year]
                ).fetchall()
            )
    except DatabaseUnreadable as failure:
        return Publication(trouble=str(failure).removeprefix(f"{warehouse / DATABASE}: "))
    return Publication(runs.get(year), dict(manifests), tuple(sorted(runs)))
