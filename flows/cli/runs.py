"""`luohu runs` and `luohu current`: which runs a warehouse keeps, and which of a round is current."""

from dataclasses import asdict
from typing import Annotated

import typer

from flows.cli.arguments import Data, Warehouse
from flows.cli.messages import one_message, print_json, shown
from flows.cli.streams import show
from flows.common.settings import DATA, WAREHOUSE
from flows.ledger.entries import LEDGER


def runs(
    year: Annotated[
        int | None, typer.Argument(metavar="[ROUND]", help="One round only, e.g. 2020.")
    ] = None,
    warehouse: Warehouse = WAREHOUSE,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """List the runs of a warehouse: when, from what, current or only kept.

    Delivery, policy and code are shown as digests: equal ones are the same thing.  Policy is policy
    files, round file and code lists; rows are those delivered, of all feeds.

    [bold]Examples[/]

      luohu runs
      luohu runs 2020 --warehouse /srv/luohu
      luohu runs --json | jq '.[] | select(.state == "current") | .run_id'
    """
    from flows.kept.list_runs import kept_runs, lines

    with one_message():
        found = kept_runs(warehouse, year)
        if as_json:
            print_json([asdict(run) for run in found])
        else:
            show(lines(found))


def current(
    year: Annotated[int, typer.Argument(metavar="ROUND", help="Application year, e.g. 2020.")],
    run_id: Annotated[
        str, typer.Argument(metavar="RUN_ID", help="Run id, or its first 6 characters or more.")
    ],
    warehouse: Warehouse = WAREHOUSE,
    data: Data = DATA,
) -> None:
    """Make a kept run the current one of its round again, and say which one it replaces.

    Its directory is verified first, and its tables are published from there.  Where luohu.duckdb is
    lost, this builds it again, a round at a time.  A round that is published keeps its official
    result.  Exit status: 0 done; 1 the run is not as it was written; 2 there is no such run, or the
    round is published.

    [bold]Examples[/]

      luohu runs 2020
      luohu current 2020 c53284
    """
    from flows.run.make_current import make_current

    with one_message():
        with shown():
            done = make_current(year, run_id, warehouse)
            if (warehouse / LEDGER).exists():
                from flows.process.tables import rebuilt

                rebuilt(warehouse, data, anew=True)  # what shows the current run
        before = f" (before: {done.before})" if done.before not in (None, done.run_id) else ""
        show([f"round {year}: run {done.run_id} is current{before}", str(done.database)])
