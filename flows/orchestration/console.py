"""What Prefect's side of luohu says on the console: one line at a time, on stderr."""

import sys


def say(message: str) -> None:
    """One line on stderr, at once."""
    print(f"luohu: {message}", file=sys.stderr, flush=True)  # noqa: T201
