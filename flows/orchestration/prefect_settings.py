"""Prefect's settings for luohu; imported before Prefect, and only filling in what is not set.

Prefect keeps its own database and profiles in a home of this project's, so that a user's Prefect is
left alone.  Nothing leaves the machine: analytics and metrics are off.
"""

import os
import tempfile
from pathlib import Path

STATE = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")

DEFAULTS = {
    "PREFECT_HOME": str(STATE / "luohu" / "prefect"),
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    # a first start creates the database; two starts at once on two cores need longer than 20 s
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
    # an annual schedule shows its next run all year; Prefect looks 100 days ahead by itself
    "PREFECT_SERVER_SERVICES_SCHEDULER_MAX_SCHEDULED_TIME": "P400D",
    # progress and errors are told by the command line, once
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
}

if not os.environ.get("PREFECT_API_URL", "unset"):
    del os.environ["PREFECT_API_URL"]  # set to nothing means the embedded server

for name, value in DEFAULTS.items():
    os.environ.setdefault(name, value)

try:
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
except OSError:  # a service account may have no home: Prefect's database is a view, not a record
    os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="luohu-prefect-")
