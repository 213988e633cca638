"""`luohu publish` and `luohu displacement`: the official result, and what each decision did to it."""

from typing import Annotated

import typer

from flows.cli.arguments import Data, Warehouse
from flows.cli.messages import one_message, print_json, shown
from flows.cli.process_arguments import AsJson, Given, Year, in_phase, operation, with_head
from flows.cli.streams import print_message, show
from flows.common.settings import DATA, WAREHOUSE
from flows.ledger.operations import PUBLISH


@operation(in_phase)
def publish(
    year: Year,
    run_id: Annotated[
        str | None, typer.Option("--run", help="A run of the round; default: the current one.")
    ] = None,
    *,
    given: Given,
) -> None:
    """Make a run the official result of its round, by two people and once.

    Refused, with the list of what is open: pending appeals, deliveries or findings the run lacks, a
    run that was made in a way that needs an excuse.  From then on line, ranks, serials and list stand.
    Note the head it prints elsewhere: `luohu ledger --head` asks for it.

    [bold]Examples[/]

      luohu publish 2021 --by 王芳 --and-by 张伟
      luohu publish 2021 --run 0123456789abcdef --by 王芳 --and-by 张伟
    """
    from flows.common.points import in_text
    from flows.process.publication.publish import publish as make_official

    with one_message():
        asked = given.asked(PUBLISH, year)
        done = make_official(asked, run_id)
        (entry,) = done.recorded
        body = entry.body
        line = body["cutoff_centipoints"]
        lines = [
            f"round {year}: run {body['run_id']} is published",
            (
                f"line {'none' if line is None else in_text(line)}, tied {body['tied_at_cutoff']:,},"
                f" settled {body['settled']:,} of {body['eligible']:,} eligible"
            ),
        ]
        given.show(done, lines, {"published": body["run_id"]})


def displacement(
    year: Year,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="RUN_ID", help="The run to measure from."),
    ] = None,
    warehouse: Warehouse = WAREHOUSE,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Show what each decision upheld, at least partly, did: to its applicant, and to the line.

    Everybody is as they are after; the decision's applicant alone, or a corrected employer's
    applicants together, as before.  Below it what all causes did, from `luohu diff`.

    [bold]Examples[/]

      luohu displacement 2021
      luohu displacement 2021 --from 0123456789abcdef --json
    """
    from flows.process.displacement.page import as_content, lines
    from flows.process.displacement.report import displaced

    with one_message():
        with shown():
            found = displaced(warehouse, data, year, start, say=print_message)
        if as_json:
            print_json(
                with_head(
                    found.state,
                    {"displacement": as_content(found.decided), "diff": found.diff_content()},
                )
            )
        else:
            show([*lines(found.decided), *found.diff_lines()])
