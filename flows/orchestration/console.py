"""What Prefect's side of luohu says on the console: one line at a time, on stderr."""

import sys

from flows.common.shapes import visible


def say(message: str) -> None:
    """One line on stderr, at once."""
    print(visible(f"luohu: {message}"), file=sys.stderr, flush=True)  # noqa: T201
