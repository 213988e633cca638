"""`luohu objection`, `luohu sanction`, `luohu settle`: what becomes of places after publication."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.messages import one_message
from flows.cli.process_arguments import Given, Year, anytime, in_phase, operation, show_done
from flows.cli.streams import print_message, show, work_is_done
from flows.common.failures import BadUsage
from flows.ledger.operations import OBJECTION_DECIDE, OBJECTION_FILE, SANCTION, SETTLE

objection = typer.Typer(
    name="objection",
    help="Objections to a place of the published list: file, decide.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Serial = Annotated[str, typer.Argument(metavar="SERIAL", help="Public serial, e.g. 202100001.")]
EXPORT = "export"


@objection.command("file")
@operation(in_phase)
def file(
    year: Year,
    serial: Serial,
    ref: Annotated[str, typer.Option(help="The paper it came with, e.g. a file number.")],
    *,
    given: Given,
) -> None:
    """Enter an objection to a place of the published list; its first line is the objection's id.

    [bold]Examples[/]

      luohu objection file 2021 202100017 --ref "信访 2021-88" --by 李明
    """
    from flows.process.places.objections import file_objection
    from flows.process.places.settle import serial_of

    with one_message():
        asked = given.asked(OBJECTION_FILE, year)
        done = file_objection(asked, serial_of(serial), ref)
        (name,) = (each.body["id"] for each in done.recorded)
        given.show(done, [f"objection {name}"], {"objection": name})


@objection.command("decide")
@operation(in_phase)
def decide(
    name: Annotated[str, typer.Argument(metavar="ID", help="e.g. 2021-objection-0001.")],
    result: Annotated[str, typer.Argument(metavar="RESULT", help="upheld or refused")],
    reason: Annotated[str, typer.Option(help="Why, without names or ID numbers.")],
    *,
    given: Given,
) -> None:
    """Decide a pending objection, once, by two people; upheld cancels the place, which stays empty.

    [bold]Examples[/]

      luohu objection decide 2021-objection-0001 upheld --reason "材料不实" --by 王芳 --and-by 张伟
    """
    from flows.process.places.objections import decide_objection

    with one_message():
        asked = given.asked(OBJECTION_DECIDE)
        done = decide_objection(asked, name, result, reason)
        given.show(done, [f"{name} {result}"], {"objection": name, "result": result})


@operation(anytime)
def sanction(
    what: Annotated[
        str, typer.Argument(metavar="ROUND|export", help="Application year, or all findings.")
    ],
    subject: Annotated[
        str | None,
        typer.Argument(metavar="[APPLICATION_NO|CREDIT_CODE]", help="Whose material was false."),
    ] = None,
    found_on: Annotated[
        str | None, typer.Option("--found-on", metavar="DATE", help="The day of the finding.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="What was found, without names or ID numbers.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="export: the CSV file to write, for its owner only.")
    ] = None,
    *,
    given: Given,
) -> None:
    """Record a finding of false material, which cancels the person's place and bars later rounds.

    `export` lists all findings for the public credit platform (信用信息平台); with ID numbers.

    [bold]Examples[/]

      luohu sanction 2021 202100009124 --found-on 2021-09-01 --reason "伪造学历" --by 王芳 --and-by 张伟
      luohu sanction export --out findings.csv
    """
    from flows.process.dates import day
    from flows.process.places.export import export
    from flows.process.places.sanctions import sanction as record

    with one_message():
        if what == EXPORT:
            if subject or found_on or reason or out is None:
                raise BadUsage("sanction export: expected --out FILE.csv and no finding")
            count = export(given.warehouse, given.data, out, say=print_message)
            work_is_done()
            show([f"findings: {count:,}", f"{out}"])
            return
        if not (what.isascii() and what.isdigit()):
            raise BadUsage("expected a round, say 2021, or export, found something else")
        if subject is None or found_on is None or reason is None or out is not None:
            raise BadUsage(
                "expected APPLICATION_NO or CREDIT_CODE, --found-on DATE and --reason TEXT (--out goes"
                " with export)"
            )
        asked = given.asked(SANCTION, int(what))
        done = record(asked, subject, day(found_on, "--found-on"), reason)
        (name,) = (each.body["id"] for each in done.recorded)
        show_done(done, [f"sanction {name}"], {"sanction": name})


@operation(in_phase)
def settle(
    year: Year,
    serial: Annotated[
        str | None, typer.Argument(metavar="[SERIAL]", help="Public serial, e.g. 202100001.")
    ] = None,
    status: Annotated[
        str | None, typer.Argument(metavar="[STATUS]", help="registered or withdrawn")
    ] = None,
    on: Annotated[str | None, typer.Option(metavar="DATE", help="The day of it.")] = None,
    children: Annotated[str, typer.Option(metavar="N", help="Children registered with them.")] = "",
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Many: a CSV file with serial, status, on, children."),
    ] = None,
    *,
    given: Given,
) -> None:
    """Record that a place was used (落户办理) or given up; a list whole or not at all.

    [bold]Examples[/]

      luohu settle 2021 202100017 registered --on 2021-08-02 --children 1 --by 李明
      luohu settle 2021 --from settled.csv --by 李明
    """
    from flows.process.places.settle import settle as record
    from flows.process.places.settle import settling, settlings_in

    with one_message():
        asked = given.asked(SETTLE, year)
        if source is not None:
            if serial or status or on or children:
                raise BadUsage("--from: expected no SERIAL, STATUS, --on or --children beside it")
            wanted = settlings_in(source)
        elif serial is None or status is None or on is None:
            raise BadUsage("expected SERIAL, STATUS and --on DATE, or --from FILE.csv")
        else:
            wanted = [settling(serial, status, on, children)]
        done = record(asked, wanted, source)
        settled = [
            {name: each.body[name] for name in ("serial", "status")} for each in done.recorded
        ]
        lines = [f"{each['serial']} {each['status']}" for each in settled]
        given.show(done, lines, {"settled": settled})
