"""Everything with side effects: Prefect, DuckDB, files, the clock, the command line."""

import flows.run.memory  # noqa: F401  (before anything loads polars)
