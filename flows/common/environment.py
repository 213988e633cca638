"""Variables of the environment that would change what Python, pandera or polars do, or stop them."""

import os
import re
import sys

from flows.common.failures import BadUsage

# variable -> what it may be set to, and that in words
SETTINGS = {
    "PANDERA_VALIDATION_ENABLED": ("True|true|1", "True"),
    "PANDERA_VALIDATION_DEPTH": ("SCHEMA_AND_DATA", "SCHEMA_AND_DATA"),
    "PANDERA_USE_NARWHALS_BACKEND": ("(?!(True|true|1)$).*", "False"),
    "POLARS_ENGINE_AFFINITY": ("auto|in-memory", "auto"),
    "POLARS_MAX_THREADS": ("[1-9][0-9]{0,3}", "a number of threads"),
}
WITHOUT_DOCSTRINGS = 2


def require_environment() -> None:
    """Raise BadUsage, before anything is imported that reads them, for a setting we cannot run with."""
    if sys.flags.optimize >= WITHOUT_DOCSTRINGS:
        raise BadUsage(
            "Python runs without docstrings, which name departments and tables:"
            f" expected PYTHONOPTIMIZE unset or 1, found {sys.flags.optimize}"
        )
    for name, (allowed, words) in SETTINGS.items():
        found = os.environ.get(name)
        if found is not None and not re.fullmatch(allowed, found, re.DOTALL):
            raise BadUsage(f"expected {name} unset or {words}, found {found!a}")
