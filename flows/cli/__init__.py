"""The command line: arguments, messages and exit codes; one module a group of commands.

Results go to stdout, progress and messages to stderr.  Exit status: 0 done; 1 a check failed;
2 bad input or usage, with nothing published.  What stdout cannot take is reported on stderr: the status
is then the one of the work where that lies on disk, else 2 (`streams.py`).
"""

from typing import Annotated

import typer

from flows.cli.appeals import appeal
from flows.cli.audit import audit, capsule, diff
from flows.cli.calendar import status, tick
from flows.cli.commands import Commands
from flows.cli.deliveries import carry, deliver, note
from flows.cli.explain import explain, receipts
from flows.cli.export import export
from flows.cli.ledger import ledger, retract
from flows.cli.letters import letters
from flows.cli.messages import one_message
from flows.cli.places import objection, sanction, settle
from flows.cli.publication import displacement, publish
from flows.cli.run import run
from flows.cli.runs import current, runs
from flows.cli.score import score
from flows.cli.serve import serve, server
from flows.cli.simulate import simulate
from flows.cli.site import site
from flows.cli.web import web
from flows.common.environment import require_environment

app = typer.Typer(
    name="luohu",
    cls=Commands,
    help="Beijing's points-based household registration (积分落户): departmental feeds in,"
    " the ranked list out.\n\n"
    "Try it: [bold]luohu simulate 2020 --out feeds[/] then [bold]luohu run 2020 --feeds feeds[/]",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def version(asked: bool) -> None:  # noqa: FBT001 (typer calls it so)
    """Print the version, with the digest of the code that names runs."""
    if asked:
        with one_message():
            require_environment()
            from flows.common.settings import luohu_version
            from flows.kept.integrity import short
            from flows.kept.manifest import code_digest

            print(f"luohu {luohu_version()}, code {short(code_digest())}")
        raise typer.Exit


@app.callback()
def before_every_command(
    _: Annotated[
        bool,
        typer.Option("--version", callback=version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Refuse what no command can run with."""
    with one_message():
        require_environment()


for command in (
    *(simulate, run, runs, current, explain, receipts, letters),
    *(score, export, capsule, audit, diff),
    *(note, deliver, carry, publish, displacement, sanction, settle, ledger, retract),
    *(status, tick),
    *(web, site, server, serve),
):
    app.command()(command)
for group in (appeal, objection):
    app.add_typer(group)
