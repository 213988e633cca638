"""Write the site: a folder that is complete or absent, and replaces nothing but an earlier site."""

from pathlib import Path
from typing import NamedTuple

from flows.common.appearing import appearing, is_there, naming_place, require_outside
from flows.common.database import DATABASE
from flows.common.failures import BadUsage, NotFound
from flows.common.progress import report
from flows.process.read import require_warehouse
from flows.public.rounds.in_memory import rounds_of
from flows.public.site.site_files import INDEX, SUMS, files

MARK = b'<meta name="generator" content="luohu site">'
HEAD = 1024  # bytes of the first page in which the mark stands
MODE = 0o755  # for everybody
MOST_SUMS = 1 << 20  # bytes


class Written(NamedTuple):
    """What was written."""

    out: Path
    rounds: list[int]
    files: int


def write_site(warehouse: Path, out: Path, calculator: str | None) -> Written:
    """Write the published rounds of a warehouse into a folder."""
    require_outside(out, warehouse)
    require_place(out)
    require_warehouse(warehouse)
    report("reading", 0, 1)
    shown = rounds_of(warehouse)
    if not shown:
        raise NotFound(
            f"{warehouse / DATABASE}: expected a published round, found none:"
            " `luohu publish ROUND` publishes one"
        )
    count = 0
    with (
        naming_place("the site", out),
        appearing(out.absolute(), lambda: require_place(out), MODE) as folder,
    ):
        for address, content in files(shown, calculator):
            path = folder / address
            path.parent.mkdir(mode=MODE, exist_ok=True)
            path.write_bytes(content)
            count += 1
    return Written(out, sorted(shown), count)


def require_place(out: Path) -> None:
    """Raise BadUsage where a site may not be put."""
    if not is_there(out, "an earlier site"):
        return
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if not is_folder(path)}
    if found and (not is_site(out) or found != {*listed(out), SUMS}):
        raise BadUsage(
            f"--out: expected a new or empty folder, or an earlier site and nothing else, found other"
            f" files in {out}"
        )


def is_folder(path: Path) -> bool:
    """Whether it is a folder and no link."""
    return path.is_dir() and not path.is_symlink()


def is_site(out: Path) -> bool:
    """Whether a folder's first page says that it is a site of luohu."""
    try:
        with (out / INDEX).open("rb") as file:
            return MARK in file.read(HEAD)
    except OSError:
        return False


def listed(out: Path) -> list[str]:
    """The files whose digests a site has."""
    try:
        with (out / SUMS).open(encoding="utf-8", errors="replace") as file:
            return [
                line.rstrip("\n").partition("  ")[2] for line in file.read(MOST_SUMS).splitlines()
            ]
    except OSError:
        return []
