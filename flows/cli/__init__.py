"""The command line: arguments, messages and exit codes; one module a group of commands.

Results go to stdout, progress and messages to stderr.  Exit status: 0 done; 1 a check failed;
2 bad input or usage, with nothing published.
"""

import typer

from flows.cli.audit import audit, capsule, diff
from flows.cli.explain import explain, receipts
from flows.cli.run import run
from flows.cli.runs import current, runs
from flows.cli.serve import serve, server
from flows.cli.simulate import simulate

app = typer.Typer(
    name="luohu",
    help="Beijing's points-based household registration (积分落户): departmental feeds in,"
    " the ranked list out.\n\n"
    "Try it: [bold]luohu simulate 2020 --out feeds[/] then [bold]luohu run 2020 --feeds feeds[/]",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for command in (
    *(simulate, run, runs, current, explain, receipts, capsule, audit, diff, server, serve),
):
    app.command()(command)
