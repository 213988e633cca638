"""`luohu status` and `luohu tick`: where a round stands, and doing what is due."""

from typing import Annotated

import typer

from flows.cli.arguments import Data, Warehouse
from flows.cli.messages import one_message, print_json, shown
from flows.cli.process_arguments import AsJson, At, Year, time_given, with_head
from flows.cli.streams import print_message, show, work_is_done
from flows.common.settings import DATA, WAREHOUSE

AsOf = Annotated[
    str | None,
    typer.Option("--at", help="As it was at that time: a date or time by ISO 8601.", metavar="T"),
]


def status(
    year: Year,
    warehouse: Warehouse = WAREHOUSE,
    data: Data = DATA,
    at: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Say where a round stands: its phase, what is due, late, missing, and what comes next.

    Exit status: 0 nothing is late; 1 something is; 2 there is no such round or warehouse.

    [bold]Examples[/]

      luohu status 2021
      luohu status 2021 --at 2021-06-04T09:00
      luohu status 2021 --json | jq .late
    """
    from flows.process.calendar.status import as_json as for_machines
    from flows.process.calendar.status import lines
    from flows.process.calendar.status import status as status_of
    from flows.process.read import looked_at

    with one_message():
        asked_at = time_given(at)
        state = looked_at(warehouse, data, year, say=print_message)
        found = status_of(state, year, data, asked_at)
        if as_json:
            print_json(with_head(state, for_machines(found)))
        else:
            show(lines(found))
    raise typer.Exit(1 if found.late else 0)


def tick(
    warehouse: Warehouse = WAREHOUSE,
    data: Data = DATA,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Do what is due in every round that has phases and a delivery: each step once, in order.

    Phases are noted as they begin; feeds without a delivery are named when departments' results are
    gathered; runs are made when applicants ask for results and before the list; an unpublished list is
    reported each day; places nobody used lapse.  However long nobody looked, each step is done once.
    What is late is printed on stderr; `luohu status` leaves with 1 for it.

    [bold]Examples[/]

      luohu tick --warehouse /srv/luohu
      luohu tick --at 2021-06-04T08:05                  in a rehearsal
    """
    from flows.ledger.file import read
    from flows.process.calendar.tick import Tick
    from flows.process.calendar.tick import tick as do_what_is_due

    with one_message():
        this = Tick(warehouse, data, time_given(at), say=print_message)
        with shown():
            done = do_what_is_due(this)
        work_is_done()
        state = read(warehouse)
        if as_json:
            steps = [
                {"round": each.round, "message": each.message, "late": each.is_late}
                for each in done
            ]
            print_json(with_head(state, {"done": steps}))
            return
        for each in done:
            if each.is_late:
                print_message(f"late: round {each.round}: {each.message}")
        lines = [f"round {each.round}: {each.message}" for each in done if not each.is_late]
        show([*lines, *([f"head {state.head}"] if done else ["nothing is due"])])
