"""The receipts root of a run: one digest over the receipt (积分凭单) of every applicant.

A capsule carries it, also a public one: whoever holds their receipt and the proof that comes with it
can show that the run published gave them just these points.  It is made of the rows, not of a file of
receipts, so an audit of a full capsule makes it again.
"""

from typing import Any

from flows.explain.receipts.bulk import hashes_of
from flows.explain.receipts.compose import FORMAT
from flows.explain.receipts.leaves import keep
from flows.explain.receipts.source import source_of
from flows.explain.receipts.tree import root
from flows.kept.past_run import PastRun


def receipts_root(past: PastRun, *, kept: bool = False) -> dict[str, Any]:
    """Format, number and root of the receipts of a run; `kept` leaves their hashes for proofs."""
    run = source_of(past)
    hashes = hashes_of(run, "receipts root")
    if kept:
        keep(past.warehouse, run, hashes)
    return {"format": FORMAT, "receipts": len(hashes), "root": root(hashes)}
