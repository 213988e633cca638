"""Which runs a warehouse keeps: when each was completed, what it was made from, whether it is current."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.common.database import DATABASE, open_read_only
from flows.common.failures import CheckFailed, NewerWarehouse, NotFound
from flows.common.files import sha256_of
from flows.common.settings import MAX_REJECTS
from flows.kept.past_run import MANIFEST, listed, read_manifest, runs_of

SHORT = 8  # characters of a digest that only has to be distinguished from others
CURRENT, KEPT = "current", "kept"
HEADINGS = (
    *("round", "run", "completed", "applications", "rows", "delivery", "policy", "code"),
    *("state", ""),
)
TO_THE_RIGHT = ("applications", "rows")
MINUTES = len("2020-07-20T09:00")


@dataclass(frozen=True)
class KeptRun:
    """One run directory, by what its manifest says; nothing of it is verified."""

    round: int
    run_id: str
    completed: str | None  # the time of the manifest's file: no run holds a clock
    state: str
    applications: int | None = None
    rows: int | None = None  # delivered, of all feeds
    delivery: str | None = None  # digests: of all delivered files, of policy and round, of the code
    policy: str | None = None
    code: str | None = None
    version: str | None = None
    options: tuple[str, ...] = ()  # other than by default
    anyway: str | None = None  # why it was published although it was refused
    trouble: str | None = None


@dataclass(frozen=True)
class Register:
    """What the database says of runs: the current one of each round, and reasons given."""

    current: dict[int, str]
    anyway: dict[str, str]


def kept_runs(warehouse: Path, year: int | None = None) -> list[KeptRun]:
    """Every run of a round, or of all, by round and time; raises NotFound that says what there is."""
    register = registered(warehouse)
    rounds = {
        int(name): runs_of(path)
        for name, path in runs_of(warehouse / "runs").items()
        if name.isdecimal()
    }
    for missing in register.current.keys() - rounds.keys():
        rounds[missing] = {}
    if not rounds:
        raise NotFound(
            f"expected runs in {warehouse}, found none: run `luohu run ROUND --feeds DIR` first, or"
            " name the warehouse with --warehouse"
        )
    if year is not None and year not in rounds:
        known = listed(map(str, rounds))
        raise NotFound(f"the warehouse holds no round {year}; rounds: {known}")
    found = [
        kept_run(each, run_id, directory, register)
        for each, runs in rounds.items()
        if year in (None, each)
        for run_id, directory in {
            **dict.fromkeys([register.current[each]] if each in register.current else []),
            **runs,
        }.items()
    ]
    return sorted(found, key=lambda run: (run.round, run.completed or "", run.run_id))


def registered(warehouse: Path) -> Register:
    """The database's view; nothing is current where there is no database."""
    if not (warehouse / DATABASE).is_file():
        return Register({}, {})
    with open_read_only(warehouse) as database:
        current = dict(database.execute("SELECT round, run_id FROM rounds").fetchall())
        has_reasons = database.execute(
            "SELECT 1 FROM duckdb_columns() WHERE table_name = 'manifests' AND column_name = 'anyway'"
        ).fetchall()
        reasons = (
            has_reasons
            and database.execute(
                "SELECT run_id, anyway FROM manifests WHERE anyway IS NOT NULL"
            ).fetchall()
        )
    return Register(current, dict(reasons))


def kept_run(year: int, run_id: str, directory: Path | None, register: Register) -> KeptRun:
    """A run as its manifest describes it; one that cannot be read is listed with its trouble."""
    state = CURRENT if register.current.get(year) == run_id else KEPT
    if directory is None:
        return KeptRun(year, run_id, None, state, trouble="its directory is missing")
    try:
        manifest = read_manifest(directory / MANIFEST)
        when = (directory / MANIFEST).stat().st_mtime
        feeds = manifest["feeds"]
        return KeptRun(
            round=year,
            run_id=run_id,
            completed=datetime.fromtimestamp(when, UTC).astimezone().isoformat(timespec="seconds"),
            state=state,
            applications=int(feeds["applications"]["accepted"]),
            rows=int(sum(each["rows"] for each in feeds.values())),
            delivery=sha256_of(feeds)[:SHORT],
            policy=sha256_of([manifest[name] for name in ("policy", "round", "codes")])[:SHORT],
            code=str(manifest["code"].get("digest"))[:SHORT],
            version=str(manifest["code"].get("version")),
            options=tuple(options(manifest["options"])),
            anyway=register.anyway.get(run_id),
        )
    except (CheckFailed, NewerWarehouse, KeyError, TypeError, ValueError, OSError):
        message = "its manifest cannot be read: luohu audit says more"
        return KeptRun(year, run_id, None, state, trouble=message)


def options(given: dict[str, Any]) -> Iterator[str]:
    """The options of a run that are not those by default, as they are typed."""
    if given.get("max_rejects", MAX_REJECTS) != MAX_REJECTS:
        yield f"--max-rejects {given['max_rejects']}"
    if given.get("recheck") is False:
        yield "--no-recheck"


def lines(runs: list[KeptRun]) -> list[str]:
    """The list for people."""
    rows = [HEADINGS, *(cells(run) for run in runs)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADINGS))]
    return [
        "  ".join(
            cell.rjust(width) if name in TO_THE_RIGHT else cell.ljust(width)
            for cell, width, name in zip(row, widths, HEADINGS, strict=True)
        ).rstrip()
        for row in rows
    ]


def cells(run: KeptRun) -> tuple[str, ...]:
    """A run as a line of the list."""
    if run.trouble:
        return (f"{run.round}", run.run_id, *[""] * (len(HEADINGS) - 4), run.state, run.trouble)
    return (
        f"{run.round}",
        run.run_id,
        f"{run.completed}"[:MINUTES].replace("T", " "),
        f"{run.applications:,}",
        f"{run.rows:,}",
        f"{run.delivery}",
        f"{run.policy}",
        f"{run.code}",
        run.state,
        "; ".join([*run.options, *([f"anyway: {run.anyway}"] if run.anyway else [])]),
    )
