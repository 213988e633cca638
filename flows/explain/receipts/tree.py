"""The receipts root: a Merkle tree hash as in RFC 6962, section 2.1, with SHA-256.

A leaf is hashed behind the byte 0, a node behind the byte 1, so that neither passes for the other.
Leaves stand in the order of their hashes: a receipt's place in the tree is by chance, and shows
nobody whose numbers come before, or that a number between two others was not accepted.  One root
commits to every receipt; one is shown to be under it with some seventeen hashes, without showing
another.  Each receipt holds a salt of its own, so that the hash beside it fits no guess.
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


def root(hashes: Iterable[bytes]) -> str:
    """The root over the hashes of leaves, in the order given, as 64 hexadecimal digits."""
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


def proof(hashes: Sequence[bytes], index: int) -> list[str]:
    """The hashes beside the path from a leaf to the root, the lowest first."""
    if not 0 <= index < len(hashes):
        raise IndexError(f"expected a leaf from 0 to {len(hashes) - 1}, found {index}")
    level, path = list(hashes), []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            path.append(level[beside].hex())
        pairs = [node_hash(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
        index //= 2
    return path
