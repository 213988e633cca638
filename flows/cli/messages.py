"""What a command says on stderr: one message for a foreseen failure, progress on a terminal."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from flows.cli.streams import print_message
from flows.common.failures import CheckFailed, Failure
from schemas.steering import STEERING
from transforms.policy import PolicyError


@contextmanager
def one_message() -> Iterator[None]:
    """Report a foreseen failure in one message and leave with status 2, or 1 for a failed check."""
    try:
        yield
    except (Failure, PolicyError) as failure:
        print_message(str(failure))
        raise typer.Exit(1 if isinstance(failure, CheckFailed) else 2) from None
    except Exception as error:
        found = trouble(error)
        if found is None:
            raise
        print_message(found)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        print_message("stopped; nothing was published")
        raise typer.Exit(2) from None


def trouble(error: Exception) -> str | None:
    """What the machine had against a file or folder; none where that is not what happened."""
    if isinstance(error, OSError) and error.strerror:
        where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        return f"{where}{error.strerror}"
    from flows.common.messages import DISK_TROUBLE  # which knows polars, slow to import

    # polars and DuckDB have their own errors for a disk that is full or may not be written
    return next((words for words in DISK_TROUBLE if words in str(error)), None)


def print_json(content: Any) -> None:
    """JSON for machines, as text of whatever encoding stdout has; what could steer a terminal escaped."""
    text = json.dumps(content, ensure_ascii=False, indent=2)
    text = STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(content, indent=2)
    print(text)


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
