"""Which pinned code may be run here without being asked: code that this place knows by its SHA-256.

A run directory may come from elsewhere, and with it whatever somebody put into its `code.zip`; a
manifest that fits can be written by anybody.  Known is the code of this installation, and the code of
runs made in the warehouse that is named: its database keeps the digest of each run's manifest, and the
manifest keeps the digest of the code.  The database has to be the user's own, or the administrator's,
and not for everybody to write to: a directory that came with a database of its own is from elsewhere
all the same.
Where a directory lies does not matter, what its code is does.
"""

import getpass
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from flows.common.database import DATABASE, open_read_only
from flows.common.failures import Failure
from flows.common.files import sha256
from flows.kept import pinned_code
from flows.kept.past_run import MANIFEST, read_manifest, runs_of

ADMINISTRATOR = 0


@dataclass(frozen=True)
class Trust:
    """Code that may be run: what is known by its digest, or any, because the user said so.

    What is run on the user's word alone is announced first, through `say`.
    """

    known: frozenset[str]
    whatever: bool
    say: Callable[[str], None]


def trust_of(
    warehouse: Path, *, whatever: bool = False, say: Callable[[str], None] = print
) -> Trust:
    """What the user of a warehouse may run; with `whatever`, the user allows all other code as well."""
    return Trust(frozenset(registered(warehouse)), whatever, say)


def registered(warehouse: Path) -> set[str]:
    """The digests of code.zip of the runs made in a warehouse; none where its database is another's."""
    if not is_own(warehouse / DATABASE):
        return set()
    try:
        with open_read_only(warehouse) as database:
            query = "SELECT run_id, manifest_sha256 FROM manifests"
            manifests = dict(database.execute(query).fetchall())
    except (Failure, duckdb.Error):
        return set()
    known = set()
    for year in runs_of(warehouse / "runs").values():
        for run_id, directory in runs_of(year).items():
            try:
                if sha256(directory / MANIFEST) == manifests.get(run_id):
                    pinned = read_manifest(directory / MANIFEST).get("pinned", {})
                    known.add(str(pinned.get(pinned_code.NAME)))
            except (Failure, OSError):
                continue
    return known


def is_own(database: Path) -> bool:
    """Whether a file is the user's or the administrator's, and not for everybody to write to."""
    try:
        found = database.lstat()
    except OSError:
        return False
    mine = found.st_uid in {os.geteuid(), ADMINISTRATOR}
    return mine and stat.S_ISREG(found.st_mode) and not found.st_mode & stat.S_IWOTH


def what_it_does(archive: Path, digest: str) -> str:
    """What running a file of code means."""
    return (
        f"runs the Python code in {archive} (sha256 {digest}) as {user()}, with all that"
        f" {user()} may do: it is not kept in a sandbox"
    )


def user() -> str:
    """Who runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return f"user {os.geteuid()}"
