"""Keep memory once it is touched: set before polars and Arrow load their allocators.

A run fills and frees buffers of hundreds of megabytes.  Giving each back to the system and touching
it anew cost a tenth of a run where it was measured (page clearing in the kernel); within a run's few
seconds it is kept instead.  Only what is not set is filled in.
"""

import os

for name, value in {
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:8000,muzzy_decay_ms:8000",  # polars: jemalloc
    "MIMALLOC_PURGE_DELAY": "8000",  # Arrow: mimalloc
}.items():
    os.environ.setdefault(name, value)
