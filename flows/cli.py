"""The command line: `luohu simulate`, `run`, `explain`, `receipts`, `capsule`, `audit`, `diff`, `serve`.

Results go to stdout, progress and messages to stderr.  Exit status: 0 done; 1 a check failed;
2 bad input or usage, with nothing published.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flows.failures import BadUsage, CheckFailed, Failure
from flows.languages import Language
from flows.settings import DATA, MAX_REJECTS, WAREHOUSE, Order
from transforms.policy import PolicyError

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


class Format(StrEnum):
    """How simulated feeds are written."""

    parquet = "parquet"
    csv = "csv"


Round = Annotated[int, typer.Argument(help="Application year (申报年度), e.g. 2020.")]
Warehouse = Annotated[
    Path, typer.Option(help="Where runs and luohu.duckdb are kept.", show_default=True)
]
Data = Annotated[
    Path, typer.Option("--data", help="Folder with policy/ and rounds/.", show_default=False)
]


@app.command()
def simulate(
    year: Annotated[int, typer.Argument(metavar="ROUND", help="Application year, e.g. 2020.")],
    out: Annotated[Path, typer.Option(help="New folder for the delivery.")],
    applicants: Annotated[
        int | None,
        typer.Option(min=1, help="How many apply; default: as many as really did that year."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 1,
    points: Annotated[
        Path | None,
        typer.Option(help="CSV of published points: make records from which exactly these follow."),
    ] = None,
    fmt: Annotated[Format, typer.Option("--format", help="File format.")] = Format.parquet,
    dirty: Annotated[
        float,
        typer.Option(min=0.0, help="Share of bad rows of every kind, of duplicates and strangers."),
    ] = 0.001,
    data: Data = DATA,
) -> None:
    """Make a delivery of invented people.

    [bold]Examples[/]

      luohu simulate 2020 --out feeds                      the real number of applicants
      luohu simulate 2020 --out small --applicants 1000    a small one
      luohu simulate 2020 --out csv --applicants 1000 --format csv --dirty 0
      luohu simulate 2020 --out real --points points-2020.csv
    """
    from flows.progress import report
    from flows.simulate import simulate as make

    with told(), shown():
        try:
            make(
                year,
                out,
                applicants=applicants,
                seed=seed,
                points=points,
                fmt=fmt.value,
                dirty=dirty,
                data=data,
                progress=report,
            )
        except ValueError as error:
            raise BadUsage(str(error)) from None
    typer.echo(f"delivery written to {out}\ntry: luohu run {year} --feeds {out}")


@app.command()
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
    data: Data = DATA,
) -> None:
    """Score a delivery, rank it and publish the round.

    Runs as a Prefect flow: on its embedded server, or on the one PREFECT_API_URL names.

    [bold]Examples[/]

      luohu run 2020 --feeds feeds
      luohu run 2020 --feeds feeds --warehouse /srv/luohu --max-rejects 0.01
      luohu run 2020 --feeds feeds --direct            no server is started
    """
    from flows.summary import summary

    order = Order(year, feeds, warehouse, data, max_rejects, recheck)
    with told():
        order.share()
        order.round()  # an unknown round is told before a server is started
        with shown():
            if direct:
                from flows.pipeline import run as run_it
            else:
                from flows.prefect_run import run_it
            outcome = run_it(order)
        summary(warehouse, outcome)


@app.command()
def explain(
    year: Annotated[int, typer.Argument(metavar="ROUND", help="Application year, e.g. 2020.")],
    application_no: Annotated[str, typer.Argument(help="Application number (申请编号).")],
    warehouse: Warehouse = WAREHOUSE,
    lang: Annotated[Language, typer.Option(help="Language of the page.")] = Language.en,
    as_json: Annotated[
        bool, typer.Option("--json", help="The receipt (积分凭单), for machines.")
    ] = False,
    what_if: Annotated[
        bool,
        typer.Option("--what-if", help="Only what would have been enough, as JSON with records."),
    ] = False,
) -> None:
    """Say why an applicant has their points, where they stand, and what would have been enough.

    [bold]Examples[/]

      luohu explain 2020 2020000123
      luohu explain 2020 2020000123 --lang zh          中文
      luohu explain 2020 2020000123 --json | jq .indicators.residence
      luohu explain 2020 2020000123 --json > receipt.json
      luohu explain 2020 2020000123 --what-if | jq .changes[0]
    """
    with told():
        if as_json:
            from flows.receipts import receipt

            found = receipt(warehouse, year, application_no)
            typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        elif what_if:
            from flows.explain import what_if as enough

            found = enough(warehouse, year, application_no)
            typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        else:
            from flows.explain import explain as page

            page(warehouse, year, application_no, lang)


@app.command()
def receipts(
    year: Annotated[int, typer.Argument(metavar="ROUND", help="Application year, e.g. 2020.")],
    out: Annotated[
        Path, typer.Option(help="File to write, one receipt a line; .gz is compressed.")
    ],
    warehouse: Warehouse = WAREHOUSE,
    run_id: Annotated[
        str | None,
        typer.Option("--run", help="A run of the round; default: the published one."),
    ] = None,
) -> None:
    """Write the receipts (积分凭单) of all applicants, and print the root over them.

    Each is what explain --json prints, compact, ascending by application number.  Anybody can check
    them with Python alone and a copy of flows/receipts/verify_receipt.py.

    [bold]Examples[/]

      luohu receipts 2020 --out receipts-2020.jsonl.gz
      luohu receipts 2020 --out receipts.jsonl --warehouse /srv/luohu --run 0123456789abcdef
      python verify_receipt.py receipts-2020.jsonl.gz --root ROOT
    """
    from flows.receipts.bulk import VERIFIER, write_receipts

    with told():
        with shown():
            written = write_receipts(warehouse, year, out, run_id)
        typer.echo(
            f"{written.receipts:,} receipts of round {year}, run {written.run_id}, in {out}\n"
            f"root: {written.root}\n"
            f"try: python {VERIFIER} {out} --root {written.root}"
        )


@app.command()
def capsule(
    year: Annotated[int, typer.Argument(metavar="ROUND", help="Application year, e.g. 2020.")],
    out: Annotated[Path, typer.Option(help="New file, say 2020.capsule.")],
    warehouse: Warehouse = WAREHOUSE,
    run_id: Annotated[
        str | None,
        typer.Option("--run", help="A run of the round; default: the published one."),
    ] = None,
    public: Annotated[
        bool,
        typer.Option("--public", help="Leave out every row about a person but the public list."),
    ] = False,
) -> None:
    """Pack a run into one file that `luohu audit FILE` verifies on any machine, offline.

    Exit status: 0 packed; 1 the run is not as it was published; 2 nothing to pack, or no room.
    Without --public it holds names and ID numbers: hand it to an auditor, not to anybody.

    [bold]Examples[/]

      luohu capsule 2020 --out 2020.capsule
      luohu capsule 2020 --out 2020-public.capsule --public
      luohu audit 2020.capsule                         anywhere, without warehouse or network
    """
    from flows.capsule.pack import pack
    from flows.capsule.page import packed_lines

    with told():
        with shown():
            packed = pack(year, warehouse, out, run_id, public=public)
        typer.echo("\n".join(packed_lines(packed)))


@app.command()
def audit(
    what: Annotated[
        str, typer.Argument(metavar="ROUND|FILE", help="Application year, or a capsule.")
    ],
    warehouse: Warehouse = WAREHOUSE,
    run_id: Annotated[
        str | None,
        typer.Option("--run", help="A run of the round; default: the published one."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Repeat a past run from what it pinned, and compare every table with what was written then.

    The run is one of a warehouse, or the one in a capsule, which needs no warehouse.

    Exit status: 0 all the same; 1 something differs or was tampered with; 2 nothing to audit.

    [bold]Examples[/]

      luohu audit 2020
      luohu audit 2020 --warehouse /srv/luohu --run 0123456789abcdef
      luohu audit 2020 --json | jq .findings
      luohu audit 2020.capsule
    """
    from flows.audit.round_or_capsule import audit_any

    with told():
        with shown():
            found = audit_any(what, warehouse, run_id)
        if as_json:
            typer.echo(json.dumps(found.machine, ensure_ascii=False, indent=2))
        else:
            typer.echo("\n".join(found.page))
    raise typer.Exit(0 if found.passed else 1)


