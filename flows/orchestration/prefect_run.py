"""Run and serve the annual flow on Prefect: its embedded server, or the one `PREFECT_API_URL` names."""

import flows.orchestration.prefect_settings  # noqa: F401  (before Prefect reads its settings)

# isort: split
import logging
from pathlib import Path

import httpx
from prefect.schedules import Cron
from prefect.settings import get_current_settings

from flows.common.failures import Failure, PrefectUnavailable
from flows.common.settings import Order
from flows.orchestration.annual import annual
from flows.run.stages import Outcome
from transforms.policy import PolicyError

BEIJING = "Asia/Shanghai"
WHAT_TO_DO = (
    "start one with `prefect server start` and set PREFECT_API_URL=http://127.0.0.1:4200/api,"
    " or run without Prefect: luohu run ROUND --feeds DIR --direct"
)


def run_it(order: Order) -> Outcome:
    """One run of the flow; raises PrefectUnavailable, saying what to do, when no server answers."""
    server_answers()
    logging.getLogger("prefect").addFilter(without_banner)
    try:
        return annual.with_options(flow_run_name=f"round-{order.year}")(
            order.feeds,
            order.year,
            order.warehouse,
            order.data,
            order.max_rejects,
            order.recheck,
            order.keep,
            order.anyway,
        )
    except (Failure, PolicyError):
        raise
    except (RuntimeError, OSError, httpx.HTTPError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise PrefectUnavailable(
            f"Prefect's embedded server could not be started ({first}); {WHAT_TO_DO}"
        ) from None


def server_answers() -> None:
    """Raise PrefectUnavailable when PREFECT_API_URL names a server that does not answer."""
    url = get_current_settings().api.url
    if url is None:
        return
    try:
        httpx.get(f"{url.rstrip('/')}/health", timeout=5).raise_for_status()
    except httpx.HTTPError as error:
        raise PrefectUnavailable(
            f"no Prefect server answers at PREFECT_API_URL={url} ({type(error).__name__});"
            f" {WHAT_TO_DO}"
        ) from None


def without_banner(record: logging.LogRecord) -> bool:
    """Keep only warnings and errors: progress is told by the command line."""
    return record.levelno >= logging.WARNING


def serve_annual(feeds: Path, warehouse: Path, cron: str) -> None:
    """Serve the flow as a deployment with its annual schedule, until stopped."""
    if get_current_settings().api.url is None:
        raise PrefectUnavailable(f"a deployment needs a standing Prefect server; {WHAT_TO_DO}")
    server_answers()
    annual.serve(
        name="annual",
        parameters={"feeds": str(feeds), "warehouse": str(warehouse)},
        schedule=Cron(cron, timezone=BEIJING),
        tags=["luohu"],
    )
