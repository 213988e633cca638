"""The workers of a run: some processes of this machine, or a standing Dask that passes inspection.

The run's own scheduler takes only connections with the key that was made for this run.
"""

import flows.orchestration.dask_settings as ours  # (before Dask reads its settings)
import flows.orchestration.prefect_settings  # noqa: F401  (and Prefect its own)

# isort: split
import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dask
from dask.system import CPU_COUNT
from distributed import LocalCluster, Security
from distributed.comm.core import connect as call
from distributed.system import MEMORY_LIMIT
from prefect.settings import get_current_settings
from prefect_dask.task_runners import DaskTaskRunner

from flows.common.failures import WorkersRefused
from flows.orchestration.console import say
from flows.orchestration.dask_address import require_safe
from flows.orchestration.inspection import require_alike
from flows.orchestration.work_place import Workers

HOST = "127.0.0.1"
FOR_THE_RUN = 1  # it needs about as much memory as a worker
ANSWERS_WITHIN = 30  # seconds
OF_DASK = "dask"  # a folder for its own files


@contextmanager
def task_runner(
    asked: Workers, store: Path, delivery: Path, data: Path
) -> Iterator[DaskTaskRunner]:
    """Prefect's task runner on those workers; it says how many there are and where to look at them."""
    ours.settle()
    if asked.address:
        require_safe(asked.address, insecure=asked.insecure)
        with standing(asked.address) as runner:
            server = str(get_current_settings().api.url).rstrip("/")
            require_alike(runner.client, server, store, delivery, data)
            report_workers(
                len(runner.client.scheduler_info(n_workers=-1)["workers"]), pages(runner)
            )
            yield runner
        return
    with local(asked, store) as cluster, DaskTaskRunner(cluster=cluster) as runner:
        report_workers(asked.here, pages(runner))
        yield runner


def report_workers(workers: int, where: str) -> None:
    """How many work, and where Dask shows them."""
    say(f"{workers} {'worker' if workers == 1 else 'workers'}; Dask shows them at {where}")


def pages(runner: DaskTaskRunner) -> str:
    """Where Dask's scheduler shows workers and tasks."""
    link = runner.client.dashboard_link
    return f"{link.rpartition('/')[0]}/{ours.PAGES}" if link else "no address"


@contextmanager
def local(asked: Workers, store: Path) -> Iterator[LocalCluster]:
    """A scheduler and workers of this run, which end with it however it ends."""
    shutil.rmtree(store / OF_DASK, ignore_errors=True)
    threads = max(1, CPU_COUNT // asked.here)
    environment = {"POLARS_MAX_THREADS": os.environ.get("POLARS_MAX_THREADS", str(threads))}
    with dask.config.set({"distributed.nanny.pre-spawn-environ": environment}):
        try:
            cluster = LocalCluster(
                n_workers=asked.here,
                threads_per_worker=1,
                processes=True,
                host=HOST,
                protocol="tls",
                security=Security.temporary(),
                dashboard_address=f"{HOST}:0",
                memory_limit=asked.memory or MEMORY_LIMIT // (asked.here + FOR_THE_RUN),
                local_directory=str(store / OF_DASK),
                silence_logs=False,
            )
        except (OSError, RuntimeError) as error:
            raise WorkersRefused(
                f"--workers {asked.here}: expected to start them, and could not"
                f" ({type(error).__name__})"
            ) from None
    try:
        yield cluster
    finally:
        with suppress(Exception):  # whatever its processes came to, the run's own result stands
            cluster.close()


@contextmanager
def standing(address: str) -> Iterator[DaskTaskRunner]:
    """A scheduler somebody else started; certificates are those that Dask's settings name."""
    how = {"timeout": ANSWERS_WITHIN, "security": Security()}
    with DaskTaskRunner(address=address, client_kwargs=how) as runner:
        try:
            asyncio.run(greeted(address))
            runner.client.scheduler_info()
        except (OSError, RuntimeError, ValueError, TypeError) as error:
            raise WorkersRefused(
                f"--dask {address}: expected a scheduler of Dask, found none that answers"
                f" ({type(error).__name__})"
            ) from None
        yield runner


async def greeted(address: str) -> None:
    """Greet a scheduler; raises TimeoutError where the call is taken but not answered: Dask would wait on."""
    how = Security().get_connection_args("client")
    async with asyncio.timeout(ANSWERS_WITHIN):
        comm = await call(address, timeout=ANSWERS_WITHIN, **how)
    comm.abort()
