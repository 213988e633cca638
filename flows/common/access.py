"""Who may read what in a warehouse: all modes in one place.

WAREHOUSE                     as it is; a new one lets the database's readers through
  luohu.duckdb                keeps mode, group and ACL; a new one is its owner's and group's (0640)
  .work/, .publishing.lock    the owner only
  ledger.jsonl                the owner only
  deliveries/                 the owner only; its files are read-only, named by digest
  runs/, runs/YEAR/           let the database's readers through (x, not r)
    RUN_ID/                   lets the database's readers through, and shows them no names
      report.html             whoever may read the database
      everything else         the owner only: names, ID numbers, one person's rows
    RUN_ID.DIGEST.json        the owner only
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from flows.common.failures import NotPermitted

OWN_FILE, OWN_FOLDER = 0o600, 0o700
DATABASE_MODE = 0o640
PASSING = {stat.S_IRGRP: stat.S_IXGRP, stat.S_IROTH: stat.S_IXOTH}  # may read -> may go through
ACL = "system.posix_acl_access"


class Access(NamedTuple):
    """Mode, group and access list; no group where it is the one a new file gets by itself."""

    mode: int
    group: int | None = None
    acl: bytes | None = None


def access_of(database: Path) -> Access:
    """Who may read the current database; by default its owner and group."""
    try:
        found = database.stat()
    except FileNotFoundError:
        return Access(DATABASE_MODE)
    acl = None
    with suppress(OSError, AttributeError):  # most file systems have none, some systems neither
        acl = os.getxattr(database, ACL)
    return Access(stat.S_IMODE(found.st_mode), found.st_gid, acl)


def require_group(database: Path) -> None:
    """Raise NotPermitted where a new database could not be given the group of the current one."""
    group = access_of(database).group
    mine = {os.getegid(), *os.getgroups()}
    if group is not None and group not in mine and os.geteuid() != 0:
        raise NotPermitted(
            f"{database}: expected a group this user belongs to, so that a new one can keep it,"
            f" found group {group}: join it, or change the file's group (chgrp)"
        )


def give(path: Path, access: Access) -> None:
    """Give a new file somebody's access; the group first, which takes bits of the mode away."""
    if access.group is not None and path.stat().st_gid != access.group:
        os.chown(path, -1, access.group)
    path.chmod(access.mode)
    if access.acl is not None:
        with suppress(OSError):
            os.setxattr(path, ACL, access.acl)


def give_report(path: Path, access: Access) -> None:
    """Let whoever may read the database read a page, which nobody needs to write."""
    readable = access.mode & (stat.S_IRGRP | stat.S_IROTH) | OWN_FILE
    give(path, access._replace(mode=readable))


def let_through(folder: Path, access: Access) -> None:
    """Let those who may read the database through a folder, without taking anything from others."""
    passing = sum(through for read, through in PASSING.items() if access.mode & read)
    found = folder.stat()
    if passing & ~found.st_mode or not found.st_mode & stat.S_IXOTH:
        with suppress(PermissionError):  # another's folder is as its owner wants it
            if access.group is not None and found.st_gid != access.group:
                os.chown(folder, -1, access.group)
            folder.chmod(stat.S_IMODE(found.st_mode) | passing)


def close(folder: Path) -> None:
    """Make a folder and all below it its owner's only."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(OWN_FOLDER if path.is_dir() else OWN_FILE)
