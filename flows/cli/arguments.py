"""Arguments that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Warehouse = Annotated[
    Path, typer.Option(help="Where runs and luohu.duckdb are kept.", show_default=True)
]
Data = Annotated[
    Path, typer.Option("--data", help="Folder with policy/ and rounds/.", show_default=False)
]
