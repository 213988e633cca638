"""Arguments and results that the operations of the annual process share."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from flows.cli.messages import print_json
from flows.cli.streams import show, tell, work_is_done

if TYPE_CHECKING:
    from flows.ledger.entries import Entry
    from flows.ledger.state import State
    from flows.process.turn import Asked

At = Annotated[
    str | None,
    typer.Option("--at", help="The time, in a rehearsal: a date or time by ISO 8601.", metavar="T"),
]
By = Annotated[str | None, typer.Option("--by", help="Your name.", metavar="NAME")]
AndBy = Annotated[
    str | None, typer.Option("--and-by", help="The name of a second person.", metavar="NAME")
]
Override = Annotated[
    str | None,
    typer.Option("--override", help="Why it is done outside its phase.", metavar="REASON"),
]
ReceivedOn = Annotated[
    str | None,
    typer.Option("--received-on", help="When the paper came, if entered late.", metavar="T"),
]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]


def asked_for(
    operation: str,
    year: int,
    warehouse: Path,
    data: Path,
    *,
    at: str | None = None,
    received_on: str | None = None,
    **others: Any,
) -> "Asked":
    """An operation as the command line asks for it; raises BadUsage for a time that is none."""
    from flows.common.moments import moment
    from flows.process.turn import Asked

    return Asked(
        operation,
        year,
        at=moment(at) if at is not None else None,
        received_on=moment(received_on, "--received-on") if received_on is not None else None,
        warehouse=warehouse,
        data=data,
        say=tell,
        **others,
    )


class Done(Protocol):
    """What an operation came to: the ledger after it, and the entries it made."""

    @property
    def state(self) -> "State":
        """The ledger as it is then."""

    @property
    def recorded(self) -> "tuple[Entry, ...]":
        """The entries."""


def show_done(
    done: Done, lines: list[str], content: dict[str, Any], *, as_json: bool = False
) -> None:
    """What an operation came to: its own lines first, then the entries and the new head."""
    work_is_done()
    if as_json:
        print_json(
            with_head(done.state, content | {"entries": [each.seq for each in done.recorded]})
        )
        return
    entries = ", ".join(f"{each.seq}" for each in done.recorded)
    recorded = [f"recorded as entry {entries}"] if entries else ["nothing was recorded"]
    show([*lines, *recorded, f"head {done.state.head}"])


def with_head(state: Any, content: dict[str, Any]) -> dict[str, Any]:
    """What every result for machines has beside its own."""
    return {
        "warehouse": state.warehouse,
        "rehearsal": state.rehearsal,
        "head": state.head if state.entries else None,
        **content,
    }


def tell_rehearsal(warehouse: Path, say: Callable[[str], object] = tell) -> None:
    """Say that a warehouse is a rehearsal, where it is one and this user may know."""
    from flows.ledger.file import is_rehearsal

    if is_rehearsal(warehouse):
        say("rehearsal: the times in this warehouse are given, nothing in it was done for real")
