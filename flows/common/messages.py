"""Messages that quote no value: what an unforeseen error holds may be somebody's ID or name."""

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, EDQUOT, EIO, ENOSPC, EROFS
from pathlib import Path

from polars.exceptions import PanicException

from flows.common.failures import BadUsage, Failure, PublicationFailed, StageFailed
from transforms.policy import PolicyError

DISK_TROUBLE = [os.strerror(each) for each in (ENOSPC, EROFS, EACCES, EDQUOT, EIO)]


@contextmanager
def message_with_file() -> Iterator[None]:
    """Turn a file that cannot be read into a message that names it."""
    try:
        yield
    except OSError as error:
        raise BadUsage(f"cannot read {error.filename}: {error.strerror}") from None


@contextmanager
def message_without_values(stage: str) -> Iterator[None]:
    """Turn an unforeseen error into one that quotes no value: it may be somebody's ID or name."""
    try:
        yield
    except (Failure, PolicyError):
        raise
    except (Exception, PanicException) as error:  # noqa: BLE001 (a panic of polars is no Exception)
        # polars and DuckDB have their own errors for a disk that is full or may not be written
        of_disk = [words for words in DISK_TROUBLE if words in str(error)]
        if of_disk or isinstance(error, OSError):
            what = of_disk[0] if of_disk else type(error).__name__
            raise PublicationFailed(
                f"{stage}: {what}; nothing was published, the publication before is intact"
            ) from None
        if os.environ.get("LUOHU_DEBUG"):  # on this terminal alone: Prefect keeps what is raised
            traceback.print_exception(error)
        frame = traceback.extract_tb(error.__traceback__)[-1]
        raise StageFailed(
            f"{stage}: {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
            " (LUOHU_DEBUG=1 shows the whole error, values included)"
        ) from None
