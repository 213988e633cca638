"""`luohu serve`: the annual run on its schedule."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.arguments import Warehouse
from flows.cli.messages import told
from flows.common.settings import WAREHOUSE


def serve(
    feeds: Annotated[
        Path,
        typer.Option(help="Where each year's delivery will lie; {year} in it stands for the year."),
    ],
    warehouse: Warehouse = WAREHOUSE,
    cron: Annotated[
        str, typer.Option(help="When the annual run starts, Beijing time.")
    ] = "0 8 5 9 *",
) -> None:
    """Offer the annual run as a Prefect deployment with its schedule, until stopped.

    Needs a standing server: start one with [bold]prefect server start[/] and set PREFECT_API_URL.
    """
    from flows.common.database import require_nameable

    with told():
        require_nameable(warehouse)  # before the seconds that Prefect takes to be imported
        from flows.orchestration.prefect_run import serve_annual

        serve_annual(feeds, warehouse, cron)
