"""The one way to do an operation: a turn at the ledger (docs/process.md, 2).

    with turn(asked) as now:       lock; database and ledger fit; a torn line goes; time; what stands
        now.judge()                phase, names, override
        ...                        what the operation itself asks of `now.state`
        now.record({...})          entries on the disk: from here on it is done
    # the lock is free; the tables are made again

Whatever is refused raises before anything is recorded.  Work that takes long (screening a delivery)
is done before the turn; what it rests on is looked at again in it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Any

from flows.common.failures import Failure, ProcessRefused
from flows.common.files import sha256_of
from flows.common.messages import message_without_values
from flows.common.moments import TICK
from flows.common.moments import now as system_time
from flows.common.settings import DATA, WAREHOUSE
from flows.ledger.clock import time_of_entry
from flows.ledger.entries import BATCH, GIVEN, NO_ENTRY, SYSTEM, Body, Entry, at_text, sealed
from flows.ledger.file import Tail, append, mend, only_writer, read, tail
from flows.ledger.seen_in_database import require_of_ledger, shown_by
from flows.ledger.state import PHASES, State
from flows.ledger.state import WAREHOUSE as WAREHOUSE_ID
from flows.process.judge import Signed, row_for, signed
from flows.process.rules import Operation, Rules, rules
from flows.process.signatures import user
from flows.process.tables import rebuilt
from flows.run.work_folder import require_writable
from transforms.phases import Spans, as_text, spans
from transforms.policy import PolicyError
from transforms.rounds import Round, load_round

TABLES_LATER = (
    "recorded; the tables of luohu.duckdb are behind and are made again by the next command"
)


@dataclass(frozen=True)
class Asked:
    """An operation as somebody asks for it."""

    operation: str
    round: int
    by: str | None = None
    and_by: str | None = None
    override: str | None = None
    at: datetime | None = None  # given, in a rehearsal
    received_on: datetime | None = None
    kind: str | None = None
    warehouse: Path = WAREHOUSE
    data: Path = DATA
    say: Callable[[str], object] = field(default=lambda _: None, compare=False)  # notes, on stderr
    clock: Callable[[], datetime] = field(default=system_time, compare=False)

    @cached_property
    def this_round(self) -> Round:
        """The round's file; raises PolicyError where there is none."""
        return load_round(self.data / "rounds", self.round)

    @cached_property
    def spans(self) -> Spans:
        """When each phase of the round holds."""
        return spans(self.file, self.this_round.phases)

    @property
    def file(self) -> str:
        """The round's file, for messages."""
        return f"rounds/{self.round}.toml"

    @property
    def rules(self) -> Rules:
        """What may be done when."""
        return rules(self.data)

    def row_at(self, at: datetime) -> Operation:
        """The row by which it may be done at a moment; raises a Failure where it may not."""
        return row_for(
            *(self.rules, self.operation, self.file, self.spans, at),
            kind=self.kind,
            override=self.override is not None,
            received_on=self.received_on,
        )

    def signed(self, row: Operation) -> Signed:
        """The names it is done under; raises a Failure where they are too few or one person's."""
        return signed(self.rules, row, self.by, self.and_by, self.override)


@dataclass
class Turn:
    """Somebody's turn at the ledger: what stands, the time it is, and what was recorded in it."""

    asked: Asked
    state: State
    at: datetime
    end: Tail
    row: Operation | None = None  # by which it may be done, once it is judged
    names: Signed | None = None
    recorded: tuple[Entry, ...] = ()

    def judge(self, **other: Any) -> Operation:
        """The row by which the operation may be done; raises a Failure where it may not.

        `other` is what was not known before what stands was looked at: `round=`, `kind=`.
        """
        self.asked = replace(self.asked, **other)
        self.row = self.asked.row_at(self.at)
        self.names = self.asked.signed(self.row)
        return self.row

    def require_others(self, entries: Iterable[Entry], what: str) -> None:
        """Raise ProcessRefused where one of those who sign made one of some entries."""
        if self.names:
            self.names.require_others(entries, what)

    def record(self, *bodies: Body) -> tuple[Entry, ...]:
        """Put an entry for each body on the disk, all or none; they are done once this returns."""
        if self.row is None or self.names is None:
            raise ProcessRefused(f"{self.asked.operation}: recorded before it was judged")
        asked, names = self.asked, self.names
        phases = as_text(asked.this_round.phases)
        digest = sha256_of(phases)
        before: list[tuple[str, int | None, Body]] = []
        if not self.state.entries:
            before.append((WAREHOUSE_ID, None, {WAREHOUSE_ID: token_hex(16)}))
        if digest != (self.state.phases_digest(asked.round) or sha256_of({})):
            before.append((PHASES, asked.round, {"phases": phases, "digest": digest}))
        first = self.state.seq + len(before) + 1
        together: Body = {BATCH: [first, first + len(bodies) - 1]} if len(bodies) > 1 else {}
        late: Body = {"received_on": at_text(asked.received_on)} if asked.received_on else {}
        now = [
            (asked.operation, asked.round, {**body, **together, **late, PHASES: digest})
            for body in bodies
        ]
        entries: list[Entry] = []
        for place, (operation, year, body) in enumerate([*before, *now]):
            is_own = place >= len(before)
            last = entries[-1] if entries else self.state.last
            entries.append(
                sealed(
                    {
                        "seq": self.state.seq + place + 1,
                        "at": at_text(self.at + place * TICK),
                        "clock": SYSTEM if asked.at is None else GIVEN,
                        "round": year,
                        "operation": operation,
                        "by": names.by if is_own else None,
                        "and_by": names.and_by if is_own else None,
                        "user": user(),
                        "override": names.override if is_own else None,
                        "body": body,
                        "previous": last.sha256 if last else NO_ENTRY,
                    }
                )
            )
        self.end = append(asked.warehouse, self.end, entries)
        self.state = State((*self.state.entries, *entries))
        self.at += len(entries) * TICK
        self.recorded += tuple(entries[len(before) :])
        return tuple(entries[len(before) :])


@contextmanager
def turn(asked: Asked) -> Iterator[Turn]:
    """Hold the ledger for one operation; its tables are made again afterwards, refused or recorded."""
    require_writable(asked.warehouse)
    refused: Exception | None = None
    with only_writer(asked.warehouse):
        shown = shown_by(asked.warehouse)
        state = read(asked.warehouse)
        require_of_ledger(shown, state)  # before anything is mended
        found = tail(asked.warehouse)
        end = mend(asked.warehouse, found, asked.say)
        if end.last != state.last:  # a line was completed
            state = read(asked.warehouse)
        now = Turn(asked, state, time_of_entry(state, asked.clock(), asked.at), end)
        try:
            yield now
        except (Failure, PolicyError) as failure:
            refused = failure
    make_up(asked, now.state, is_done=bool(refused or now.recorded))
    if refused:
        raise refused


def make_up(asked: Asked, state: State, *, is_done: bool = True) -> None:
    """Make the tables again where somebody was stopped before; of what is done, a failure is a note."""
    try:
        with message_without_values("tables"):
            rebuilt(asked.warehouse, asked.data, state)
    except (Failure, PolicyError, KeyboardInterrupt) as failure:  # a round's file that is gone, say
        if not is_done:
            raise
        asked.say(f"{TABLES_LATER}: {failure or 'stopped'}")
