"""The code of a run, kept beside its tables, so that it can be run again when the code has moved on.

It is the code that makes tables: every module that the stages of a run and the door of a repetition
import, found by walking imports, with the SQL beside them.  The page of a run and the comments in the
database make no table, and words shown to people stand in TOML: none of them names a run.
`pinned/code.zip` holds just that code and the code lists it reads.  Names are sorted, times fixed and
nothing is compressed: the same code gives the same bytes everywhere.  Runs made before hold every
source file there was.
"""

import hashlib
import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from flows.common.archives import NOT_A_ZIP, limited
from flows.common.failures import CheckFailed
from flows.common.files import sha256, sha256_of
from flows.common.limits import require_size
from flows.common.settings import HOME

NAME = "code.zip"
PACKAGES = ("flows", "schemas", "transforms")
SUFFIXES = (".py", ".sql")
PACKAGE = "__init__.py"
MAKE_TABLES = ("flows.run.stages", "flows.recompute")
# imported with all below, and no part of what names a run: the page, and what is said about tables
MAKE_NONE = ("flows.run.report.", "flows.run.describe.")
READ_BY_CODE = "data/codes.toml"  # from beside the packages, whatever --data says
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold
FILE_MODE = 0o100644 << 16
MOST_BYTES = 64 << 20
IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<module>[\w.]+)[ \t]+)?import[ \t]+(?P<names>\([^)]*\)|[^\n]*)",
    re.MULTILINE,
)
NAME_IMPORTED = re.compile(r"(?<!as )\b[a-zA-Z_][\w.]*")


@cache
def source_files(*starts: str) -> dict[str, Path]:
    """Every file of the code that makes tables, by name; or of what other modules import."""
    found: dict[str, Path] = {}
    waiting = [*(starts or MAKE_TABLES)]
    seen: set[str] = set()
    while waiting:
        if (module := waiting.pop()) in seen:  # most are imported by many
            continue
        seen.add(module)
        path = file_of(module)
        if path and not f"{module}.".startswith(MAKE_NONE) and name_of(path) not in found:
            found[name_of(path)] = path
            waiting += [module.rpartition(".")[0], *imported(path)]
    packages = {path.parent for path in found.values() if path.name == PACKAGE}
    sql = (path for package in PACKAGES for path in (HOME / package).rglob("*.sql"))
    return found | {name_of(path): path for path in sql if package_of(path) in packages}


def file_of(module: str) -> Path | None:
    """The file of a module of this program; nothing for a library, or for what is no module."""
    if module.partition(".")[0] not in PACKAGES:
        return None
    path = HOME.joinpath(*module.split("."))
    there = (path / PACKAGE, path.with_suffix(".py"))
    return next((each for each in there if each.is_file()), None)


def imported(path: Path) -> Iterator[str]:
    """The modules a file imports, wherever in it; a name taken from a module may be one as well.

    Statements are found by their first word, ten times faster than by a syntax tree.  A line of a text
    that reads like one names a module too many at most, and that is no harm.
    """
    for statement in IMPORT.finditer(path.read_text(encoding="utf-8")):
        module, names = statement["module"], NAME_IMPORTED.findall(statement["names"])
        yield from (f"{module}.{name}" if module else name for name in names)
        if module:
            yield module


def name_of(path: Path) -> str:
    """What a source file is called."""
    return path.relative_to(HOME).as_posix()


def package_of(path: Path) -> Path:
    """The package a file lies in, however deep below it."""
    return next(folder for folder in path.parents if (folder / PACKAGE).is_file())


def digest_of(files: Mapping[str, str]) -> str:
    """One digest of the source files, given the SHA-256 of each."""
    return sha256_of({name: each for name, each in files.items() if name.endswith(SUFFIXES)})


def present(*starts: str) -> dict[str, str]:
    """The SHA-256 of every file of the code that runs, as `contents` gives that of a pinned one."""
    return {name: sha256(path) for name, path in pinned_files(*starts)}


def pinned_files(*starts: str) -> list[tuple[str, Path]]:
    """What is pinned, by name."""
    return sorted({**source_files(*starts), READ_BY_CODE: HOME / READ_BY_CODE}.items())


def keep(target: Path) -> None:
    """Write the code that runs into a zip."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, path in pinned_files():
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.external_attr = FILE_MODE
            archive.writestr(entry, path.read_bytes())


def contents(archive: Path, named_as: Path | None = None) -> dict[str, str]:
    """The SHA-256 of every file in a zip of code; raises CheckFailed for one with anything else.

    Only source files go into the digest of the code, so nothing but them may be unpacked and run.
    `named_as` is what the message calls it, where it is a copy.
    """
    where = named_as or archive
    require_size(archive, MOST_BYTES)
    try:
        with limited(archive) as file, zipfile.ZipFile(file) as files:
            names = sorted(files.namelist())
            if other := [name for name in names if not is_source(name)]:
                found = "".join(each if each.isprintable() else "?" for each in other[0][:80])
                raise CheckFailed(f"{where}: expected source files only, found {found}")
            entries = files.infolist()
            if (
                any(each.compress_type != zipfile.ZIP_STORED for each in entries)
                or sum(each.file_size for each in entries) > archive.stat().st_size
            ):  # what comes from elsewhere, in a capsule, may be made to fill the memory
                raise CheckFailed(f"{where}: expected files stored as they are, found others")
            return {name: hashlib.sha256(files.read(name)).hexdigest() for name in names}
    except NOT_A_ZIP:
        raise CheckFailed(f"{where}: expected a zip of code, found something else") from None


def is_source(name: str) -> bool:
    """Whether a file of that name belongs to the code."""
    return name == READ_BY_CODE or (name.endswith(SUFFIXES) and name.partition("/")[0] in PACKAGES)


def unpack(archive: Path, folder: Path) -> Path:
    """The files of a zip of code in a folder, ready to be run; returns the folder."""
    with zipfile.ZipFile(archive) as files:
        files.extractall(folder)
    return folder
