"""Everything with side effects: Prefect, DuckDB, files, the clock, the command line."""
