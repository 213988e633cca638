"""`luohu letters`: the notices of a round (审核结果告知书), one page an applicant."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.arguments import Data, Warehouse
from flows.cli.messages import one_message, shown
from flows.cli.streams import print_message, show, work_is_done
from flows.common.settings import DATA, WAREHOUSE


def letters(
    year: Annotated[int, typer.Argument(metavar="ROUND", help="Application year, e.g. 2021.")],
    out: Annotated[Path, typer.Option(help="Folder of the letters; see above.", metavar="DIR")],
    application_no: Annotated[
        str | None,
        typer.Option("--application-no", help="Only the letter of this application.", metavar="N"),
    ] = None,
    warehouse: Warehouse = WAREHOUSE,
    data: Data = DATA,
) -> None:
    """Write the notices (审核结果告知书) of a round: one page an applicant, ready to be printed on A4.

    Each is for its addressee alone: the result, every condition and indicator with the fact used, the
    department it came from, the clause and the points; how, where and until when to contest it; what comes
    next.  It is made of the round's current run, and says whether that is preliminary or published.
    Dates are those of the round's phases; a phase without a date is said to have none.

    The folder is its owner's only and has one file an applicant, APPLICATION_NO.html.  It appears when
    all letters are complete, or not at all.  It has to be new or empty, or to hold earlier letters of the
    same round and nothing else: those are replaced as a whole.  One letter asked for by --application-no
    goes beside the letters that are there, in place of that application's earlier one.

    Exit status: 0 written; 1 the run was changed since; 2 there is no such round, run or application,
    or the folder cannot be written.

    [bold]Examples[/]

      luohu letters 2021 --out letters-2021
      luohu letters 2021 --out letter --application-no 202100000177
      luohu letters 2021 --out letters-2021 --warehouse /srv/luohu
      chromium --headless --print-to-pdf=letter.pdf letter/202100000177.html
    """
    from flows.public.letters.write import write_letters

    with one_message():
        with shown():
            done = write_letters(
                warehouse, year, out, data=data, application_no=application_no, say=print_message
            )
        work_is_done()
        letters = "1 letter" if done.letters == 1 else f"{done.letters:,} letters"
        of = f"of round {year} ({done.state}), run {done.run_id}"
        show([f"{letters} {of}, in {out}"])
