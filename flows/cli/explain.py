"""`luohu explain` and `luohu receipts`: why an applicant has their points."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from flows.cli.arguments import RunId, Warehouse
from flows.cli.messages import one_message, print_json, shown
from flows.cli.streams import work_is_done
from flows.common.failures import BadUsage
from flows.common.languages import Language
from flows.common.settings import WAREHOUSE


def explain(
    year: Annotated[int, typer.Argument(metavar="ROUND", help="Application year, e.g. 2020.")],
    application_no: Annotated[
        str, typer.Argument(metavar="APPLICATION_NO", help="Application number (申请编号).")
    ],
    warehouse: Warehouse = WAREHOUSE,
    lang: Annotated[
        Language | None, typer.Option(help="Language of the page.", show_default="en")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The receipt (积分凭单) and its proof, for machines.")
    ] = False,
    what_if: Annotated[
        bool,
        typer.Option("--what-if", help="Only what would have been enough, as JSON with records."),
    ] = False,
) -> None:
    """Say why an applicant has their points, where they stand, and what would have been enough.

    [bold]Examples[/]

      luohu explain 2020 202000009124
      luohu explain 2020 202000009124 --lang zh          中文
      luohu explain 2020 202000009124 --json | jq .indicators.residence
      luohu explain 2020 202000009124 --json > receipt.json
      python verify_receipt.py receipt.json --root ROOT
      luohu explain 2020 202000009124 --what-if | jq .changes[0]
    """
    with one_message():
        require_one_answer(lang, as_json=as_json, what_if=what_if)
        if as_json:
            from flows.explain.receipts import proved

            with shown():
                found = proved(warehouse, year, application_no)
            print_json(found)
        elif what_if:
            from flows.explain import what_if as enough

            found = enough(warehouse, year, application_no)
            print_json(found)
        else:
            from flows.explain import explain as page

            page(warehouse, year, application_no, lang or Language.en)


def require_one_answer(lang: Language | None, *, as_json: bool, what_if: bool) -> None:
    """Raise BadUsage where the options ask for two things at once: none of them wins in silence."""
    asked = [name for name, it_is in (("--json", as_json), ("--what-if", what_if)) if it_is]
    if len(asked) > 1:
        raise BadUsage(
            "expected --json (the receipt) or --what-if, found both: ask for one at a time"
        )
    if asked and lang:
        raise BadUsage(
            f"expected {asked[0]} without --lang, found --lang {lang.value}: JSON for machines has codes"
            " and no language; --lang is for the page"
        )


def receipts(
    year: Annotated[int, typer.Argument(metavar="ROUND", help="Application year, e.g. 2020.")],
    out: Annotated[
        Path, typer.Option(help="File to write, one receipt a line; .gz is compressed.")
    ],
    warehouse: Warehouse = WAREHOUSE,
    run_id: RunId = None,
) -> None:
    """Write the receipts (积分凭单) of all applicants; print their root.

    Each is what explain --json prints without the proof, compact, ascending by application number.
    Anybody can check them with Python alone and a copy of flows/explain/receipts/verify_receipt.py.

    [bold]Examples[/]

      luohu receipts 2020 --out receipts-2020.jsonl.gz
      luohu receipts 2020 --out receipts.jsonl --warehouse /srv/luohu --run 0123456789abcdef
      python verify_receipt.py receipts-2020.jsonl.gz --root ROOT
    """
    from flows.explain.receipts.bulk import VERIFIER, write_receipts

    with one_message():
        with shown():
            written = write_receipts(warehouse, year, out, run_id)
        work_is_done()
        print(
            f"{written.receipts:,} receipts of round {year}, run {written.run_id}, in {out}\n"
            f"root: {written.root}\n"
            f"try: python {quote(str(VERIFIER))} {quote(str(out))} --root {written.root}"
        )
