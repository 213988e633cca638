"""The canonical form of a receipt, and the digest it carries of itself.

Canonical is compact JSON in UTF-8, keys in the order written: what `json.dumps` of the standard
library gives with `separators=(",", ":")` and `ensure_ascii=False`.  The last field, `sha256`, is the
SHA-256 of the canonical form without it: a slip of the pen anywhere in a receipt shows.
"""

import hashlib


def sealed(body: bytes) -> bytes:
    """A receipt in canonical form with its own digest as the last field."""
    digest = hashlib.sha256(body).hexdigest().encode()
    return b'%s,"sha256":"%s"}' % (body[:-1], digest)
