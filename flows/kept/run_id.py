"""The name of a run: the beginning of a digest of what it was made from.

Of the delivery one digest over all feeds goes in, so that the name can be checked by anyone who may see
that digest and not the digests of single files: in a receipt, in a public capsule.  Nobody finds a
small feed by it: a guess would have to be right about all feeds at once, the applications and every
insurance row among them.  Runs of format 1 are named by the digests of the files themselves.
"""

from typing import Any

from flows.common.files import sha256_of

NAMED_BY = ("round", "policy", "codes", "feeds", "options", "code")
DELIVERY = "delivery"  # where the digest stands in a manifest that does not hold those of the files
OF_SINGLE_FILES = 1  # the format whose runs are named by the digests of the files
DIGITS = 16


def delivery(manifest: dict[str, Any]) -> str | None:
    """The digest over all feeds that goes into a run's name; none where those of the files do."""
    if DELIVERY in manifest:
        named: str | None = manifest[DELIVERY]
        return named
    return None if manifest["format"] == OF_SINGLE_FILES else sha256_of(manifest["feeds"])


def named_by(manifest: dict[str, Any]) -> dict[str, Any]:
    """What names a run, with one digest for all feeds, or none where single files name it."""
    return {**{name: manifest[name] for name in NAMED_BY}, "feeds": delivery(manifest)}


def run_id_of(manifest: dict[str, Any]) -> str:
    """The name that follows from what a run was made from."""
    found = named_by(manifest)
    return sha256_of({**found, "feeds": found["feeds"] or manifest["feeds"]})[:DIGITS]
