"""What `luohu audit` is given: a round of a warehouse, or a capsule file."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from flows.audit import as_json, audit
from flows.audit import page as audit_page
from flows.audit.capsule import page
from flows.audit.capsule.verify import audit_capsule
from flows.common.failures import BadUsage
from flows.common.settings import WAREHOUSE
from flows.kept.known_code import Trust
from flows.process.tables.compared import faults_of_tables

Outcome: TypeAlias = tuple[bool, Iterator[str], dict[str, Any]]  # passed; for people, for machines


def audit_any(
    what: str, warehouse: Path, run_id: str | None, own_code: Trust | None = None
) -> Outcome:
    """Digits are a round (`./2020` is a file of that name), anything else is a capsule file."""
    if what.isascii() and what.isdigit():
        of_round = audit(int(what), warehouse, run_id, own_code)
        if not of_round.ledger:  # what is worked out from it would be as wrong as it is
            shown = tuple(faults_of_tables(warehouse, of_round.past.year))
            of_round = replace(of_round, ledger=shown)
        return of_round.passed, audit_page.lines(of_round), as_json(of_round)
    if run_id or warehouse != WAREHOUSE:
        raise BadUsage(f"--run and --warehouse go with a round, not with the capsule {what}")
    if not Path(what).exists() or Path(what).is_dir():
        found_what = "a folder" if Path(what).is_dir() else "no file"
        raise BadUsage(f"expected a round, say 2020, or a capsule file, found {found_what} {what}")
    found = audit_capsule(Path(what), own_code)
    return found.passed, page.lines(found), page.as_json(found)
