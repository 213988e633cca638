"""Arguments that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from flows.common.private_folder import sweep


def swept(warehouse: Path) -> Path:
    """A warehouse without what killed commands left there."""
    sweep(warehouse)
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
