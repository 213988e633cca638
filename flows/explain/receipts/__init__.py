"""Receipts (积分凭单): one an applicant, from which anybody can work out every point again.

A receipt holds every fact a rule may look at, every month counted or not and why, the values of the
policy with their citations, every part before and after rounding, and what the run was made from.
`verify_receipt.py` checks one with nothing but Python.
"""

import json
from pathlib import Path
from typing import Any

from flows.common.messages import message_without_values
from flows.explain.receipts.applicants import only
from flows.explain.receipts.bulk import hashes_of
from flows.explain.receipts.compose import texts
from flows.explain.receipts.leaves import keep, kept
from flows.explain.receipts.material import material
from flows.explain.receipts.seal import sealed
from flows.explain.receipts.source import Source, source
from flows.explain.receipts.tree import leaf_hash, proof, root


def receipt(warehouse: Path, year: int, application_no: str) -> dict[str, Any]:
    """The receipt of one application in the published run of a round.

    Raises NotFound that says what there is, CheckFailed when the run is gone or was tampered with.
    """
    with message_without_values("receipt"):
        return receipt_in(source(warehouse, year), application_no)


def receipt_in(run: Source, application_no: str) -> dict[str, Any]:
    """The receipt of one application in a run."""
    return read(canonical(run, application_no))


def proved(warehouse: Path, year: int, application_no: str) -> dict[str, Any]:
    """The receipt, and the proof that it is under the root over all of them; raises as `receipt`."""
    with message_without_values("receipt"):
        run = source(warehouse, year)
        text = canonical(run, application_no)
        return {**read(text), "proof": proof_of(warehouse, run, text)}


def proof_of(warehouse: Path, run: Source, text: bytes) -> dict[str, Any]:
    """The proof of a receipt in canonical form, which is no part of the receipt.

    Its place among the hashes, how many there are, the hashes beside the way up, and the root they
    lead to.  The hashes of the others are made where none are kept.
    """
    own = leaf_hash(text)
    hashes = kept(warehouse, run)
    if hashes is None or own not in hashes:
        hashes = hashes_of(run, "hashes of all receipts, once")
        keep(warehouse, run, hashes)
    index = hashes.index(own)
    return {"index": index, "size": len(hashes), "path": proof(hashes, index), "root": root(hashes)}


def canonical(run: Source, application_no: str) -> bytes:
    """The receipt of one application as the tree has it."""
    (text,) = next(texts(material(only(run, application_no)), run))
    return sealed(text.encode())


def read(text: bytes) -> dict[str, Any]:
    """A receipt from its canonical form."""
    found: dict[str, Any] = json.loads(text)
    return found