@app.command()
def diff(
    run_a: Annotated[
        str, typer.Argument(help="Run id, its first 6 characters or more, or a run directory.")
    ],
    run_b: Annotated[str, typer.Argument(help="The run to compare with it.")],
    warehouse: Warehouse = WAREHOUSE,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    everyone: Annotated[
        bool, typer.Option("--all", help="List everybody who moved, not the first 20.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write every share of everybody to a .parquet or .csv file.")
    ] = None,
) -> None:
    """Compare two runs: who moved, by how much, across the line or not, and why.

    The causes are data, policy, decision (the round file) and code.  Where several differ, mixed
    combinations are recomputed, so that no cause is guessed; what only causes together bring about
    is told as that.  Exit status 0, whatever differs; 2 when a run is not there.

    [bold]Examples[/]

      luohu diff 5094d8 2b125d
      luohu diff 5094d8 2b125d --warehouse /srv/luohu --all
      luohu diff old/runs/2020/5094d8613434d365 new/runs/2020/2b125db61427b371 --out moved.csv
      luohu diff 5094d8 2b125d --json | jq .causes
    """
    from flows.diff import diff as compared
    from flows.diff.moves import FIRST, require_writable, write
    from flows.diff.moves import as_json as for_machines
    from flows.diff.page import lines

    first = None if everyone else FIRST
    with told():
        if out:
            require_writable(out)
        with shown():
            found = compared(run_a, run_b, warehouse)
        if out:
            write(found, out)
        if as_json:
            typer.echo(json.dumps(for_machines(found, first), ensure_ascii=False, indent=2))
        else:
            typer.echo("\n".join(lines(found, first)))


@app.command()
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
    from flows.prefect_run import serve_annual

    with told():
        serve_annual(feeds, warehouse, cron)


@contextmanager
def told() -> Iterator[None]:
    """Tell a foreseen failure in one message and leave with status 2, or 1 for a failed check."""
    try:
        yield
    except (Failure, PolicyError) as failure:
        print(f"luohu: {failure}", file=sys.stderr)
        raise typer.Exit(1 if isinstance(failure, CheckFailed) else 2) from None
    except KeyboardInterrupt:
        print("luohu: stopped; nothing was published", file=sys.stderr)
        raise typer.Exit(2) from None


@contextmanager
def shown() -> Iterator[None]:
    """Show progress on stderr while a terminal watches."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from flows.progress import watched

    columns = (
        TextColumn("{task.description:32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def reporter(stage: str, done: int, of: int) -> None:
            bar.update(task, description=stage, completed=done, total=of)

        with watched(reporter):
            yield


if __name__ == "__main__":
    app()
