"""Whether an operation may be done at a moment: its phase, its names, and what is done all the same.

An operation outside its phase needs an override: a reason and two names.  Where the round file has none
of the phases an operation belongs to, nothing helps: what is not known is not guessed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flows.common.failures import BadUsage, ProcessRefused
from flows.ledger.entries import Entry
from flows.process.rules import Operation, Rules
from flows.process.signatures import are_same, folded, free_text, name, require_others
from transforms.phases import Spans, Standing, shown, standing, when

OVERRIDE = "--override REASON --by A --and-by B"


@dataclass(frozen=True)
class Signed:
    """The names and the reason an entry has, as they are recorded."""

    by: str | None
    and_by: str | None
    override: str | None

    def require_others(self, entries: Iterable[Entry], what: str) -> None:
        """Raise ProcessRefused where one of those who sign made one of some entries."""
        made = [name for each in entries for name in (each.by, each.and_by) if name]
        for each in filter(None, (self.by, self.and_by)):
            require_others(each, made, what)


def signed(
    rules: Rules, operation: Operation, by: str | None, and_by: str | None, override: str | None
) -> Signed:
    """The names an operation needs; raises a Failure where they are too few or one person's."""
    reason = free_text(override, "--override") if override is not None else None
    needed = 2 if reason is not None else operation.names
    first = name(by) if needed or by is not None else None
    if needed < 2:  # noqa: PLR2004 (two people)
        if and_by is not None:
            raise BadUsage("--and-by: one name suffices here; a second goes with --override")
        return Signed(first, None, None)
    second = name(and_by, "--and-by")
    if are_same(first, second):
        raise ProcessRefused(
            "--and-by: expected another person than --by, found the same name: blanks, invisible"
            " characters, capitals and width make no other"
        )
    approvers = {folded(each) for each in rules.approvers}
    if approvers and folded(second) not in approvers:
        raise ProcessRefused(
            "--and-by: expected one of the approvers that process.toml lists, found another name"
        )
    return Signed(first, second, reason)


def row_for(
    rules: Rules,
    operation: str,
    file: str,
    of_round: Spans,
    at: datetime,
    *,
    kind: str | None = None,
    override: bool = False,
    received_on: datetime | None = None,
) -> Operation:
    """The row of the table by which an operation may be done; raises ProcessRefused outside its phase.

    Paper that came in time and is entered late is judged by when it came, and needs an override.
    """
    rows = [each for each in rules.of(operation) if kind in {None, each.kind}]
    if not rows:
        kinds = ", ".join(each.kind for each in rules.of(operation) if each.kind)
        raise BadUsage(f"--kind: expected one of {kinds or 'none'}, found another")
    if received_on is not None and received_on > at:
        raise BadUsage(
            f"--received-on: expected a time up to {shown(at)}, found {shown(received_on)}"
        )
    require_known(rules, rows, file, of_round)
    now = standing(of_round, received_on or at)
    allowed = [each for each in rows if allows(each, now)]
    if received_on is not None and not override:
        raise ProcessRefused(f"--received-on: what is entered late needs {OVERRIDE}")
    if not allowed and not override:
        raise ProcessRefused(out_of_phase(rules, rows, of_round, now, received_on or at))
    if not allowed and len(rows) > 1:
        kinds = ", ".join(str(each.kind) for each in rows)
        raise BadUsage(
            f"--kind: expected one of {kinds} with --override, as no phase gives it, found none"
        )
    return (allowed or rows)[0]


def allows(row: Operation, now: Standing) -> bool:
    """Whether a row allows an operation in a phase, or in the gap after it."""
    return not row.phases or (now.code in row.phases and (row.in_gap or not now.in_gap))


def require_known(rules: Rules, rows: Sequence[Operation], file: str, of_round: Spans) -> None:
    """Raise ProcessRefused where a round has none of the phases an operation belongs to."""
    if any(not row.phases for row in rows):
        return
    wanted = [code for row in rows for code in row.phases]
    if not set(wanted) & {span.code for span in of_round}:
        add = " or ".join(f"[phases.{code}]" for code in dict.fromkeys(wanted))
        raise ProcessRefused(
            f"{rows[0].name}: belongs to {titles(rules, wanted)}, and {file} has none of these: add"
            f" {add} there, with from, to and cite; no override replaces it"
        )


def out_of_phase(
    rules: Rules,
    rows: Sequence[Operation],
    of_round: Spans,
    now: Standing,
    at: datetime,
) -> str:
    """What an operation belongs to, and when that is."""
    wanted = {code for row in rows for code in row.phases}
    dates = "; ".join(
        f"{rules.titled(span.code)} ({when(span)})" for span in of_round if span.code in wanted
    )
    found = f"in {rules.titled(now.code)}" if now.code else "in no phase of the round"
    if now.code and now.in_gap:
        found = f"after {rules.titled(now.code)} and before the next phase"
    return (
        f"{rows[0].name}: belongs to {dates}; {shown(at.replace(microsecond=0))} is {found};"
        f" {OVERRIDE} records it all the same"
    )


def titles(rules: Rules, codes: Sequence[str]) -> str:
    """Phases for people, each once."""
    return ", ".join(rules.titled(code) for code in dict.fromkeys(codes))
