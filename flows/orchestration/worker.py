"""What is set in a worker before its first task; Dask calls `dask_setup` in its process."""

import os
import signal

from flows.common.private_folder import OWNER_ONLY


def dask_setup(_worker: object) -> None:
    """Files for their owner only, and an interrupt is for the run, which stops its workers."""
    os.umask(OWNER_ONLY)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
