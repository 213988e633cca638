"""`luohu ledger` and `luohu retract`: what was done in a warehouse, and what is taken back."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.arguments import Data, Warehouse
from flows.cli.messages import one_message, print_json, shown
from flows.cli.process_arguments import AsJson, Given, anytime, operation, with_head
from flows.cli.streams import print_message, show
from flows.common.settings import DATA, WAREHOUSE
from flows.ledger.operations import RETRACT

if TYPE_CHECKING:
    from flows.ledger.state import State


def ledger(
    year: Annotated[
        int | None, typer.Argument(metavar="[ROUND]", help="One round only, e.g. 2021.")
    ] = None,
    warehouse: Warehouse = WAREHOUSE,
    data: Data = DATA,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check chain, order, and every file it names.")
    ] = False,
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="SHA256", help="A digest that was the head once."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what was done in a warehouse: by whom, when, and the digest that names all of it.

    Exit status: 0 all well; 1 an entry or a file is not as it was written, or no entry has the
    digest; 2 there is nothing to read.  A ledger that was written anew holds together as well:
    note the head elsewhere, and ask for it with --head.

    [bold]Examples[/]

      luohu ledger
      luohu ledger 2021 --warehouse /srv/luohu
      luohu ledger --verify
      luohu ledger --head $(cat published-head.txt)
    """
    from flows.ledger.verify import require_head
    from flows.process.read import looked_at

    with one_message():
        with shown():
            state = looked_at(warehouse, data, year, verify=verify, say=print_message)
        found = require_head(state, head) if head is not None else None
        if as_json:
            checks = {"verified": verify, "head_found_at": found.seq if found else None}
            entries = [each._asdict() for each in state.entries if year in {None, each.round}]
            print_json(with_head(state, checks | {"entries": entries}))
            return
        lines = page(state, year)
        if verify:
            lines.append(f"verified: {state.seq:,} entries and the files they name")
        if found:
            lines.append(f"head of then: entry {found.seq}, made at {found.at}")
        show(lines)


def page(state: "State", year: int | None) -> list[str]:
    """A line an entry, then the head."""
    lines = []
    for each in state.entries:
        if year in {None, each.round}:
            names = " and ".join(filter(None, (each.by, each.and_by)))
            notes = [
                f"by {names}" if names else "",
                f"override: {each.override}" if each.override else "",
                f"retracted by {state.retracted[each.seq].seq}"
                if each.seq in state.retracted
                else "",
            ]
            what = f"{each.seq}  {each.at}  {each.round or '-'}  {each.operation}"
            lines.append("  ".join([what, *filter(None, notes)]))
    return [*lines, f"head {state.head}" if state.entries else "no entries"]


@operation(anytime)
def retract(
    seq: Annotated[int, typer.Argument(metavar="SEQ", help="Number of the entry.")],
    reason: Annotated[str, typer.Option(help="Why it is a mistake.")],
    *,
    given: Given,
) -> None:
    """Take a mistaken entry back: from now on it counts as not made; it stays in the ledger.

    Deliveries and appeals until the list is published; objections, sanctions and settlements at any
    time; nothing else.  What a decision names goes after the decision.

    [bold]Examples[/]

      luohu retract 17 --reason "entered twice" --by 李明 --and-by 王芳
    """
    from flows.process.retract import retract as take_back

    with one_message():
        done = take_back(given.asked(RETRACT), seq, reason)
        given.show(done, [f"retracted {seq}"], {"retracted": seq})
