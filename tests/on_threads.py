"""luohu commands, one after the other, on so many threads, reading so many rows at a time (0: as ever).

python on_threads.py THREADS BATCH_ROWS run 2020 --feeds DIR ... then run 2019 --feeds DIR ...
"""

import os
import sys
from itertools import groupby

THREADS, ROWS = int(sys.argv.pop(1)), int(sys.argv.pop(1))
os.environ["POLARS_MAX_THREADS"] = str(THREADS)
if ROWS:  # what threads share out among them, so that small deliveries have several shares too
    os.environ["POLARS_IDEAL_MORSEL_SIZE"] = str(ROWS // 10)

from flows.cli import app  # noqa: E402  (polars reads both once)
from flows.common import database  # noqa: E402
from flows.run import read_parquet, screening  # noqa: E402
from flows.run.second_engine import engine  # noqa: E402

import duckdb  # noqa: E402  # isort: skip
import polars  # noqa: E402  # isort: skip


def limit() -> None:
    """Set the threads of every pool a run has, and the rows of a batch."""
    database.OFFLINE["threads"] = THREADS
    assert database.settings_for("")["threads"] == THREADS
    with duckdb.connect(config=database.OFFLINE) as connection:
        ((threads,),) = connection.execute("SELECT current_setting('threads')").fetchall()
    assert threads == polars.thread_pool_size() == THREADS
    assert screening.WORKERS
    assert engine.SIDE_BY_SIDE
    screening.WORKERS = engine.SIDE_BY_SIDE = THREADS
    if ROWS:
        assert min(read_parquet.PIECE_ROWS, screening.BATCH_ROWS) > ROWS
        read_parquet.PIECE_ROWS = screening.BATCH_ROWS = ROWS


if __name__ == "__main__":
    limit()
    for is_between, given in groupby(sys.argv[1:], "then".__eq__):
        if not is_between:
            try:
                app([*given])
            except SystemExit as done:
                if done.code:
                    raise
