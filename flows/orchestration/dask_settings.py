"""Dask's settings for luohu; imported before Dask, in every process that starts workers.

Only luohu prints on the console, and nothing of a task is kept in a log: a failure is known by the state
of its task.  A page shows workers and tasks on this machine only.  Only somebody who starts their own
scheduler can change what is set here.
"""

import os

os.environ["DASK_LOGGING__DISTRIBUTED"] = "CRITICAL"  # read as Dask is imported, in workers too

# isort: split
import dask
import distributed  # noqa: F401  (has settings of its own, which those below replace)

PAGES = "info/main/workers.html"  # of the scheduler; needs no library of charts

OURS = {
    "distributed.worker.multiprocessing-method": "spawn",  # polars deadlocks in a fork
    "distributed.worker.daemon": True,  # no worker outlives the process that started it
    "distributed.worker.preload": ["flows.orchestration.worker"],
    # a bucket's rows are no results of Dask's: nothing to put on a disk, and no reason to pause
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    "distributed.worker.profile.enabled": False,
    # a task whose worker died is asked for again by `bucket_tasks.py`, which counts and names it
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.http.routes": [
        "distributed.http.scheduler.info",
        "distributed.http.health",
        "distributed.http.statics",
    ],
    "distributed.diagnostics.computations.max-history": 0,
}


def settle() -> None:
    """Let Dask have our settings in this process, and what it starts."""
    dask.config.set(OURS)
