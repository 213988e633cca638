"""`luohu run`: one round, from a delivery to the published list."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.arguments import Data, Warehouse
from flows.cli.messages import one_message, shown
from flows.cli.process_arguments import At, Given, show_done, time_given
from flows.cli.streams import show, work_is_done
from flows.common.failures import BadUsage
from flows.common.settings import DATA, MAX_REJECTS, WAREHOUSE, Order
from flows.ledger.operations import RUN

if TYPE_CHECKING:
    from flows.process.deliveries.run import Made
    from flows.run.stages import Outcome

NONE_NAMED = Path("deliveries")  # what was delivered is run, and the folder is made for it


def run(
    year: Annotated[int, typer.Argument(metavar="ROUND", help="Application year, e.g. 2020.")],
    feeds: Annotated[
        Path | None,
        typer.Option(help="A delivery, one folder a feed; default: what was delivered so far."),
    ] = None,
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
    workers: Annotated[
        int | None,
        typer.Option(
            help="Work on the buckets of a large round in so many processes of this machine.",
            min=1,
            max=256,
            show_default="none, one bucket after the other",
        ),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(
            "--dask",
            metavar="ADDRESS",
            help="Or on the workers of this Dask scheduler: tls://HOST:PORT.",
        ),
    ] = None,
    insecure_dask: Annotated[
        bool,
        typer.Option(
            "--insecure-dask", help="Take a tcp:// scheduler elsewhere, which anybody can talk to."
        ),
    ] = False,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Keep the run without making it current; see `luohu current`."),
    ] = False,
    anyway: Annotated[
        str | None,
        typer.Option(help="Why to publish what looks like a mistake; the reason is published."),
    ] = None,
    as_known_on: Annotated[
        str | None,
        typer.Option(
            "--as-known-on", metavar="T", help="On what was known then; kept, never made current."
        ),
    ] = None,
    allow_missing: Annotated[
        bool,
        typer.Option("--allow-missing", help="Take feeds that nothing came for as empty."),
    ] = False,
    at: At = None,
    data: Data = DATA,
) -> None:
    """Score what was delivered, rank it and publish the round.

    With --feeds one folder is read, and nothing of the ledger but findings of false material.
    Runs as a Prefect flow: on its embedded server, or on the one PREFECT_API_URL names.
    A round of more than 250,000 applications is worked on in buckets of people (docs/scale.md).
    With --workers or --dask, the same command after a kill goes on where that run was.

    [bold]Examples[/]

      luohu run 2020 --feeds feeds
      luohu run 2020 --feeds feeds --warehouse /srv/luohu --max-rejects 0.01
      luohu run 2020 --feeds feeds --direct            no server is started
      luohu run 2020 --feeds feeds --workers 4         a large round, on four processes
      luohu run 2020 --feeds feeds --keep              to look at or compare, not to publish
      luohu run 2021                                   on what departments delivered
      luohu run 2021 --as-known-on 2021-06-10          on what was known that day
    """
    from flows.cli.summary import summary

    order = Order(year, feeds or NONE_NAMED, warehouse, data, max_rejects, recheck, keep, anyway)
    with one_message():
        order.reason()
        order.share()
        order.edition()  # a round or a policy that is not right is reported before a server is started
        require_startable(order, given=feeds is not None)
        require_workers(workers or 0, dask, direct=direct, insecure=insecure_dask)
        if feeds is not None and (as_known_on is not None or allow_missing):
            raise BadUsage("--as-known-on and --allow-missing go with deliveries, not with --feeds")
        with shown():
            outcome, made = started(
                order,
                given=feeds is not None,
                direct=direct,
                workers=(workers or 0, dask, insecure_dask),
                at=at,
                as_known_on=as_known_on,
                allow_missing=allow_missing,
            )
        work_is_done()
        summary(warehouse, outcome)
        show_published(order, outcome)
        if made:
            missing = [f"taken as empty: {', '.join(made.missing)}"] if made.missing else []
            show_done(made, missing, {})


def started(
    order: Order,
    *,
    given: bool,
    direct: bool,
    workers: tuple[int, str | None, bool],
    at: str | None,
    as_known_on: str | None,
    allow_missing: bool,
) -> "tuple[Outcome, Made | None]":
    """Run it, on Prefect or without, on a folder of feeds or on what is known."""
    from flows.common.moments import moment
    from flows.common.moments import now as system_time
    from flows.ledger.clock import require_past
    from flows.process.deliveries.run import RunIt, directly, run_on_feeds, run_on_known

    run_it: RunIt = directly
    if not direct:
        from flows.orchestration.prefect_run import on_prefect

        run_it = on_prefect(*workers)
    if given:
        known_at = time_given(at)
        require_past(known_at, system_time())
        return run_on_feeds(order, run_it, known_at), None
    made = run_on_known(
        Given(order.warehouse, order.data, at).asked(RUN, order.year),
        order,
        run_it,
        as_known_on=None
        if as_known_on is None
        else moment(as_known_on, "--as-known-on", last=True),
        allow_missing=allow_missing,
    )
    return made.outcome, made


def show_published(order: Order, outcome: "Outcome") -> None:
    """Say where a run was kept only because the round's official result stands."""
    from flows.ledger.official_result import may_become_current

    if not outcome.current and not may_become_current(order.warehouse, order.year):
        show([f"round {order.year} is published: its result stands, this run is kept beside it"])


def require_workers(workers: int, dask: str | None, *, direct: bool, insecure: bool) -> None:
    """Raise BadUsage for options about workers that do not go together."""
    if direct and (workers or dask is not None):
        raise BadUsage("--direct: expected neither --workers nor --dask, which are Prefect's")
    if workers and dask is not None:
        raise BadUsage("--workers and --dask: expected one of them, found both")
    if insecure and dask is None:
        raise BadUsage("--insecure-dask: expected --dask ADDRESS with it, found none")
    if dask is not None:  # a variable that is empty asks for workers as well
        from flows.orchestration.dask_address import require_safe

        require_safe(dask, insecure=insecure)


def require_startable(order: Order, *, given: bool) -> None:
    """Raise BadUsage, before anything is made, where there is no delivery or no database could be."""
    from flows.common.database import require_nameable

    require_nameable(order.warehouse)
    if given and not order.feeds.is_dir():
        there = "a file" if order.feeds.exists() else "none"
        raise BadUsage(f"expected a delivery folder {order.feeds}, found {there}")
