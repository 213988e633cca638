"""A copy of the analysts' database without names, to be handed out.

It is built anew, not copied and cleared: what is taken out of a DuckDB file stays in it until something
else is written there.  Which columns are left empty stands in `schemas/database.toml`.
"""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from flows.common.database import DATABASE, open_read_only
from flows.common.failures import BadUsage
from flows.common.files import written_aside
from flows.common.messages import message_without_values
from flows.common.private_folder import private_folder
from flows.run.build_database import build
from schemas.database import personal


class Exported(NamedTuple):
    """The file, the rounds it holds, and the columns that are empty in it."""

    out: Path
    rounds: list[int]
    left_out: list[str]


def export_without_names(warehouse: Path, out: Path) -> Exported:
    """Write the current database without names to a new file, for its owner only."""
    if os.path.lexists(out):
        raise BadUsage(f"--out: expected a new file, found {out}: remove it, or name another")
    with open_read_only(warehouse) as database:
        found = database.execute("SELECT round FROM rounds ORDER BY round").fetchall()
    try:
        with (
            private_folder(warehouse) as work,
            written_aside(out, private=True, new=True) as file,
        ):
            with message_without_values("export"):
                build(work / DATABASE, None, warehouse / DATABASE, without_names=True)
            with (work / DATABASE).open("rb") as built:
                shutil.copyfileobj(built, file)
    except FileExistsError:
        raise BadUsage(f"--out: expected a new file, found {out}, which came meanwhile") from None
    except OSError as error:
        raise BadUsage(f"cannot write {out}: {error.strerror}; nothing was left there") from None
    return Exported(out, [year for (year,) in found], list(personal()))
