"""Prefect's settings for luohu; imported before Prefect, in every process that uses it.

Prefect keeps its own database and profiles in a home of this project's, which only its owner can
enter, so that a user's Prefect is left alone.  Nothing leaves the machine: what would send something
is off whatever the environment says; all else only fills in what is not set.
"""

import atexit
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from flows.common.by_name import named
from flows.common.failures import PrefectUnavailable

USER = Path(os.path.expanduser("~")).absolute()  # noqa: PTH111  (an account without one is no error)
STATE = Path(os.environ.get("XDG_STATE_HOME") or USER / ".local" / "state")
DATABASE = "prefect.db"
OTHERS = 0o077  # what group and others may do

SENDS_NOTHING = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    # the second page has a tracker in it and both advertise
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
}

DEFAULTS = {
    "PREFECT_HOME": str(STATE / "luohu" / "prefect"),
    # an annual schedule shows its next run all year; Prefect looks 100 days ahead by itself
    "PREFECT_SERVER_SERVICES_SCHEDULER_MAX_SCHEDULED_TIME": "P400D",
    # progress and errors are printed by the command line, once
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
}

if not os.environ.get("PREFECT_API_URL", "unset"):
    del os.environ["PREFECT_API_URL"]  # set to nothing means no standing server
if not os.environ.get("PREFECT_HOME", "unset"):
    del os.environ["PREFECT_HOME"]  # Prefect would take the working directory

chosen = "PREFECT_HOME" in os.environ
os.environ.update(SENDS_NOTHING)
for name, value in DEFAULTS.items():
    os.environ.setdefault(name, value)
for name in ("NO_PROXY", "no_proxy"):  # what is on this machine is not asked of a proxy elsewhere
    os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1", "localhost"]))
with suppress(OSError):  # `private_home` reports it where the folder is needed
    Path(os.environ["PREFECT_HOME"]).mkdir(mode=0o700, parents=True, exist_ok=True)


def private_home(*, standing: bool) -> Path:
    """PREFECT_HOME, which nobody but its owner can enter; raises PrefectUnavailable when it is not to be had.

    A service account may have no home.  An embedded server then works in a temporary folder, since
    Prefect's database is a view and not a record; a standing one would forget its schedule.
    """
    home = Path(os.environ["PREFECT_HOME"])
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        close_to_others(home)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        if standing or chosen:
            raise PrefectUnavailable(
                f"expected a folder of your own at PREFECT_HOME={home}, which only you may read"
                f" and write, found: {error.strerror or error}"
            ) from None
        os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="luohu-prefect-")
        home = Path(os.environ["PREFECT_HOME"])
        atexit.register(shutil.rmtree, home, ignore_errors=True)
    require_database(home / DATABASE)
    return home


def close_to_others(home: Path) -> None:
    """Take group and others their rights; raises OSError where the folder is not Prefect's alone."""
    found = home.stat()
    if found.st_mode & OTHERS:
        of_more_than_prefect = [USER.resolve(), *USER.resolve().parents]
        if home.resolve() in of_more_than_prefect or found.st_mode & 0o1000:
            raise PermissionError(f"mode {found.st_mode & 0o7777:o}, and more than Prefect in it")
        home.chmod(found.st_mode & ~OTHERS)
    for path in home.iterdir():  # written by an earlier version, or by another umask
        if path.name.startswith(DATABASE):
            path.chmod(path.stat().st_mode & ~OTHERS & 0o777)


def require_database(database: Path) -> None:
    """Raise PrefectUnavailable where Prefect's database is there and cannot be read."""
    if not database.exists():
        return
    try:
        with closing(sqlite3.connect(named(database))) as opened:
            opened.execute("PRAGMA schema_version").fetchone()
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return  # somebody works with it, so it can be read
        found = str(error)
    except sqlite3.DatabaseError as error:
        found = str(error)
    else:
        return
    raise PrefectUnavailable(
        f"expected Prefect's database at {database}, found one that cannot be read ({found}):"
        " move it away, it holds only what Prefect shows of past runs, or set another PREFECT_HOME"
    )
