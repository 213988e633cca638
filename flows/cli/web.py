"""`luohu web`: the pages for the public, served on one's own machine."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.messages import one_message
from flows.cli.streams import print_message
from flows.common.database import DATABASE
from flows.common.failures import Failure
from flows.common.settings import WAREHOUSE, WEB_PORT


def web(
    warehouse: Annotated[  # only read, so nothing that killed commands left there is swept
        Path, typer.Option(help="Where runs and luohu.duckdb are kept.")
    ] = WAREHOUSE,
    host: Annotated[str, typer.Option(help="The address it listens at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)
    ] = WEB_PORT,
    preliminary: Annotated[
        bool, typer.Option("--preliminary", help="Show rounds that are not published yet, too.")
    ] = False,
) -> None:
    """Serve the rounds, the calculator (积分模拟计算器) and the API for one person's points, until stopped.

    Announcement and list (公示名单) of every published round in the warehouse; a publication shows at the
    next request.  A round that is not published appears by name only; --preliminary shows it with a
    banner, for officials on their own machine.

    Nothing is stored or logged; no cookies, and nothing is loaded from elsewhere.

    [bold]Examples[/]

      luohu web --warehouse /srv/luohu                 http://127.0.0.1:8080/
      curl -H 'Content-Type: application/json' --data @facts.json http://127.0.0.1:8080/api/score
    """
    from flows.cli.process_arguments import print_rehearsal
    from flows.public.web.server import serve

    def announce(address: str) -> None:
        database = warehouse / DATABASE
        if not database.is_file():  # no error: it may come yet, and the calculator needs none
            print_message(
                f"no rounds yet: expected {database}, found none; they show once it is there"
            )
        elif not preliminary:
            for line in by_name_only(warehouse):
                print_message(line)
        print(f"The pages are at {address}/  Ctrl-C stops them.", file=sys.stderr, flush=True)

    print_rehearsal(warehouse)
    with one_message(), suppress(KeyboardInterrupt):
        serve(warehouse, host, port, announce, preliminary=preliminary)


def by_name_only(warehouse: Path) -> list[str]:
    """What to say of rounds that are not published; nothing where none is, or nobody can read it now."""
    from flows.public.rounds.in_memory import rounds_of

    with suppress(Failure):
        if hidden := rounds_of(warehouse).hidden:
            years = ", ".join(map(str, sorted(hidden)))
            return [f"not published, so shown by name only: {years}; --preliminary shows all of it"]
    return []
