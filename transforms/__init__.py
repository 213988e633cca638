"""The policy: pure functions from frames and dates to frames, without Prefect or DuckDB."""
