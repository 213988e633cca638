"""`luohu server` and `luohu serve`: Prefect's server with our settings, the annual run on its schedule."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.arguments import Data, Warehouse
from flows.cli.messages import one_message
from flows.common.settings import DATA, PREFECT_PORT, WAREHOUSE


def server(
    port: Annotated[
        int, typer.Option(help="Where it listens, on this machine only.", min=1, max=65535)
    ] = PREFECT_PORT,
) -> None:
    """Start Prefect's server for the annual schedule, with luohu's settings, until stopped.

    It sends nothing anywhere, and its files are for their owner only.
    """
    from flows.orchestration.server import address, serve_standing

    def announce(home: Path) -> None:
        url = address(port)
        print(
            f"Prefect's server answers at {url.removesuffix('/api')}, on this machine only;"
            f" its files are in {home}.  Ctrl-C stops it.\n"
            "Now, in another shell:\n"
            f"  export PREFECT_API_URL={url}\n"
            "  luohu serve --feeds '/srv/deliveries/{year}' --warehouse /srv/luohu",
            file=sys.stderr,
            flush=True,
        )

    with one_message():
        serve_standing(port, announce)


def serve(
    feeds: Annotated[
        Path | None,
        typer.Option(
            help="Where each year's delivery will lie; {year} in it stands for the year.",
            show_default="what departments delivered",
        ),
    ] = None,
    warehouse: Warehouse = WAREHOUSE,
    cron: Annotated[
        str | None,
        typer.Option(
            help="When the annual run starts, Beijing time: minute, hour, day, month, weekday.",
            show_default="as in data/schedule.toml",
        ),
    ] = None,
    data: Data = DATA,
) -> None:
    """Offer the annual run and the daily calendar as Prefect deployments with schedules, until stopped.

    The calendar does what is due in each round, as [bold]luohu tick[/] does.

    Needs a standing server: start one with [bold]luohu server[/], or name the address of another in
    PREFECT_API_URL.
    """
    from flows.common.database import require_nameable

    with one_message():
        require_nameable(warehouse)  # before the seconds that Prefect takes to be imported
        from flows.orchestration.prefect_run import serve_annual

        # the run starts in a process of its own, wherever that may be
        serve_annual(
            {
                "feeds": feeds.absolute() if feeds else None,
                "warehouse": warehouse.absolute(),
                "data": data.absolute(),
            },
            cron,
        )
