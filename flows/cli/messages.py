"""What a command says on stderr: one message for a foreseen failure, progress on a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from flows.common.failures import CheckFailed, Failure
from flows.common.shapes import visible
from transforms.policy import PolicyError


@contextmanager
def told() -> Iterator[None]:
    """Tell a foreseen failure in one message and leave with status 2, or 1 for a failed check."""
    try:
        yield
    except (Failure, PolicyError) as failure:
        print(visible(f"luohu: {failure}"), file=sys.stderr)
        raise typer.Exit(1 if isinstance(failure, CheckFailed) else 2) from None
    except KeyboardInterrupt:
        print("luohu: stopped; nothing was published", file=sys.stderr)
        raise typer.Exit(2) from None


@contextmanager
def shown() -> Iterator[None]:
    """Show progress on stderr while a terminal watches."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from flows.common.progress import watched

    columns = (
        TextColumn("{task.description:32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def reporter(stage: str, done: int, of: int) -> None:
            bar.update(task, description=stage, completed=done, total=of)

        with watched(reporter):
            yield
