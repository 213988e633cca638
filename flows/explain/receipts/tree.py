"""The receipts root: a Merkle tree hash as in RFC 6962, section 2.1, with SHA-256.

A leaf is hashed behind the byte 0, a node behind the byte 1, so that neither passes for the other.
One root commits to every receipt and to their order; a receipt is shown to be under it with some
seventeen digests, without showing any other receipt.
"""

import hashlib
from collections.abc import Iterable, Sequence

LEAF, NODE = b"\x00", b"\x01"


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(LEAF + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node above two others."""
    return hashlib.sha256(NODE + left + right).digest()


def root(leaves: Iterable[bytes]) -> str:
    """The root of leaves in their order, as 64 hexadecimal digits."""
    return root_of_hashes(map(leaf_hash, leaves))


def root_of_hashes(hashes: Iterable[bytes]) -> str:
    """The root of leaves whose hashes are known."""
    # complete trees from left to right, each with its number of leaves, ever smaller
    trees: list[tuple[int, bytes]] = []
    for each in hashes:
        size, top = 1, each
        while trees and trees[-1][0] == size:
            top = node_hash(trees.pop()[1], top)
            size *= 2
        trees.append((size, top))
    if not trees:
        return hashlib.sha256(b"").hexdigest()
    top = trees.pop()[1]
    while trees:
        top = node_hash(trees.pop()[1], top)
    return top.hex()


def proof(leaves: Sequence[bytes], index: int) -> list[str]:
    """The hashes beside the path from a leaf to the root, the lowest first."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"expected a leaf from 0 to {len(leaves) - 1}, found {index}")
    level, path = list(map(leaf_hash, leaves)), []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            path.append(level[beside].hex())
        pairs = [node_hash(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
        index //= 2
    return path


def is_included(leaf: bytes, index: int, size: int, path: Sequence[str], top: str) -> bool:
    """Whether a proof leads from a leaf at its place among so many to a root."""
    if not 0 <= index < size:
        return False
    found, rest, last = leaf_hash(leaf), iter(map(bytes.fromhex, path)), size - 1
    while last:
        if index % 2 or index < last:  # the last of an odd number goes up alone
            beside = next(rest, None)
            if beside is None:
                return False
            found = node_hash(beside, found) if index % 2 else node_hash(found, beside)
        index, last = index // 2, last // 2
    return next(rest, None) is None and found.hex() == top
