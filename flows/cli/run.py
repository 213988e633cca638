"""`luohu run`: one round, from a delivery to the published list."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.arguments import Data, Warehouse
from flows.cli.messages import shown, told
from flows.cli.streams import work_is_done
from flows.common.failures import BadUsage
from flows.common.settings import DATA, MAX_REJECTS, WAREHOUSE, Order


def run(
    year: Annotated[int, typer.Argument(metavar="ROUND", help="Application year, e.g. 2020.")],
    feeds: Annotated[Path, typer.Option(help="The delivery: one folder a feed.")],
    warehouse: Warehouse = WAREHOUSE,
    max_rejects: Annotated[
        str, typer.Option(help="A feed with a larger share of bad rows is refused.")
    ] = MAX_REJECTS,
    recheck: Annotated[
        bool,
        typer.Option(
            "--recheck/--no-recheck",
            help="Publish only what the second engine works out alike; recorded in the manifest.",
        ),
    ] = True,
    direct: Annotated[
        bool, typer.Option("--direct", help="Without Prefect: the same stages, the same bytes.")
    ] = False,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Keep the run without making it current; see `luohu current`."),
    ] = False,
    anyway: Annotated[
        str | None,
        typer.Option(help="Why to publish what looks like a mistake; the reason is published."),
    ] = None,
    data: Data = DATA,
) -> None:
    """Score a delivery, rank it and publish the round.

    Runs as a Prefect flow: on its embedded server, or on the one PREFECT_API_URL names.

    [bold]Examples[/]

      luohu run 2020 --feeds feeds
      luohu run 2020 --feeds feeds --warehouse /srv/luohu --max-rejects 0.01
      luohu run 2020 --feeds feeds --direct            no server is started
      luohu run 2020 --feeds feeds --keep              to look at or compare, not to publish
    """
    from flows.cli.summary import summary

    order = Order(year, feeds, warehouse, data, max_rejects, recheck, keep, anyway)
    with told():
        order.reason()
        order.share()
        order.edition()  # a round or a policy that is not right is told before a server is started
        require_startable(order)
        with shown():
            if direct:
                from flows.run.stages import run as run_it
            else:
                from flows.orchestration.prefect_run import run_it
            outcome = run_it(order)
        work_is_done()
        summary(warehouse, outcome)


def require_startable(order: Order) -> None:
    """Raise BadUsage, before anything is made, where there is no delivery or no database could be."""
    from flows.common.database import require_nameable

    require_nameable(order.warehouse)
    if not order.feeds.is_dir():
        there = "a file" if order.feeds.exists() else "none"
        raise BadUsage(f"expected a delivery folder {order.feeds}, found {there}")
