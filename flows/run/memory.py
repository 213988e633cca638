"""Touch little memory and keep what is touched: set before polars and Arrow load their allocators.

A run fills and frees buffers of hundreds of megabytes, and a page touched for the first time is dear,
most of all on a virtual machine.  Measured at 18 million insurance rows: an arena a core instead of
several a thread spares 200,000 page faults in scoring, and jemalloc for Arrow, whose default takes
huge pages, a quarter of the peak.  Only what is not set is filled in.

Modules are hundreds of thousands of objects that stay: looking among them for garbage while they load
costs a short command a tenth of a second.
"""

import gc
import os
import sys

ALLOCATORS = {
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:8000,muzzy_decay_ms:8000,percpu_arena:percpu",  # polars
    "ARROW_DEFAULT_MEMORY_POOL": "jemalloc",
}
if sys.platform == "linux":
    for name, value in ALLOCATORS.items():
        os.environ.setdefault(name, value)
gc.set_threshold(100_000, 20, 100)
