"""The receipts root of a run: one digest over the receipt (积分凭单) of every applicant.

A capsule carries it, also a public one: whoever holds their receipt and the way from it to the root
can show that the run published gave them just these points.  It is made of the rows, not of a file of
receipts, so an audit of a full capsule makes it again.
"""

from typing import Any

from flows.common.progress import report
from flows.common.settings import Order
from flows.explain.receipts.applicants import everybody
from flows.explain.receipts.bulk import side_by_side
from flows.explain.receipts.compose import FORMAT, texts
from flows.explain.receipts.material import material
from flows.explain.receipts.source import MADE_FROM, Source
from flows.explain.receipts.tree import root_of_hashes
from flows.kept.past_run import PastRun


def receipts_root(past: PastRun) -> dict[str, Any]:
    """Format, number and root of the receipts of a run, none of which is kept."""
    order = Order(past.year, past.directory, past.directory, data=past.directory / "pinned")
    made_from = {name: past.manifest[name] for name in MADE_FROM}
    run = Source(past.directory, past.run_id, order.round(), order.edition(), made_from)
    people = everybody(run)
    hashes: list[bytes] = []
    for lines in side_by_side(
        texts(material(people)) if people.rows.height else iter(()), compress=False
    ):
        hashes += lines.hashes
        report("receipts root", len(hashes), people.rows.height)
    return {"format": FORMAT, "receipts": len(hashes), "root": root_of_hashes(hashes)}
