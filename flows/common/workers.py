"""Processes that luohu starts to work for another: they end when it does, even if it was killed."""

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess


def serve_parent() -> None:
    """Leave an interrupt to the parent, which stops in order, and end with it however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=end_with, args=(parent,), daemon=True).start()


def end_with(parent: BaseProcess) -> None:
    """End when a process does."""
    parent.join()
    os._exit(0)
