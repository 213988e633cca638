"""Report to those who watch how far long work has come; nobody watches unless asked to.

One reporter for the process: stages run inside Prefect tasks, which pass small values only.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Reporter = Callable[[str, int, int], None]

_reporters: list[Reporter] = []


def report(stage: str, done: int, of: int) -> None:
    """`done` of `of` steps are done, `stage` is what is being worked on."""
    for reporter in _reporters:
        reporter(stage, done, of)


@contextmanager
def watched(reporter: Reporter) -> Iterator[None]:
    """Send progress to a reporter while the work goes on."""
    _reporters.append(reporter)
    try:
        yield
    finally:
        _reporters.remove(reporter)
