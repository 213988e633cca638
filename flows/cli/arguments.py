"""Arguments that several commands share."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from flows.common.private_folder import sweep
from flows.ledger.entries import LEDGER


def swept(warehouse: Path) -> Path:
    """A warehouse without what killed commands left there; says where it is a rehearsal."""
    sweep(warehouse)
    with suppress(OSError):  # the command itself reports a path that is none
        if (warehouse / LEDGER).exists():
            from flows.cli.process_arguments import print_rehearsal

            print_rehearsal(warehouse)
    return warehouse


Warehouse = Annotated[
    Path,
    typer.Option(help="Where runs and luohu.duckdb are kept.", show_default=True, callback=swept),
]
RunId = Annotated[
    str | None, typer.Option("--run", help="A run of the round; default: the published one.")
]
Data = Annotated[
    Path, typer.Option("--data", help="Folder with policy/ and rounds/.", show_default=False)
]
