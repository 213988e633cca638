"""Arguments and results that the operations of the annual process share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeAlias

import typer

from flows.cli.arguments import Data, Warehouse
from flows.cli.messages import print_json
from flows.cli.streams import print_message, show, work_is_done
from flows.common.settings import DATA, WAREHOUSE

if TYPE_CHECKING:
    from datetime import datetime

    from flows.ledger.entries import Entry
    from flows.ledger.state import State
    from flows.process.turn import Asked

Year = Annotated[int, typer.Argument(metavar="ROUND", help="Application year, e.g. 2021.")]
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

GIVEN = "given"  # what a command calls the options it shares with others
Command: TypeAlias = Callable[..., None]


def time_given(at: str | None, option: str = "--at") -> "datetime | None":
    """A time that may be given; raises BadUsage for one that is none."""
    from flows.common.moments import moment

    return moment(at, option) if at is not None else None


@dataclass(frozen=True)
class Given:
    """The options every operation has, as they were given."""

    warehouse: Path
    data: Path
    at: str | None = None
    by: str | None = None
    and_by: str | None = None
    override: str | None = None
    received_on: str | None = None
    as_json: bool = False

    def asked(self, operation: str, year: int = 0, kind: str | None = None) -> "Asked":
        """An operation as the command line asks for it; raises BadUsage for a time that is none.

        The year is 0 where it follows from what the operation names.
        """
        from flows.process.turn import Asked

        return Asked(
            operation,
            year,
            by=self.by,
            and_by=self.and_by,
            override=self.override,
            at=time_given(self.at),
            received_on=time_given(self.received_on, "--received-on"),
            kind=kind,
            warehouse=self.warehouse,
            data=self.data,
            say=print_message,
        )

    def show(self, done: "Done", lines: list[str], content: dict[str, Any]) -> None:
        """What the operation came to."""
        show_done(done, lines, content, as_json=self.as_json)


def anytime(
    *,
    by: By = None,
    and_by: AndBy = None,
    warehouse: Warehouse = WAREHOUSE,
    data: Data = DATA,
    at: At = None,
    as_json: AsJson = False,
) -> Given:
    """The options of an operation that belongs to no phase."""
    return Given(warehouse, data, at, by, and_by, as_json=as_json)


def in_phase(
    *,
    by: By = None,
    and_by: AndBy = None,
    override: Override = None,
    received_on: ReceivedOn = None,
    warehouse: Warehouse = WAREHOUSE,
    data: Data = DATA,
    at: At = None,
    as_json: AsJson = False,
) -> Given:
    """The options of an operation that belongs to a phase: it may be done late, or outside it."""
    return Given(warehouse, data, at, by, and_by, override, received_on, as_json)


def operation(options: Callable[..., Given]) -> Callable[[Callable[..., None]], Command]:
    """Let a command have the options of operations beside its own; it gets them as its last argument.

    Typer has no groups of options: it reads a function's signature, so the two are put together.
    """
    shared = signature(options).parameters

    def decorated(command: Callable[..., None]) -> Command:
        own = [each for name, each in signature(command).parameters.items() if name != GIVEN]

        @wraps(command)
        def whole(**values: Any) -> None:
            given = options(**{name: values.pop(name) for name in shared})
            command(**values, given=given)

        parameters = [
            each.replace(kind=Parameter.KEYWORD_ONLY) for each in (*own, *shared.values())
        ]
        whole.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        whole.__annotations__ = {each.name: each.annotation for each in parameters}
        return whole

    return decorated


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


def print_rehearsal(warehouse: Path, say: Callable[[str], object] = print_message) -> None:
    """Say that a warehouse is a rehearsal, where it is one and this user may know."""
    from flows.ledger.file import is_rehearsal

    if is_rehearsal(warehouse):
        say("rehearsal: the times in this warehouse are given, nothing in it was done for real")
