"""The commands as a group: what goes for every one of them before it starts and after it ends."""

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typer.core import TyperGroup

from flows.cli.streams import print_message, status_of, sturdy_streams

UNFORESEEN = 2  # never 1: no check found anything


class Commands(TyperGroup):
    """luohu's commands, with an exit status that is true and no traceback that quotes a value."""

    def main(self, args: Sequence[str] | None = None, *given: Any, **named: Any) -> Any:
        """Run one command; exits with its status."""
        with sturdy_streams() as out:
            try:
                super().main(args, *given, **named)
                status = 0
            except SystemExit as done:
                status = done.code if isinstance(done.code, int) else UNFORESEEN * bool(done.code)
            except BaseException as error:  # a panic of polars is no Exception
                if os.environ.get("LUOHU_DEBUG"):
                    raise
                frame = traceback.extract_tb(error.__traceback__)[-1]
                print_message(
                    f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}, which"
                    " nobody foresaw (LUOHU_DEBUG=1 shows the whole error, values included)"
                )
                status = UNFORESEEN
            status = status_of(out, status)
        sys.exit(status)
