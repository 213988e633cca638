"""A receipt with the proof that it is under the root published over all receipts of the run.

The proof is no part of the receipt: its place among the hashes, how many there are, the hashes beside
the way up, and the root they lead to.
"""

from pathlib import Path
from typing import Any

from flows.explain.receipts.bulk import hashes_of
from flows.explain.receipts.leaves import keep, kept
from flows.explain.receipts.source import Source
from flows.explain.receipts.tree import leaf_hash, proof, root

PROOF = "proof"


def proof_of(warehouse: Path, run: Source, sealed: bytes) -> dict[str, Any]:
    """The proof of a receipt in canonical form; the hashes of the others are made where none are kept."""
    own = leaf_hash(sealed)
    hashes = kept(warehouse, run)
    if hashes is None or own not in hashes:
        hashes = hashes_of(run, "hashes of all receipts, once")
        keep(warehouse, run, hashes)
    index = hashes.index(own)
    return {"index": index, "size": len(hashes), "path": proof(hashes, index), "root": root(hashes)}
