"""The manifest of a run for anybody: every digest a guess could be held against is salted or left out.

A manifest holds the digest of every delivered file and of every table.  Of a feed with a handful of
rows such a digest shows whether a guess is right.  Here these are salted (`flows.kept.salts`); of what
is public the digests stay, and of the whole delivery the one digest that names the run, so that it
can still be shown that round, policy and code are those of the run.  What stays besides is a digest
over tables about everybody (`result_digest`), which nobody guesses.  What a later version adds to a
manifest stays out until it is named here.
"""

from typing import Any

from flows.audit.capsule.contents import LEFT_OUT, is_public
from flows.kept.run_id import DELIVERY, delivery
from flows.kept.salts import SALTED, Salts, delivered

PUBLIC_FIELDS = (
    *("format", "run_id", "round", "policy", "codes", "options", "code"),
    *("result_digest", "report", "pinned", "environment"),
)


def public_manifest(manifest: dict[str, Any], salts: Salts) -> dict[str, Any]:
    """The manifest of a public capsule; the same run gives the same."""
    outputs = manifest["outputs"]
    return {
        **{name: manifest[name] for name in PUBLIC_FIELDS if name in manifest},
        DELIVERY: delivery(manifest),
        "feeds": delivered(manifest["feeds"], salts),
        "outputs": {name: each for name, each in outputs.items() if is_public(name)},
        LEFT_OUT: {
            name: {"rows": each["rows"], SALTED: salts.of_file(name, each["sha256"])}
            for name, each in outputs.items()
            if not is_public(name)
        },
    }
